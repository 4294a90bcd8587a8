from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import PIL.Image
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import encapsulate

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.dicom import pixels
from napari_s3net.io.dicom.header import read_header
from napari_s3net.io.dicom.pixels import decode_frames
from tests.io.made_files import make_dicom, phantom

RGB = phantom((24, 20, 3), np.uint8)


def decoded(path):
    return decode_frames(read_header(path))


def packed(path, syntax):
    """The same file, packed."""
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4"])
def test_plain_pixels_in_either_order_of_bytes(tmp_path, syntax, dtype):
    array = phantom((3, 24, 20), dtype)
    np.testing.assert_array_equal(decoded(make_dicom(tmp_path / "a", array, syntax=syntax)), array)


def test_bytes_that_are_written_as_words(tmp_path):
    array = phantom((24, 20), np.uint8)
    path = make_dicom(tmp_path / "a", array, syntax=uid.ExplicitVRBigEndian)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = array.view(">u2").astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path)
    np.testing.assert_array_equal(decoded(path)[0], array)


def test_deflated(tmp_path):
    array = phantom((24, 20))
    path = make_dicom(tmp_path / "a", array, syntax=uid.DeflatedExplicitVRLittleEndian)
    np.testing.assert_array_equal(decoded(path), array[np.newaxis])


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2"])
@pytest.mark.parametrize("frames", [1, 3])
def test_run_lengths(tmp_path, dtype, frames):
    array = phantom((frames, 24, 20), dtype)
    path = packed(make_dicom(tmp_path / "a", array), uid.RLELossless)
    np.testing.assert_array_equal(decoded(path), array)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("frames", [1, 2])
def test_run_lengths_of_colours(tmp_path, dtype, frames):
    array = phantom((frames, 24, 20, 3), dtype) * np.dtype(dtype).type(257 if dtype != "u1" else 1)
    path = packed(make_dicom(tmp_path / "a", array), uid.RLELossless)
    np.testing.assert_array_equal(decoded(path), array)


@pytest.mark.parametrize("name", ["JPEG2000Lossless", "JPEGLSLossless"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_packings_without_loss(tmp_path, name, dtype):
    pytest.importorskip("openjpeg" if "2000" in name else "jpeg_ls")
    array = phantom((2, 64, 48), dtype) - np.dtype(dtype).type(100 * (dtype == "i2"))
    path = make_dicom(tmp_path / "a", array)
    np.testing.assert_array_equal(decoded(packed(path, getattr(uid, name))), array)


def test_a_frame_in_several_fragments(tmp_path):
    pytest.importorskip("jpeg_ls")
    array = phantom((2, 24, 20), np.uint16)
    path = packed(make_dicom(tmp_path / "a", array), uid.JPEGLSLossless)
    dataset = pydicom.dcmread(path)
    frames = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=2))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=3)
    dataset.save_as(path)
    np.testing.assert_array_equal(decoded(path), array)


@pytest.mark.parametrize("share", [0.14, 0.99])
@pytest.mark.parametrize("syntax", [None, uid.ImplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian])
def test_fewer_pixels_than_promised_are_refused(tmp_path, share, syntax):
    array = phantom((96, 96))
    content = array.tobytes()[: int(share * array.nbytes) // 2 * 2]
    path = make_dicom(tmp_path / "a", array, PixelData=content, syntax=syntax)
    with pytest.raises(ReadError, match="promises 18"):
        decoded(path)


def test_run_lengths_that_cannot_hold_so_many_pixels_are_refused_before_memory_is_taken(tmp_path, monkeypatch):
    path = packed(make_dicom(tmp_path / "a", phantom((24, 20), np.uint8)), uid.RLELossless)
    dataset = pydicom.dcmread(path)
    dataset.Rows = dataset.Columns = 20_000
    dataset.save_as(path)
    monkeypatch.setattr(pixels, "_by_pydicom", lambda *_: pytest.fail("a decoder was asked"))
    with pytest.raises(ReadError, match="promises 400 MB, the file has"):
        decoded(path)


def test_packed_pixels_of_another_size_are_refused(tmp_path):
    path = packed(make_dicom(tmp_path / "a", phantom((24, 20), np.uint8)), uid.RLELossless)
    dataset = pydicom.dcmread(path)
    dataset.NumberOfFrames = 3
    dataset.save_as(path)
    with pytest.raises(ReadError, match="promises 3 frames, the file has 1"):
        decoded(path)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLSLossless])
