from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.errors import AmbiguousSeriesError, HoldsLabelsError, ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io import dicom_in, read_image, read_labels, read_stack, series_in
from napari_s3net.runtime import child_pool
from tests.io.dicom.test_segmentation import LEFT, RIGHT, write_segmentation
from tests.io.made_files import hounsfield, make_dicom, make_slice, phantom, volume, write_dicom
from tests.io.test_photograph import write_png

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def one_child():
    yield
    child_pool.close_all()


def shared(*parts):
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the development data are not here: {path.name}")
    return path


def test_an_image_arrives_as_it_was_decoded(files):
    image = read_image(str(files / "a.nii.gz"))
    np.testing.assert_array_equal(image.array, phantom())
    assert image.geometry.spacing == (4.0, 2.0, 1.5)
    assert image.geometry.direction == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert image.geometry.unit == "mm"
    assert image.name == "a"
    assert hash(image.geometry) == hash(image.geometry)


def test_a_plane_arrives_with_its_place(files):
    geometry = read_image(files / "a.dcm").geometry
    assert geometry.ndim == 2
    assert geometry.volume.ndim == 3
    assert geometry.volume.spacing[1:] == geometry.spacing


def test_a_relative_path(files, monkeypatch):
    monkeypatch.chdir(files)
    assert read_image("a.png").kind == "rgb"


def test_a_note_is_a_warning_with_the_file_s_name(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(phantom((2, 4, 12, 10)), isVector=False), str(tmp_path / "a.nii"))
    with pytest.warns(ReadWarning, match=r"^a\.nii: it holds 2 volumes; the first is opened\.$") as said:
        read_image(tmp_path / "a.nii")
    assert said[0].filename == __file__


def empty(path):
    path.touch()


def text(path):
    path.write_text("no picture", encoding="utf-8")


def cut_off(path):
    sitk.WriteImage(volume(phantom((200, 100, 100))), str(path))
    path.write_bytes(path.read_bytes()[:3000])


def claims_too_much(path):
    sitk.WriteImage(volume(), str(path))
    raw = bytearray(path.read_bytes())
    raw[42:48] = b"\xff\x7f" * 3
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("missing.png", lambda _: None, "there is no such file or folder."),
        ("empty.nii.gz", empty, "the file is empty (0 bytes)."),
        ("folder", Path.mkdir, "this folder holds no DICOM images (0 other files, 0 folders)."),
        ("text.png", text, "its content is none of the formats read here: PNG,"),
        ("scan.nii", cut_off, "the header promises 4 MB, the file has 3 kB. It was probably cut off while copying."),
        ("bomb.nii", claims_too_much, "the header claims 32767 × 32767 × 32767 values; opening that takes 211 TB"),
        ("pipe.png", os.mkfifo, "it is neither a file nor a folder."),
        ("x" * 300, lambda _: None, "the system says: File name too long."),
        ("nul\0.png", lambda _: None, "no file can have a null character in its name."),
        ("two\nlines.png", lambda _: None, "there is no such file or folder."),
    ],
)
def test_an_error_names_the_file_and_the_reason(tmp_path, name, make, words):
    make(tmp_path / name)
    with pytest.raises(ReadError) as caught:
        read_image(tmp_path / name)
    assert str(caught.value).startswith(f"Cannot read {name.translate({0: '?', 10: '?'})}: {words}")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(files):
    (files / "a.png").chmod(0)
    with pytest.raises(ReadError, match="no permission"):
        read_image(files / "a.png")


def test_errors_are_of_their_own_kinds(series, tmp_path):
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(UnsupportedFormatError):
        read_image(tmp_path / "a.txt")
    write_dicom(series / "other", hounsfield(), series="9")
    with pytest.raises(AmbiguousSeriesError, match=r"Cannot read series: it holds 2 series.*1\.2\.3: CT") as caught:
        read_image(series)
    assert list(caught.value.series) == series_in(series)
    assert read_image(series, series="9").shape == (24, 20)


def test_series_in(series, tmp_path):
    assert series_in(series) == [("1.2.3", "CT, series 1, 4 files of 20 × 24")]
    with pytest.raises(ReadError, match="no such file"):
        series_in(tmp_path / "missing")
    with pytest.raises(ReadError, match="not a folder"):
        series_in(series / "file0")


