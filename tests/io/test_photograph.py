from __future__ import annotations

import struct
import zlib

import numpy as np
import PIL.Image
import pytest
import tifffile
from PIL import ImageOps

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io import photograph
from napari_s3net.io.photograph import read_photograph
from napari_s3net.io.tiff import read_tiff
from napari_s3net.io.validation.headers import sniff

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
GREY = RGB[..., 0]
DEEP = np.random.default_rng(1).integers(0, 65536, (20, 30, 3), np.uint16)


def read(path):
    kind = sniff(path)
    return read_tiff(path, "name") if kind == "tiff" else read_photograph(path, kind, "name")


def saved(path, picture, **how):
    picture.save(path, **how)
    return read(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_colours(tmp_path, suffix):
    image = saved(tmp_path / f"a.{suffix}", PIL.Image.fromarray(RGB))
    np.testing.assert_array_equal(image.array, RGB)
    assert image.kind == "rgb"
    assert image.geometry.unit == "pixel"
    assert image.geometry.spacing == (1.0, 1.0)


def test_jpeg_is_what_any_viewer_shows(tmp_path):
    image = saved(tmp_path / "a.jpg", PIL.Image.fromarray(RGB), quality=60)
    np.testing.assert_array_equal(image.array, np.asarray(PIL.Image.open(tmp_path / "a.jpg")))


def test_inks_become_colours_with_a_word(tmp_path):
    picture = PIL.Image.fromarray(RGB).convert("CMYK")
    picture.save(tmp_path / "a.jpg", quality=95)
    with pytest.warns(ReadWarning, match="CMYK"):
        image = read(tmp_path / "a.jpg")
    np.testing.assert_array_equal(image.array, np.asarray(PIL.Image.open(tmp_path / "a.jpg").convert("RGB")))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_grey(tmp_path, suffix):
    image = saved(tmp_path / f"a.{suffix}", PIL.Image.fromarray(GREY))
    np.testing.assert_array_equal(image.array, GREY)
    assert image.kind == "grey"


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_transparency_is_left_out(tmp_path, suffix):
    rgba = PIL.Image.fromarray(np.dstack([RGB, GREY]))
    np.testing.assert_array_equal(saved(tmp_path / f"a.{suffix}", rgba).array, RGB)
    la = PIL.Image.merge("LA", [PIL.Image.fromarray(GREY), PIL.Image.fromarray(255 - GREY)])
    np.testing.assert_array_equal(saved(tmp_path / f"b.{suffix}", la).array, GREY)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_a_palette_becomes_colours(tmp_path, suffix):
    picture = PIL.Image.fromarray(RGB).quantize(17)
    image = saved(tmp_path / f"a.{suffix}", picture)
    np.testing.assert_array_equal(image.array, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_black_and_white_is_0_and_255(tmp_path, suffix):
    image = saved(tmp_path / f"a.{suffix}", PIL.Image.fromarray(GREY > 99))
    np.testing.assert_array_equal(image.array, (GREY > 99) * np.uint8(255))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_of_grey(tmp_path, suffix):
    image = saved(tmp_path / f"a.{suffix}", PIL.Image.fromarray(DEEP[..., 0]))
    np.testing.assert_array_equal(image.array, DEEP[..., 0])
    assert image.array.dtype == np.uint16


def write_deep_png(path, array):
    """A PNG of 16 bits a value: colour type 2, 4 or 6 by the number of channels."""
    kind = {2: 4, 3: 2, 4: 6}[array.shape[2]]

    write_png(path, array.shape, 16, kind, b"".join(b"\0" + row.astype(">u2").tobytes() for row in array))


def write_png(path, shape, depth, kind, rows, *, interlaced=0, packed=False):
    """A PNG of rows, each behind the byte that names its filter."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">2I5B", shape[1], shape[0], depth, kind, 0, 0, interlaced)
    parts = (b"IHDR", head), (b"IDAT", rows if packed else zlib.compress(rows)), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bits_of_colour_are_kept_in_png(tmp_path, channels):
    write_deep_png(tmp_path / "a.png", DEEP[..., [0, 1, 2, 0][:channels]])
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, DEEP)


@pytest.mark.parametrize(("name", "body"), [(b"sBIT", bytes([12, 12, 12])), (b"gAMA", struct.pack(">I", 100_000))])
def test_sixteen_bits_of_colour_are_as_stored_whatever_other_chunks_say(tmp_path, name, body):
    write_deep_png(tmp_path / "a.png", DEEP)
    plain = (tmp_path / "a.png").read_bytes()
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    (tmp_path / "a.png").write_bytes(plain[:33] + chunk + plain[33:])
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, DEEP)


@pytest.mark.parametrize(("marker", "bits"), [(0xC3, 8), (0xF7, 8), (0xC1, 12)])
def test_a_jpeg_of_a_rare_kind_is_refused_as_what_it_is(tmp_path, marker, bits):
    PIL.Image.fromarray(GREY).save(tmp_path / "a.jpg", comment="no marker: \xff")
    content = (tmp_path / "a.jpg").read_bytes()
    place = content.find(b"\xff\xc0")
    changed = bytes([0xFF, 0xFF, marker]) + content[place + 2 : place + 4] + bytes([bits])
    (tmp_path / "a.jpg").write_bytes(content[:place] + changed + content[place + 5 :])
    with pytest.raises(UnsupportedFormatError, match="it is a JPEG without loss"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bits_of_colour_are_upright_too(tmp_path, orientation):
    exif = PIL.Image.Exif()
    exif[274] = orientation
    write_png(tmp_path / "a.png", DEEP.shape, 16, 2, b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP))
    plain = (tmp_path / "a.png").read_bytes()
    note = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(note)) + b"eXIf" + note + struct.pack(">I", zlib.crc32(b"eXIf" + note))
    (tmp_path / "a.png").write_bytes(plain[:33] + chunk + plain[33:])
    eight = PIL.Image.fromarray((DEEP >> 8).astype(np.uint8))
    eight.save(tmp_path / "b.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "a.png").array >> 8, read(tmp_path / "b.png").array)


def test_sixteen_bits_of_colour_are_kept_in_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DEEP, photometric="rgb")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, DEEP)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_a_photograph_is_upright(tmp_path, suffix, orientation):
    path = tmp_path / f"a.{suffix}"
    smooth = PIL.Image.fromarray(np.add.outer(np.arange(20) * 8, np.arange(30) * 3).astype(np.uint8)).convert("RGB")
    if suffix == "tif":
        tags = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(path, np.asarray(smooth), photometric="rgb", extratags=tags)
    else:
        exif = PIL.Image.Exif()
        exif[274] = orientation
        smooth.save(path, exif=exif)
    with PIL.Image.open(path) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture))
    assert upright.shape == ((20, 30, 3) if orientation < 5 else (30, 20, 3))
    np.testing.assert_array_equal(read(path).array, upright)


def test_a_stack_is_turned_plane_by_plane(tmp_path):
    stack = np.stack([GREY, 255 - GREY])
    tags = [(274, "H", 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", metadata=None, extratags=tags)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, np.rot90(stack, -1, (1, 2)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_is_no_reason_to_refuse_a_photograph(tmp_path):
    PIL.Image.fromarray(RGB).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\xff" * 40)
    assert read(tmp_path / "a.jpg").shape == (20, 30)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
@pytest.mark.parametrize(
    "how", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"byteorder": ">"}, {"bigtiff": True}]
)
def test_tiff_keeps_every_type(tmp_path, dtype, how):
    array = (np.random.default_rng(2).normal(size=(40, 50)) * 40).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", **how)
    image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array, array)
    assert image.array.dtype == np.dtype(dtype)


def test_half_floats_become_floats(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.float16))
    assert read(tmp_path / "a.tif").array.dtype == np.float32


def test_white_may_be_zero(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", 255 - GREY, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, GREY)


def test_hounsfield_units_in_a_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.int16) * 8 - 1000)
    assert read(tmp_path / "a.tif").kind == "ct"


@pytest.mark.parametrize("imagej", [False, True])
def test_pages_are_a_stack(tmp_path, imagej):
    stack = np.stack([GREY, GREY + 1, GREY + 2])
    axes = {"axes": "ZYX"} if imagej else None
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=imagej, photometric="minisblack", metadata=axes)
    image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array, stack)
    assert image.is_stack


def test_coloured_pages_and_planes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([RGB, 255 - RGB]), photometric="rgb")
    image = read(tmp_path / "a.tif")
    assert image.kind == "rgb"
    np.testing.assert_array_equal(image.array, np.stack([RGB, 255 - RGB]))
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read(tmp_path / "b.tif").array, RGB)


def test_of_times_and_channels_the_first_is_opened_and_said(tmp_path):
    array = np.arange(2 * 3 * 4 * 20 * 30, dtype=np.uint16).reshape(2, 3, 4, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "TZCYX"})
    with pytest.warns(ReadWarning) as said:
        image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array, array[0, :, 0])
    assert {str(w.message) for w in said} == {
        "it holds 2 times; the first is opened.",
        "it holds 4 channels; the first is opened.",
    }


def test_the_finest_level_of_a_pyramid_is_opened(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY, subifds=1, photometric="minisblack")
        writer.write(GREY[::2, ::2], subfiletype=1, photometric="minisblack")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, GREY)


@pytest.mark.parametrize("how", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_packings_that_need_libtiff(tmp_path, how):
    image = saved(tmp_path / "a.tif", PIL.Image.fromarray(RGB), compression=how)
    np.testing.assert_array_equal(image.array, np.asarray(PIL.Image.open(tmp_path / "a.tif").convert("RGB")))
    image = saved(tmp_path / "b.tif", PIL.Image.fromarray(GREY), compression=how)
    np.testing.assert_array_equal(image.array, np.asarray(PIL.Image.open(tmp_path / "b.tif")))


def test_a_packing_that_would_lose_bits_is_refused(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", DEEP[..., 0])
    monkeypatch.setattr(
        "tifffile.TiffPageSeries.asarray",
        lambda *_: (_ for _ in ()).throw(ValueError("requires the 'imagecodecs' package")),
    )
    monkeypatch.setattr("napari_s3net.io.itk.decode_pixels", lambda *_: np.zeros((20, 30, 4), np.uint8))
    with pytest.raises(UnsupportedFormatError, match="packed as"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("array", "how", "words"),
    [
        (np.zeros((20, 30, 5), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}, "5 values a pixel"),
        (np.zeros((20, 30), np.complex64), {}, "complex"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, array, how, words):
    tifffile.imwrite(tmp_path / "a.tif", array, **how)
    with pytest.raises(UnsupportedFormatError, match=words):
        read(tmp_path / "a.tif")


def test_a_16_bit_grey_png_with_transparency_is_refused_rather_than_cut_to_8(tmp_path):
    write_deep_png(tmp_path / "a.png", DEEP[..., :2])
    with pytest.raises(UnsupportedFormatError, match="16-bit grey PNG with transparency"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_more_than_the_memory_is_refused(tmp_path, monkeypatch, suffix):
    PIL.Image.fromarray(RGB).save(tmp_path / f"a.{suffix}")
    monkeypatch.setattr("napari_s3net.io.validation.limits.physical_memory", lambda: 1000)
    with pytest.raises(ReadError, match="20 × 30 × 3 values"):
        read(tmp_path / f"a.{suffix}")


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_photograph_that_was_cut_off_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(np.tile(RGB, (8, 8, 1))).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises((OSError, ValueError, SyntaxError, ReadError)):
        read(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P"])
def test_large_pictures_are_converted_band_by_band(tmp_path, monkeypatch, mode):
    picture = PIL.Image.fromarray(RGB).convert(mode)
    whole = saved(tmp_path / "a.png", picture).array
    monkeypatch.setattr(photograph, "_BAND_PIXELS", 210)
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, whole)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_a_header_that_promises_more_than_the_file_can_hold_is_refused_before_memory_is_taken(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    PIL.Image.fromarray(RGB).save(path)
    content = bytearray(path.read_bytes())
    place, order = {"png": (16, ">2I"), "jpg": (content.find(b"\xff\xc0") + 5, ">2H"), "bmp": (18, "<2i")}[suffix]
    struct.pack_into(order, content, place, 30_000, 30_000)
    if suffix == "png":
        struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"header promises \d+\.?\d* [GM]B, the file has \d+ (kB|bytes)"):
        read(path)


def test_missing_pages_are_said(tmp_path):
    stack = np.random.default_rng(0).integers(0, 65535, (4, 100, 100), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True)
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.warns(ReadWarning, match="pages may be missing"):
        read(tmp_path / "a.tif")


def test_an_animation_opens_as_its_first_picture(tmp_path):
    first = PIL.Image.fromarray(RGB)
    with pytest.warns(ReadWarning, match="an animation; its first picture is opened"):
        image = saved(tmp_path / "a.png", first, save_all=True, append_images=[PIL.Image.fromarray(255 - RGB)])
    np.testing.assert_array_equal(image.array, RGB)


def test_an_interlaced_png_is_whole(tmp_path):
    """Its rows come in seven passes (Adam7), each packed as a smaller picture."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [RGB[top::down, left::right] for top, left, down, right in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
    write_png(tmp_path / "a.png", RGB.shape, 8, 2, rows, interlaced=1)
    np.testing.assert_array_equal(read(tmp_path / "a.png").array, RGB)


def test_a_large_blank_picture_is_refused_with_both_sizes(tmp_path):
    """It would take gigabytes, and a file of a megabyte is not to do that."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(40_001)) for _ in range(40_000)) + packer.flush()
    write_png(tmp_path / "a.png", (40_000, 40_000), 8, 0, rows, packed=True)
    with pytest.raises(
        ReadError, match=r"its \d MB takes 1\.6 GB of memory, and nearly all of its pixels must be blank"
    ):
        read(tmp_path / "a.png")