@pytest.mark.parametrize("together", [1, 2])
def test_the_frames_of_a_large_file_are_decoded_in_groups(tmp_path, monkeypatch, syntax, together):
    array = phantom((5, 24, 20), np.uint16)
    path = packed(make_dicom(tmp_path / "a", array), syntax)
    monkeypatch.setattr(pixels, "LARGE", together * array[0].nbytes)
    np.testing.assert_array_equal(decoded(path), array)


def test_what_comes_is_held_against_the_promise(tmp_path, monkeypatch):
    path = packed(make_dicom(tmp_path / "a", phantom((24, 20), np.uint8)), uid.JPEGLSLossless)
    monkeypatch.setattr(pixels, "_by_gdcm", lambda *_: np.zeros((24, 19), np.uint8))
    with pytest.raises(ReadError, match="promises 1 × 24 × 20 values, its packed pixels hold 1 × 24 × 19"):
        decoded(path)


def test_bits_that_are_not_stored_are_no_pixels(tmp_path):
    array = phantom((24, 20), np.uint16)
    path = make_dicom(tmp_path / "a", array | np.uint16(0xF000), BitsStored=12, HighBit=11)
    with pytest.warns(ReadWarning, match="more than the 12 bits that its header tells"):
        np.testing.assert_array_equal(decoded(path)[0], array)
    dataset = pydicom.dcmread(path)
    dataset.add_new(0x60000102, "US", 12)  # a drawing is kept there
    dataset.save_as(path)
    np.testing.assert_array_equal(decoded(path)[0], array)
    signed = make_dicom(tmp_path / "b", (array - 90 & 0x0FFF).astype(np.int16), BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(decoded(signed)[0], array.astype(np.int16) - 90)
    high = make_dicom(tmp_path / "c", array << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(decoded(high)[0], array)


@pytest.mark.parametrize(
    ("dtype", "odd"), [(np.uint16, 4096), (np.uint16, 65535), (np.int16, 4096), (np.int16, -32768)]
)
def test_numbers_of_more_bits_than_the_header_tells_are_said(tmp_path, dtype, odd):
    array = phantom((24, 20), dtype)
    assert decoded(make_dicom(tmp_path / "a", array, BitsStored=12, HighBit=11)).max() == array.max()
    array[3, 4] = odd
    with pytest.warns(ReadWarning, match="more than the 12 bits that its header tells"):
        decoded(make_dicom(tmp_path / "a", array, BitsStored=12, HighBit=11))


def test_a_header_that_stores_no_bits_is_refused(tmp_path):
    with pytest.raises(ReadError, match="of the 16 bits of each value it stores 0"):
        decoded(make_dicom(tmp_path / "a", phantom((24, 20), np.uint16), BitsStored=0, HighBit=0))


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_in_planes_or_not(tmp_path, planar):
    content = (np.moveaxis(RGB, -1, 0) if planar else RGB).tobytes()
    path = make_dicom(tmp_path / "a", RGB, PlanarConfiguration=planar, PixelData=content)
    np.testing.assert_array_equal(decoded(path)[0], RGB)


def test_luminance_and_chrominance_become_colours(tmp_path):
    from PIL import Image

    ybr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    path = make_dicom(tmp_path / "a", ybr, PhotometricInterpretation="YBR_FULL")
    assert np.abs(decoded(path)[0].astype(int) - RGB).max() <= 2


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_becomes_colours(tmp_path, bits):
    table = (np.arange(256) * (257 if bits == 16 else 1)).astype(f"u{bits // 8}")
    reversed_table, zeros = table[::-1].copy(), np.zeros_like(table)
    elements = {}
    for name, values in (("Red", table), ("Green", reversed_table), ("Blue", zeros)):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        elements[f"{name}PaletteColorLookupTableData"] = values.tobytes()
    array = phantom((24, 20), np.uint8)
    path = make_dicom(tmp_path / "a", array, PhotometricInterpretation="PALETTE COLOR", **elements)
    np.testing.assert_array_equal(decoded(path)[0], np.stack([array, 255 - array, array * 0], axis=-1))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("n", "first"), [(256, 0), (100, 50)])
def test_eight_bits_in_sixteen_are_eight_whatever_the_palette_says(tmp_path, bits, n, first):
    """They were black."""
    array = phantom((24, 20), np.uint8)
    table = np.arange(n, dtype="<u2") + 100 * (n < 256)
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name in ("Red", "Green", "Blue"):
        elements[f"{name}PaletteColorLookupTableDescriptor"] = [n, first, bits]
        elements[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    expected = table[np.clip(array.astype(int) - first, 0, n - 1)]
    np.testing.assert_array_equal(decoded(make_dicom(tmp_path / "a", array, **elements))[0, ..., 1], expected)


def test_a_packing_that_nothing_here_knows_says_what_to_install(tmp_path, monkeypatch):
    path = packed(make_dicom(tmp_path / "a", phantom((24, 20), np.uint8)), uid.RLELossless)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = uid.HTJ2KLossless
    dataset.save_as(path)
    monkeypatch.setattr(pixels, "_can_decode", lambda _: False)
    with pytest.raises(UnsupportedFormatError, match=r"High-Throughput JPEG 2000.*napari-s3net\[dicom\]"):
        decoded(path)


def test_floats(tmp_path):
    array = phantom((24, 20), np.uint32).astype(np.float32) / 7
    path = make_dicom(tmp_path / "a", array, BitsStored=None, HighBit=None, PixelRepresentation=None)
    dataset = pydicom.dcmread(path)
    dataset.FloatPixelData = dataset.PixelData
    del dataset.PixelData
    dataset.save_as(path)
    np.testing.assert_array_equal(decoded(path)[0], array)


@pytest.mark.parametrize("name", ["RLELossless", "JPEGLSLossless"])
def test_luminance_and_chrominance_in_packings_without_loss(tmp_path, name):
    from PIL import Image

    ybr = np.asarray(Image.fromarray(np.tile(RGB, (3, 3, 1))).convert("YCbCr"))
    path = packed(make_dicom(tmp_path / "a", ybr, PhotometricInterpretation="YBR_FULL"), getattr(uid, name))
    assert np.abs(decoded(path)[0].astype(int) - np.tile(RGB, (3, 3, 1))).max() <= 2


@pytest.mark.parametrize(("samples", "photometric"), [(4, "ARGB"), (3, "HSV"), (3, "YBR_PARTIAL_422"), (2, "RGB")])
def test_colours_that_are_not_read_are_named(tmp_path, samples, photometric):
    path = make_dicom(tmp_path / "a", RGB, PhotometricInterpretation=photometric, SamplesPerPixel=samples)
    with pytest.raises(UnsupportedFormatError, match=rf"its colours \({photometric}, {samples} values"):
        decoded(path)


@pytest.mark.parametrize("pack", [False, True])
def test_more_frames_than_promised_are_said(tmp_path, pack):
    array = phantom((3, 24, 20), np.uint8)
    path = make_dicom(tmp_path / "a", array)
    path = packed(path, uid.RLELossless) if pack else path
    dataset = pydicom.dcmread(path)
    del dataset.NumberOfFrames
    dataset.save_as(path)
    with pytest.warns(ReadWarning, match="holds 3 frames, and its header promises 1"):
        np.testing.assert_array_equal(decoded(path)[0], array[0])


def test_a_few_packed_bytes_do_not_promise_gigabytes(tmp_path):
    path = packed(make_dicom(tmp_path / "a", phantom((24, 20), np.uint16)), uid.RLELossless)
    dataset = pydicom.dcmread(path)
    dataset.Rows = dataset.Columns = 20_000
    dataset.save_as(path)
    with pytest.raises(ReadError, match=r"the header promises 800 MB, the file has \d+ bytes"):
        decoded(path)


@pytest.mark.parametrize(("name", "marker"), [("JPEG2000Lossless", b"\xff\x51"), ("JPEGLSLossless", b"\xff\xf7")])
def test_a_frame_that_claims_another_size_is_refused_before_it_is_unpacked(tmp_path, name, marker):
    pytest.importorskip("openjpeg" if "2000" in name else "jpeg_ls")
    path = packed(make_dicom(tmp_path / "a", phantom((64, 48))), getattr(uid, name))
    dataset = pydicom.dcmread(path)
    raw = bytearray(dataset.PixelData)
    place = raw.find(marker)
    if "2000" in name:
        struct.pack_into(">2I", raw, place + 6, 50_000, 60_000)
    else:
        struct.pack_into(">2H", raw, place + 5, 60_000, 50_000)
    dataset.PixelData = bytes(raw)
    dataset.save_as(path)
    with pytest.raises(ReadError, match="promises 64 × 48 values, its packed pixels hold 60000 × 50000"):
        decoded(path)


def without(frame, *markers):
    """A JPEG without some of the segments at its beginning."""
    kept, place = frame[:2], 2
    while frame[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
        kept += b"" if frame[place + 1] in markers else frame[place:end]
        place = end
    return kept + frame[place:]


@pytest.mark.parametrize("named", ["RGB", "YBR_FULL", "YBR_FULL_422", None])
@pytest.mark.parametrize(
    ("encoder", "dropped", "told"),
    [
        ({"subsampling": 0}, (), "luminance and chrominance"),
        ({"subsampling": 2}, (0xE0,), "luminance and chrominance"),
        ({"keep_rgb": True}, (), "red, green and blue"),
        ({"keep_rgb": True}, (0xEE,), "red, green and blue"),
        ({"subsampling": 0}, (0xE0,), ""),
    ],
)
def test_the_colours_of_a_jpeg_are_what_it_says_itself(tmp_path, encoder, dropped, told, named):
    ramp = np.linspace(0, 255, 48).astype(np.uint8)
    rgb = np.stack(np.broadcast_arrays(ramp, ramp[:32, None], ramp[::-1]), axis=-1)
    stream = io.BytesIO()
    PIL.Image.fromarray(rgb).save(stream, "JPEG", quality=95, **encoder)
    content = encapsulate([without(stream.getvalue(), *dropped)])
    path = make_dicom(tmp_path / "a", rgb, PhotometricInterpretation=named, PixelData=content)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    contradicts = bool(named and told) and (named == "RGB") == told.startswith("luminance")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        array = decoded(path)[0].astype(int)
    assert [told in str(warning.message) for warning in caught] == [True] * contradicts
    follows = bool(told) or (named or "RGB").startswith("YBR")  # where nothing tells, the header does
    assert (np.abs(array - rgb).max() <= 24) == follows


@pytest.mark.parametrize("name", ["JPEGBaseline8Bit", "JPEGLSLossless"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_packed_frame_that_is_cut_off_is_refused_and_not_filled_up(tmp_path, name, share):
    array = np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    path = make_dicom(tmp_path / "a", array)
    dataset = pydicom.dcmread(path)
    if name.startswith("JPEGBase"):
        stream = io.BytesIO()
        PIL.Image.fromarray(array).save(stream, "JPEG")
        frame = stream.getvalue()
    else:
        pytest.importorskip("openjpeg" if "2000" in name else "jpeg_ls")
        dataset.compress(getattr(uid, name))
        frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.file_meta.TransferSyntaxUID = getattr(uid, name)
    for end, is_whole in ((len(frame), True), (int(share * len(frame)) // 2 * 2, False)):
        dataset.PixelData = encapsulate([frame[:end]])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.save_as(path)
        if is_whole:
            assert decoded(path).shape == (1, 64, 48)
        else:
            with pytest.raises(ReadError, match="end too early"):
                decoded(path)


def test_frames_of_a_blank_film_have_to_hold_a_plausible_share(tmp_path, monkeypatch):
    pytest.importorskip("jpeg_ls")
    path = packed(make_dicom(tmp_path / "a", np.zeros((2, 640, 480), np.uint8)), uid.JPEGLSLossless)
    assert decoded(path).shape == (2, 640, 480)
    monkeypatch.setattr(pixels, "LARGE", 1 << 16)
    with pytest.raises(ReadError, match="promises 614 kB, the file has"):
        decoded(path)