@pytest.mark.parametrize("suffix", ["nii", "mha", "nrrd"])
def test_a_name_that_is_no_utf8_is_read_all_the_same(tmp_path, suffix):
    path = tmp_path / os.fsdecode(b"caf\xe9." + suffix.encode())
    sitk.WriteImage(volume(), str(tmp_path / f"a.{suffix}"))
    (tmp_path / f"a.{suffix}").rename(path)
    np.testing.assert_array_equal(read_image(path).array, phantom())


@pytest.mark.parametrize("name", ["ü ñ.nii.gz", "新.mha", "two\nlines.nrrd", "..nii", "UP.NII.GZ", "a b;c&d.nii"])
def test_odd_names(tmp_path, name):
    suffix = next(s for s in (".nii.gz", ".nii", ".mha", ".nrrd") if name.lower().endswith(s))
    sitk.WriteImage(volume(), str(tmp_path / f"plain{suffix}"))
    (tmp_path / f"plain{suffix}").rename(tmp_path / name)
    np.testing.assert_array_equal(read_image(tmp_path / name).array, phantom())


def test_a_file_that_crashes_or_confuses_simpleitk_is_an_error_and_the_next_file_is_read(files):
    # A second NDims, which the check does not know, overruns a table inside SimpleITK.
    raw = (files / "a.mha").read_bytes()
    more = b"NDims : 20\nElementSpacing = " + b"1 " * 20 + b"\nTransformMatrix = " + b"1 " * 400 + b"\n"
    (files / "bad.mha").write_bytes(raw.replace(b"ElementType", more + b"ElementType"))
    for _ in range(2):
        with pytest.raises(ReadError, match=r"^Cannot read bad\.mha: it"):
            read_image(files / "bad.mha")
        np.testing.assert_array_equal(read_image(files / "a.mha").array, phantom())


def test_planes_are_stacked_in_the_order_given(tmp_path, files):
    image = read_stack([files / "a.png", files / "a.png"])
    assert image.array.shape == (2, 20, 30, 3)
    assert image.geometry.spacing == (1.0, 1.0, 1.0)
    assert image.geometry.unit == "pixel"


def test_slices_that_know_their_place_are_stacked_by_it(series):
    paths = sorted(series.iterdir())
    assert [read_image(path).geometry.volume.origin[0] for path in paths] != [10.0, 13.0, 16.0, 19.0]
    stack, whole = read_stack(paths), read_image(series)
    np.testing.assert_array_equal(stack.array, whole.array)
    assert stack.geometry == whole.geometry


def test_slices_that_are_chosen_one_by_one_are_checked_as_a_series_is(series, tmp_path):
    make_slice(series / "scout", hounsfield(), position=(0, 0, 300.0), axes=(1, 0, 0, 0, 0, -1))
    with pytest.warns(ReadWarning, match=r"^file0: 1 of its images is left out .*: scout\.$") as said:
        assert read_stack(sorted(series.iterdir())).shape == (4, 24, 20)
    assert said[0].filename == __file__


def save_planes(folder, *places):
    """NIfTI files of one slice each."""
    for number, place in enumerate(places):
        sitk.WriteImage(volume(phantom((1, 12, 10)) + number, origin=place), str(folder / f"{number}.nii"))
    return sorted(folder.iterdir())


def test_planes_of_other_formats_that_lie_evenly_are_stacked_and_others_refused(tmp_path):
    stack = read_stack(save_planes(tmp_path, (0, 0, 6.0), (0, 0, 0.0), (0, 0, 3.0)))
    assert stack.array[:, 0, 0].tolist() == [1, 2, 0]
    assert stack.geometry.spacing == (3.0, 2.0, 1.5)
    for places in ([(0, 0, 0.0), (0, 0, 3.0), (0, 0, 9.0)], [(0, 0, 0.0), (5, 0, 3.0)], [(0, 0, 0.0), (0, 0, 0.0)]):
        for path in tmp_path.iterdir():
            path.unlink()
        with pytest.raises(ReadError, match="evenly and straight"):
            read_stack(save_planes(tmp_path, *places))


