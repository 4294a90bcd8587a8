import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import ReadWarning, WriteError
from napari_s3net.image import Geometry
from napari_s3net.io import read_labels, write_labels
from napari_s3net.io.segments import of_fields, of_lines, to_fields, to_lines
from napari_s3net.runtime import child_pool
from napari_s3net.segments import Code, Segment
from tests.io.test_meta_nrrd import write_sequence

GEOMETRY = Geometry((2.0, 0.5, 0.75), (5.0, 6.0, 7.0), Geometry.identity(3).direction)
SEGMENTS = [Segment(1, "Lung", (25, 195, 242)), Segment(4, "Air & tissue, darker", (0, 0, 255), is_object=False)]


@pytest.fixture(scope="module", autouse=True)
def close_children():
    yield
    child_pool.close_all()


def labels():
    array = np.zeros((3, 10, 12), np.int32)
    array[:, 2:5, 3:9], array[1:, 6:9, 1:4], array[0, 0] = 1, 4, 2
    return array


def test_labels_names_and_colours_come_back(tmp_path):
    path = tmp_path / "scan.seg.nrrd"
    write_labels(path, labels(), GEOMETRY, segments=SEGMENTS)
    back = read_labels(path)
    assert np.array_equal(back.array, labels())
    assert back.geometry.spacing == pytest.approx(GEOMETRY.spacing)
    assert back.geometry.origin == pytest.approx(GEOMETRY.origin)
    image = sitk.ReadImage(str(path))
    assert [image.GetMetaData(f"Segment{n}_Name") for n in (0, 1)] == ["Lung", "Air & tissue, darker"]
    assert [image.GetMetaData(f"Segment{n}_LabelValue") for n in (0, 1)] == ["1", "4"]
    assert [float(c) for c in image.GetMetaData("Segment1_Color").split()] == [0.0, 0.0, 1.0]
    assert image.GetMetaData("Segment0_Extent") == "0 11 0 9 0 2"


def test_a_segmentation_for_slicer_is_a_volume(tmp_path):
    with pytest.raises(WriteError, match="3D Slicer is a volume"):
        write_labels(tmp_path / "a.seg.nrrd", labels()[0], GEOMETRY.plane(0), segments=SEGMENTS)
    assert not list(tmp_path.iterdir())


def test_fields_of_a_header_tell_what_segments_are():
    own = Segment(7, "Cyst", (1, 2, 3), codes=(Code("49755003", "Morphologically Altered"), Code("1", "Cyst", "99X")))
    found = of_fields(of_lines(to_lines(to_fields([own, *SEGMENTS], (12, 10, 3)))))
    assert [(one.label, one.name, one.colour) for one in found] == [
        (1, "Lung", (25, 195, 242)),
        (4, "Air & tissue, darker", (0, 0, 255)),
        (7, "Cyst", (1, 2, 3)),
    ]
    assert found[2].codes == own.codes
    assert found[0].category_and_type[1] == Code("39607008", "Lung"), "codes that follow from the name"


@pytest.mark.parametrize(
    ("changed", "colour", "codes"),
    [
        ({"Segment0_Color": "1 2"}, None, True),
        ({"Segment0_Color": "a b c"}, None, True),
        ({"Segment0_Color": "2 0 0"}, None, True),
        ({"Segment0_Tags": "TerminologyEntry:a~b"}, (25, 195, 242), False),
        ({"Segment0_Tags": ""}, (25, 195, 242), False),
    ],
)
def test_fields_that_make_no_sense_count_as_missing(changed, colour, codes):
    (found,) = of_fields({**to_fields(SEGMENTS[:1], (12, 10, 3)), **changed})
    assert (found.name, found.colour, found.codes is not None) == ("Lung", colour, codes)


def test_segments_without_a_number_are_none():
    assert of_fields({"Segment0_Name": "Lung", "Segment0_LabelValue": "x", "Segment1_LabelValue": "0"}) == []
    assert to_fields([], (3, 3)) == {}


def test_segments_that_overlap_lie_in_layers_and_become_one_array_with_a_word(tmp_path):
    layers = np.zeros((2, 3, 10, 12), np.int16)
    layers[0, :, 2:6, 2:6], layers[1, :, 5:8, 5:8], layers[1, 0, 0] = 1, 1, 2
    named = {"Segment0": ("Lung", 0, 1), "Segment1": ("Tumour", 1, 1), "Segment10": ("Rib", 1, 2)}
    fields = [
        f"{n}_{k}:={v}" for n, of in named.items() for k, v in zip(("Name", "Layer", "LabelValue"), of, strict=True)
    ]
    path = write_sequence(tmp_path / "a.seg.nrrd", layers, 0, "list", more="\n".join(fields) + "\n")
    with pytest.warns(ReadWarning, match="overlap; where they do, the later one is kept"):
        back = read_labels(path)
    assert back.names == {1: "Lung", 2: "Tumour", 3: "Rib"}
    expected = np.select([layers[1] == 2, layers[1] == 1, layers[0] == 1], [3, 2, 1])
    assert np.array_equal(back.array, expected)
