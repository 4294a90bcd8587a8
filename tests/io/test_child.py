from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless

from napari_s3net.errors import ReadError, UnsupportedFormatError
from napari_s3net.io import child, tiff
from napari_s3net.io.validation.limits import reading_seconds
from napari_s3net.runtime.child_server import Caller
from tests.io.made_files import hounsfield, make_dicom, phantom, write_dicom

NAMES = ["a.png", "a.jpg", "a.bmp", "a.tif", "b.tif", "a.nii", "a.nii.gz", "a.hdr", "a.img", "a.mha", "b.mha", "a.mhd"]
NAMES += ["a.nrrd", "b.nrrd", "a.nhdr", "a.dcm", "c.nii"]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_decoded(files, name):
    image = child.decode(files / name)
    assert image.name == name[0]
    if name.endswith(("png", "jpg", "bmp")):
        assert image.kind == "rgb"
    elif name.endswith("dcm"):
        np.testing.assert_array_equal(image.array, hounsfield())
    else:
        expected = phantom()[:, ::-1, ::-1] if name == "c.nii" else phantom()
        np.testing.assert_array_equal(image.array, expected)


def test_a_folder_is_a_series(series):
    image = child.decode(series)
    assert image.shape == (4, 24, 20)
    assert image.name == "series"


def test_an_img_without_its_header(files):
    (files / "a.hdr").unlink()
    with pytest.raises(ReadError, match=r"a\.hdr should be in the same folder"):
        child.decode(files / "a.img")


def test_a_series_is_chosen_in_folders_only(files):
    with pytest.raises(ReadError, match="folder"):
        child.decode(files / "a.dcm", "1.2")