@pytest.mark.parametrize("is_placed", [True, False])
def test_planes_whose_pixels_are_of_different_sizes_make_no_stack(tmp_path, is_placed):
    paths = [tmp_path / f"{n}{'.nii' if is_placed else '.tif'}" for n in range(3)]
    for n, (path, size) in enumerate(zip(paths, (1.0, 1.0, 1.1), strict=True)):
        if is_placed:
            place = np.diag([-size, -size, 3, 1.0])
            place[2, 3] = 3 * n
            nibabel.save(nibabel.Nifti1Image(phantom((24, 20, 1)), place), path)
        else:
            tifffile.imwrite(path, phantom((24, 20)), imagej=True, resolution=(1 / size,) * 2, metadata={"unit": "um"})
    with pytest.raises(ReadError, match=r"3 files as a stack: their pixels are of different sizes. Open them one"):
        read_stack(paths)
    if is_placed:
        assert read_stack(paths[:2]).geometry.spacing == (3.0, 1.0, 1.0)
    else:
        with pytest.warns(ReadWarning, match=r"each 0\.001 × 0\.001 mm"):
            read_stack(paths[:2])


def test_labels_of_a_dicom_segmentation_and_of_other_files(tmp_path, files):
    path = write_segmentation(tmp_path / "a", [(1, 0.0, LEFT), (2, 0.0, RIGHT)])
    with pytest.raises(HoldsLabelsError, match=r"Cannot read a: it holds labels .* `read_labels` opens it"):
        read_image(path)
    labels = read_labels(path)
    np.testing.assert_array_equal(labels.array, LEFT + 2 * RIGHT)
    assert labels.array.dtype == np.int32
    assert labels.names == {1: "Left lung", 2: "Right"}
    assert read_labels(files / "a.nii").array.max() == phantom().max()
    assert read_labels(files / "a.nii").names == {}
    for name, words in (("a.png", "rgb uint8"), ("a.dcm", "no segmentation")):
        with pytest.raises(UnsupportedFormatError, match=words):
            read_labels(files / name)


def test_what_a_folder_holds_of_dicom(series):
    make_dicom(series / "photo", phantom((24, 20, 3), np.uint8), Modality="XC", SeriesInstanceUID="7")
    (series / "cut").write_bytes((series / "file0").read_bytes()[:-9])
    found = dicom_in(series)
    assert found.damaged == [series / "cut"]
    assert found.singles == [series / "photo"]
    assert [(one.identity, len(one.files)) for one in found.series] == [("1.2.3", 4)]
    assert found.series[0].files[0] == series / "file0"


@pytest.mark.parametrize("names", [("a.png", "a.dcm"), ("a.nii", "a.nii"), ("a.dcm", "a.nii")])
def test_what_makes_no_stack_is_refused(files, names):
    with pytest.raises(ReadError, match="as a stack"):
        read_stack([files / name for name in names])
    with pytest.raises(ReadError, match="no files"):
        read_stack([])


def test_the_dicom_series_in_jpeg_2000():
    image = read_image(shared("formats", "ct_series_jpeg2000"))
    assert image.array.shape == (20, 512, 512)
    assert image.array.dtype == np.int16
    assert image.kind == "ct"
    assert image.array.min() == -1024
    assert image.geometry.spacing == (2.0, 0.9765625, 0.9765625)
    ((_, text),) = series_in(shared("formats", "ct_series_jpeg2000"))
    assert text == "CT, 20 files of 512 × 512, 3 mm thick"


@pytest.mark.parametrize(
    ("path", "shape", "kind"),
    [
        ("formats/nifti/CT_AVM.nii.gz", (154, 242, 256), "grey"),
        ("formats/nifti/CT_pitch.nii.gz", (58, 248, 175), "grey"),
        ("formats/nifti/anatomical.nii", (25, 41, 33), "grey"),
        ("formats/nifti/r16slice.nii.gz", (256, 256), "grey"),
        ("formats/mha/3DCT_lung_baseline_small.mha", (64, 78, 57), "ct"),
        ("formats/mha/2DMRI-T1_brain.mha", (256, 256), "grey"),
        ("formats/nrrd/BallBinary30x30x30_gz.nrrd", (30, 30, 30), "grey"),
        ("formats/nrrd/test2d_ascii.nrrd", (9, 3), "grey"),
    ],
)
def test_real_files(path, shape, kind):
    image = read_image(shared(path))
    assert image.array.shape == shape
    assert image.kind == kind


