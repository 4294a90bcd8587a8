import json
from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.errors import WriteError
from napari_s3net.export.formats import FORMATS, segments_of, with_segments, write_formats
from napari_s3net.geometry import NiftiForms
from napari_s3net.image import Geometry
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Code, Segment
from napari_s3net.settings import Settings


def result():
    labels = np.full((4, 12, 14), 2, np.int32)
    labels[1:3, 3:9, 4:10] = 1
    geometry = Geometry((2.0, 0.5, 0.75), (0.0,) * 3, Geometry.identity(3).direction)
    return Segmentation(labels, (1,), geometry, Provenance(settings=Settings(), source="scan.nii"), {1: "Lung", 2: ""})


def test_each_format_is_a_file_of_its_own(tmp_path):
    names = ["seg.nrrd", "coco", "stl", "ply", "png"]
    written = write_formats(tmp_path, "scan", result(), names)
    assert [path.name for path in written] == [f"scan{FORMATS[name]}" for name in names]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert [path.name for path in sorted((tmp_path / "scan_slices").iterdir())] == [f"00{n}.png" for n in range(4)]
    coco = json.loads((tmp_path / "scan.coco.json").read_text(encoding="utf-8"))
    assert coco["images"][1]["file_name"] == "scan.nii, slice 1"


def test_a_surface_lies_on_an_image_whose_file_counts_in_micrometres(tmp_path):
    told = replace(result(), geometry=result().geometry.times(1e-3).told_in("um"))
    for one, name in ((result(), "mm"), (told, "um")):
        write_formats(tmp_path / name, "scan", one, ["stl"])
    one, other = ((tmp_path / name / "scan.stl").read_bytes() for name in ("mm", "um"))
    vertices = [np.frombuffer(data[84:], "V50").view("V12,(9,)<f4,V2")["f1"] for data in (one, other)]
    np.testing.assert_allclose(*vertices, atol=1e-6)
    assert other.startswith(b"napari-s3net, um ")


def test_no_surface_is_written_where_programs_differ_in_where_the_image_lies(tmp_path):
    nowhere = NiftiForms(*[(0, tuple(map(tuple, np.eye(4).tolist())))] * 2, steps=(0.75, 0.5, 2.0))
    lost = replace(result(), geometry=replace(result().geometry, nifti_forms=nowhere))
    for name in ("stl", "ply", "seg.nrrd"):
        with pytest.raises(WriteError, match="Save NIfTI"):
            write_formats(tmp_path, "scan", lost, [name])
    assert not list(tmp_path.iterdir())


def test_segments_have_names_and_the_object_its_colour():
    one, other = segments_of(result())
    assert (one.name, one.is_object, one.colour) == ("Lung", True, (25, 195, 242))
    assert (other.name, other.is_object) == ("Label 2", False)
    assert one.colour != other.colour


def test_what_a_file_tells_of_labels_becomes_the_result_s_own():
    codes = (Code("1", "Organ", "99S3"), Code("2", "Spleen", "99S3"))
    told = [Segment(1, "Left lung", (1, 2, 3)), Segment(3, "Spleen", (4, 5, 6), codes=codes)]
    known = with_segments(replace(result(), colours={2: (7, 8, 9)}), told)
    assert known.names == {1: "Left lung", 2: "", 3: "Spleen"}
    assert (known.colours, known.codes) == ({1: (1, 2, 3), 2: (7, 8, 9), 3: (4, 5, 6)}, {3: codes})
    assert known.foreground == result().foreground
    assert {one.label: one.colour for one in segments_of(known)} == known.colours


def test_what_labels_are_written_with_anyway_is_no_choice():
    written = [replace(one, codes=one.category_and_type) for one in segments_of(result())]
    back = with_segments(result(), written)
    assert (back.names, back.colours, back.codes) == (result().names, {}, {})


def test_what_cannot_be_written_says_why(tmp_path):
    with pytest.raises(WriteError, match="no format 'obj'"):
        write_formats(tmp_path, "scan", result(), ["obj"])
    with pytest.raises(WriteError, match="refers to the DICOM series"):
        write_formats(tmp_path, "scan", result(), ["dicom-seg"])
    flat = replace(result(), labels=result().labels[0], geometry=Geometry.identity(2))
    with pytest.raises(WriteError, match="a single picture has none"):
        write_formats(tmp_path, "scan", flat, ["dicom-seg"], tmp_path)
    with pytest.raises(WriteError, match=r"no \(Z, H, W\)"):
        write_formats(tmp_path, "scan", flat, ["png"])
    with pytest.raises(WriteError, match="3 axes"):
        write_formats(tmp_path, "scan", replace(result(), labels=result().labels[0]), ["seg.nrrd"])


def test_the_command_line_knows_these_formats():
    from argparse import ArgumentParser

    from napari_s3net.cli.segment import add_arguments

    parser = ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(["a", "-o", "b", "--also", *FORMATS]).also == list(FORMATS)