def test_an_unknown_file(tmp_path):
    (tmp_path / "a.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(UnsupportedFormatError, match="none of the formats"):
        child.decode(tmp_path / "a.png")


def request(path, **more):
    return {"task": "read", "path": str(path), "series": None, **more}


def test_the_decoder_may_take_what_the_header_promises_and_no_more(tmp_path, monkeypatch):
    array = np.zeros((300, 400), np.float64)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack")
    monkeypatch.setattr(child, "SPARE_BYTES", 32 << 20)
    asked = []
    caller = Caller()
    monkeypatch.setattr(caller, "allow", asked.append)
    read_tiff = tiff.read_tiff

    def greedy(path, name, **_):
        image = read_tiff(path, name)
        greed.append(np.ones(200 << 20, np.uint8))
        return image

    greed = []
    assert child.answer(request(tmp_path / "a.tif"), caller)[1].shape == array.shape
    assert asked == []  # a small image, which is read before an answer would be there
    monkeypatch.setattr(child, "SMALL_BYTES", 0)
    assert child.answer(request(tmp_path / "a.tif"), caller)[1].shape == array.shape
    assert asked == [reading_seconds(tmp_path / "a.tif", array.nbytes)]
    monkeypatch.setattr(tiff, "read_tiff", greedy)
    reply, _ = child.answer(request(tmp_path / "a.tif"))
    assert "than its header accounts for" in reply["reason"]
    assert not greed
    np.ones(200 << 20, np.uint8)  # the limit is gone again


def test_a_big_endian_array_is_handed_over_in_this_machine_s_order(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", phantom().astype(">i2"), byteorder=">", photometric="minisblack")
    _, array = child.answer(request(tmp_path / "a.tif"))
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, phantom())


def test_notes_are_handed_over_and_other_warnings_are_not(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(phantom((2, 4, 12, 10)), isVector=False), str(tmp_path / "a.nii"))
    reply, _ = child.answer(request(tmp_path / "a.nii"))
    assert reply["notes"] == ["it holds 2 volumes; the first is opened."]


def test_what_is_wrong_is_an_answer_too(series):
    assert child.answer(request(series / "no"))[0] == {
        "error": "ReadError",
        "reason": "the system says: No such file or directory.",
    }
    write_dicom(series / "other", hounsfield(), series="9")
    reply, array = child.answer(request(series))
    assert reply["error"] == "AmbiguousSeriesError"
    assert len(reply["series"]) == 2
    assert array is None
    listed = child.answer({"task": "list", "path": str(series)})[0]["series"]
    assert [item[:2] for item in listed] == list(reply["series"])


def test_after_an_error_of_simpleitk_the_child_is_worn(files, monkeypatch):
    raw = (files / "a.mha").read_bytes()
    (files / "a.mha").write_bytes(
        raw.replace(b"TransformMatrix = 1 0 0 0 1 0 0 0 1", b"TransformMatrix = 1 0 0 1 0 0 0 0 1")
    )
    caller, worn = Caller(), []
    monkeypatch.setattr(caller, "wear_out", lambda: worn.append(True))
    child.answer(request(files / "no.mha"), caller)
    assert not worn
    child.answer(request(files / "a.mha"), caller)
    assert worn


def test_a_child_in_which_simpleitk_has_failed_is_worn_though_another_decoder_read_the_file(tmp_path, monkeypatch):
    path = make_dicom(tmp_path / "a.dcm", hounsfield())
    dataset = dcmread(path)
    dataset.compress(JPEGLSLossless)
    dataset.save_as(path)
    caller, worn = Caller(), []
    monkeypatch.setattr(caller, "wear_out", lambda: worn.append(True))
    child.answer(request(path), caller)
    assert not worn
    monkeypatch.setattr("SimpleITK.ReadImage", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("no")))
    np.testing.assert_array_equal(child.answer(request(path), caller)[1], hounsfield())
    assert worn == [True]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "no permission"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("image file is truncated"), "damaged, or it was cut off"),
        (MemoryError(), "more memory than there is"),
        (RuntimeError("Failed to allocate memory for image"), "more memory than there is"),
        (RuntimeError("ITK only supports orthonormal direction cosines"), "right angles"),
        (RuntimeError("Size mismatch! JOHN DOE"), "not of one size"),
        (RuntimeError("Unsupported JOHN DOE"), "variant"),
        (ValueError("JOHN DOE"), "damaged"),
        (ModuleNotFoundError("No module named 'SimpleITK'", name="SimpleITK"), "installation is missing (SimpleITK)"),
    ],
)
def test_reasons_are_plain_words_that_quote_no_file(monkeypatch, files, error, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(child, "decode", fail)
    reply, _ = child.answer(request(files / "a.mha"))
    assert words in reply["reason"]
    assert "DOE" not in str(reply)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
@pytest.mark.parametrize("name", ["a.png", "b.png", "a.jpg", "a.tif", "a.nii.gz", "a.nrrd", "a.mha", "a.dcm"])
def test_a_large_image_is_held_once(tmp_path, name):
    """Decoding and handing over take the memory of one copy, or of colours in four bytes a pixel."""
    array = np.zeros((5, 4096, 4096), np.int16)
    if name.endswith(("png", "jpg")):
        PIL.Image.new("RGB" if name[0] == "a" else "I;16", (8192, 8192)).save(tmp_path / name)
    elif name.endswith("tif"):
        tifffile.imwrite(tmp_path / name, array, photometric="minisblack", compression="zlib")
    elif name.endswith("dcm"):
        make_dicom(tmp_path / name, array)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / name), useCompression=True)
    code = f"""
        import os, re
        from napari_s3net.io import child
        from napari_s3net.runtime.child_server import PipeCaller
        peak = lambda: 1024 * int(re.search("VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
        import napari_s3net.io.itk, napari_s3net.io.nifti, napari_s3net.io.tiff, napari_s3net.io.photograph
        import napari_s3net.io.dicom.series
        before = peak()
        reply, array = child.answer({request(tmp_path / name)!r})
        with open(os.devnull, "wb") as nowhere:
            PipeCaller(nowhere).reply(reply, array)
        print((peak() - before) / array.nbytes)
        """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        check=True, capture_output=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert float(done.stdout) < (1.6 if name.endswith((".jpg", "a.png")) else 1.4)