@pytest.mark.parametrize(("name", "n"), [("example4d.nii.gz", 2), ("example_nifti2.nii.gz", 2), ("functional.nii", 20)])
def test_real_files_of_several_volumes(name, n):
    with pytest.warns(ReadWarning, match=f"{n} volumes"):
        assert read_image(shared("formats", "nifti", name)).is_stack


def test_what_is_left_of_an_oblique_file_is_not_lost():
    geometry = read_image(shared("formats", "nifti", "CT_pitch.nii.gz")).geometry
    assert geometry.orientation == "RAS"
    assert geometry.direction[0][1] == pytest.approx(0.284, abs=0.001)


def test_a_real_file_without_its_pixels_says_which_file_is_missing():
    with pytest.raises(ReadError, match=r"nifti1\.img"):
        read_image(shared("formats", "nifti/nifti1.hdr"))


def test_an_axis_without_a_direction_is_none_of_space():
    image = read_image(shared("formats", "nrrd/test_simple4d_raw.nrrd"))
    assert (image.shape, image.geometry.spacing, image.times) == ((1, 1), (1.5, 1.5), 1)


def test_to_import_it_takes_no_heavy_library():
    code = "import sys, napari_s3net.io as io; print(*{n.partition('.')[0] for n in sys.modules})"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8"
    ).stdout.split()
    assert not {"pydicom", "nibabel", "SimpleITK", "tifffile", "PIL", "scipy"} & set(modules)


@pytest.mark.parametrize(
    ("array", "labels"),
    [
        (np.array([[0.0, 3.0], [2.0, 1.0]]), [[0, 3], [2, 1]]),
        (np.repeat(np.array([[[0], [3]], [[2], [1]]], np.uint8), 3, axis=2), [[0, 3], [2, 1]]),
        (np.array([[0.5, 3.0], [2.0, 1.0]]), None),
        (np.array([[np.nan, 3.0], [2.0, 1.0]]), None),
        (np.array([[-1, 3], [2, 1]], np.int16), None),
        (np.array([[1 << 31, 3], [2, 1]], np.uint32), None),
        (np.arange(12, dtype=np.uint8).reshape(2, 2, 3), None),
    ],
)
def test_labels_are_whole_numbers_however_they_are_stored(tmp_path, array, labels):
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb" if array.ndim == 3 else "minisblack")
    if labels is None:
        with pytest.raises(UnsupportedFormatError, match="labels are whole numbers from 0 to 2147483647; it holds"):
            read_labels(tmp_path / "a.tif")
    else:
        np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").array, labels)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_labels_of_a_tiff_whose_white_is_zero_are_the_numbers_that_are_stored(tmp_path, dtype):
    labels = np.array([[0, 1, 0], [2, 3, 0]]).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric="miniswhite")  # what tifffile does with bool by itself
    with pytest.warns(ReadWarning, match="white is zero; its values are left as they are"):
        read = read_labels(tmp_path / "a.tif").array
    np.testing.assert_array_equal(read, labels * 255 if dtype is bool else labels)


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("width", [12, 7])
def test_labels_of_few_bits_in_a_png_are_the_numbers_that_are_stored(tmp_path, bits, width):
    labels = (np.arange(5 * width).reshape(5, width) % (1 << bits)).astype(np.uint8)
    places = np.unpackbits(labels[..., None], axis=-1)[..., -bits:].reshape(5, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in np.packbits(places, axis=1))
    write_png(tmp_path / "a.png", labels.shape, bits, 0, rows)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").array, labels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").array, labels * (255 // ((1 << bits) - 1)))


@pytest.mark.parametrize("bits", [2, 3, 4, 7])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.filterwarnings("ignore:.*white is zero")
def test_labels_of_few_bits_in_a_tiff_are_the_numbers_that_are_stored(tmp_path, bits, photometric):
    pytest.importorskip("imagecodecs")
    labels = (np.arange(60).reshape(5, 12) % (1 << bits)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", labels, photometric=photometric, bitspersample=bits)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").array, labels)


def test_a_mask_coded_as_a_fax_is_what_it_is_shown_as(tmp_path):
    mask = np.zeros((20, 30), bool)
    mask[5:9, 4:20] = True
    PIL.Image.fromarray(~mask).save(tmp_path / "a.tif", compression="group4")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].tags["PhotometricInterpretation"].overwrite(0)  # as ImageMagick writes masks
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").array, mask * 255)


#: Of a well-known set of photographs with classes; its seventh class is grey.
PALETTE = [
    (0, 0, 0),
    (128, 0, 0),
    (0, 128, 0),
    (128, 128, 0),
    (0, 0, 128),
    (128, 0, 128),
    (0, 128, 128),
    (128, 128, 128),
]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("labels", [[[0, 1, 2], [3, 7, 0]], [[0, 0, 7], [7, 7, 0]], [[0, 0, 0], [0, 0, 1]]])
@pytest.mark.parametrize(
    ("palette", "shown"),
    [(PALETTE, None), ([(n, n, n) for n in range(0, 256, 32)], lambda n: 32 * n), (PALETTE[1:], "refused")],
)
def test_numbers_of_a_palette_are_labels_unless_they_stand_for_greys(tmp_path, suffix, labels, palette, shown):
    numbers = np.array(labels, np.uint8)
    path = tmp_path / f"a{suffix}"
    if suffix == ".png":
        picture = PIL.Image.fromarray(numbers)
        picture.putpalette(np.array(palette, np.uint8).tobytes())
        picture.save(path)
    else:
        table = np.zeros((256, 3), np.uint16)
        table[: len(palette)] = np.array(palette) * 257
        tifffile.imwrite(path, numbers, photometric="palette", colormap=table.T, metadata=None)
    if shown == "refused":
        with pytest.raises(UnsupportedFormatError, match="it holds rgb"):
            read_labels(path)
        return
    expected = numbers if shown is None else shown(numbers)
    np.testing.assert_array_equal(read_labels(path).array, expected)
    assert read_image(path).kind == "rgb", "as an image it is shown in its colours"


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_labels_that_were_packed_as_jpeg_are_refused(tmp_path, suffix):
    """Along each edge there would be labels of its own."""
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 13:50] = 255
    PIL.Image.fromarray(mask).save(tmp_path / f"a{suffix}", **({"compression": "jpeg"} if suffix == ".tif" else {}))
    with pytest.raises(UnsupportedFormatError, match=r"packed as JPEG, which changes them. Save labels as PNG"):
        read_labels(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("packing", ["jpeg2000", "jpegxl", "lerc"])
def test_of_a_packing_that_may_have_changed_labels_it_is_said(tmp_path, packing):
    pytest.importorskip("imagecodecs")
    labels = (np.arange(64 * 64).reshape(64, 64) % 5).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", labels, compression=packing)
    with pytest.warns(ReadWarning, match="may have changed its labels"):
        np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").array, labels)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize(("grey", "clear", "fits"), [(True, True, True), (True, False, False), (False, True, False)])
def test_labels_that_are_drawn_in_transparency_alone_are_refused(tmp_path, mode, grey, clear, fits):
    """Black on clear ground is nothing without its transparency, and what is clear may hide a label."""
    mask = np.zeros((20, 30), np.uint8)
    mask[5:12, 7:20] = 255
    values = mask if grey else mask * 0
    values = values if clear else 255 - values
    planes = [*[values] * (3 if mode == "RGBA" else 1), mask]
    PIL.Image.merge(mode, [PIL.Image.fromarray(plane) for plane in planes]).save(tmp_path / "a.png")
    if fits:
        np.testing.assert_array_equal(read_labels(tmp_path / "a.png").array, mask)
    else:
        with pytest.raises(UnsupportedFormatError, match="its transparency does not go with them"):
            read_labels(tmp_path / "a.png")


def test_labels_that_floats_of_32_bits_round_are_said_to_be(tmp_path):
    labels = np.zeros((24, 20))
    labels[:9], labels[9] = 1 << 24, (1 << 24) + 1
    for dtype, is_told in ((np.float32, True), (np.float64, False)):
        tifffile.imwrite(tmp_path / "a.tif", labels.astype(dtype))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            read = read_labels(tmp_path / "a.tif").array
        assert len(np.unique(read)) == (3 - is_told)
        assert ["round numbers from 16,777,216 on" in str(one.message) for one in told] == [True] * is_told
    tifffile.imwrite(tmp_path / "a.tif", np.minimum(labels, (1 << 24) - 1).astype(np.float32))
    assert read_labels(tmp_path / "a.tif").array.max() == (1 << 24) - 1
