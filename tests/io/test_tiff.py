from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.tiff import read_tiff
from tests.io.made_files import phantom

GREY = phantom((20, 30), np.uint8)
RGB = phantom((20, 30, 3), np.uint8)


def read(path):
    return read_tiff(path, "name")


def without_tag(path, tag):
    """Blot out a tag of the first page: readers skip numbers that they do not know."""
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].tags[tag].offset
    raw = bytearray(path.read_bytes())
    raw[place : place + 2] = (65000).to_bytes(2, "little")
    path.write_bytes(raw)
    return path


def test_the_stack_is_opened_and_not_the_preview_before_it(tmp_path):
    stack = phantom((5, 24, 32), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY[:6, :8], photometric="minisblack", metadata=None)
        for plane in stack:
            writer.write(plane, photometric="minisblack", metadata=None)
    with pytest.warns(ReadWarning, match=r"2 images; the largest is opened \(not 6 × 8\)"):
        np.testing.assert_array_equal(read(tmp_path / "a.tif").array, stack)


def test_a_thumbnail_that_says_so_needs_no_word(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY[::4, ::4], photometric="minisblack", subfiletype=1, metadata=None)
        writer.write(GREY, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, GREY)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_channels_are_no_slices(tmp_path, kind):
    array = phantom((3, 2, 20, 30), np.uint16)
    axes = "ZCYX" if kind == "imagej" else "CZYX"
    planes = array if kind == "imagej" else array.swapaxes(0, 1)
    tifffile.imwrite(tmp_path / "a.tif", planes, **{kind: True}, photometric="minisblack", metadata={"axes": axes})
    with pytest.warns(ReadWarning, match="2 channels; the first is opened"):
        np.testing.assert_array_equal(read(tmp_path / "a.tif").array, array[:, 0])


def test_channels_alone_are_no_stack(tmp_path):
    array = phantom((4, 20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "CYX"})
    with pytest.warns(ReadWarning, match="4 channels; the first is opened"):
        np.testing.assert_array_equal(read(tmp_path / "a.tif").array, array[0])


def test_times_are_planes_with_a_word(tmp_path):
    array = phantom((4, 20, 30), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, imagej=True, metadata={"axes": "TYX"})
    with pytest.warns(ReadWarning, match="times, not slices"):
        np.testing.assert_array_equal(read(tmp_path / "a.tif").array, array)


def test_a_file_that_does_not_say_what_its_values_mean_is_not_inverted(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read(without_tag(tmp_path / "a.tif", 262)).array, GREY)
    tifffile.imwrite(tmp_path / "b.tif", RGB, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(read(without_tag(tmp_path / "b.tif", 262)).array, RGB)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_inks_become_colours_with_a_word(tmp_path, dtype):
    cmyk = np.asarray(PIL.Image.fromarray(RGB).convert("CMYK")).astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    tifffile.imwrite(tmp_path / "a.tif", cmyk, photometric="separated", metadata=None)
    with pytest.warns(ReadWarning, match="CMYK"):
        image = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.array // dtype(257 if dtype == np.uint16 else 1), RGB)
    tifffile.imwrite(tmp_path / "b.tif", cmyk, photometric="rgb", metadata=None, extrasamples=["unassalpha"])
    with pytest.raises(UnsupportedFormatError, match="four values"):
        read(without_tag(tmp_path / "b.tif", 262))


def test_luminance_and_chrominance_become_colours(tmp_path):
    ybr = np.asarray(PIL.Image.fromarray(RGB).convert("YCbCr"))
    tags = [(530, "H", 2, (1, 1), True)]
    tifffile.imwrite(tmp_path / "a.tif", ybr, photometric="ycbcr", metadata=None, extratags=tags)
    assert np.abs(read(tmp_path / "a.tif").array.astype(int) - RGB).max() <= 2


@pytest.mark.parametrize(("dtype", "told"), [(np.uint16, False), (np.int16, True), (np.float32, True)])
def test_white_that_is_zero(tmp_path, dtype, told, recwarn):
    array = phantom((20, 30), dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite", metadata=None)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, array if told else 65535 - array)
    assert len(recwarn) == told


@pytest.mark.parametrize("packing", ["zstd", "lzma", "jpegxl", "packints"])
def test_rare_packings(tmp_path, packing):
    pytest.importorskip("imagecodecs")
    array = phantom((20, 30), np.uint16)
    how = {"bitspersample": 12} if packing == "packints" else {"compression": packing}
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", **how)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, array)


def test_a_packing_without_a_decoder_is_named(tmp_path, monkeypatch):
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="minisblack", compression="zstd")

    def fail(*_):
        raise ValueError("<COMPRESSION.ZSTD: 50000> requires the 'imagecodecs' package")

    monkeypatch.setattr("tifffile.TiffPageSeries.asarray", fail)
    with pytest.raises(UnsupportedFormatError, match=r"packed as ZSTD\. Install .* 'napari-s3net\[tiff\]'"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("error", [NotImplementedError("unpacking 12-bit integers"), ImportError("no compression")])
def test_a_depth_without_a_decoder_is_named(tmp_path, monkeypatch, error):
    pytest.importorskip("imagecodecs")
    tifffile.imwrite(tmp_path / "a.tif", phantom((20, 30), np.uint16), photometric="minisblack", bitspersample=12)
    monkeypatch.setattr("tifffile.TiffPageSeries.asarray", lambda *_: (_ for _ in ()).throw(error))
    with pytest.raises(UnsupportedFormatError, match="packed as NONE, 12 bits a value"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_colours_that_another_decoder_would_convert_by_itself_are_refused(tmp_path, monkeypatch, mode):
    PIL.Image.fromarray(RGB).convert(mode).save(tmp_path / "a.tif", compression="tiff_lzw")

    def fail(*_):
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr("tifffile.TiffPageSeries.asarray", fail)
    with pytest.raises(UnsupportedFormatError, match="packed as LZW"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_few_bits_are_spread_over_all_of_a_byte(tmp_path, bits):
    pytest.importorskip("imagecodecs")
    array = GREY % (1 << bits)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack", bitspersample=bits)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, np.rint(array * (255 / ((1 << bits) - 1))))


@pytest.mark.parametrize("name", ["../b.ome.tif", "/etc/b.ome.tif", "c:\\\\b.ome.tif", "..&#47;b.ome.tif"])
def test_planes_outside_the_folder_are_not_opened(tmp_path, name):
    folder = tmp_path / "inner"
    folder.mkdir()
    tifffile.imwrite(tmp_path / "b.ome.tif", GREY, photometric="minisblack")
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeZ="2" SizeC="1" SizeT="1">'
        f'<TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData>'
        "</Pixels></Image></OME>"
    )
    tifffile.imwrite(folder / "a.ome.tif", GREY, photometric="minisblack", description=xml, metadata=None)
    with pytest.raises(ReadError, match="outside its own folder"):
        read(folder / "a.ome.tif")


def test_a_small_file_does_not_promise_gigabytes(tmp_path):
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint8" SizeX="30" SizeY="20" SizeZ="9000000" SizeC="1" SizeT="1">'
        '<TiffData FirstZ="0" IFD="0" PlaneCount="1"/></Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, photometric="minisblack", description=xml, metadata=None)
    with pytest.raises(ReadError, match=r"(the|its) header (promises|claims)"):
        read(tmp_path / "a.ome.tif")


def test_pages_that_are_promised_and_not_there_are_refused_and_not_zero(tmp_path):
    pixels = '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="{}" SizeC="1" '
    text = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">{pixels}SizeT="1">'
    text += '<TiffData FirstZ="0" IFD="0" PlaneCount="3"/></Pixels></Image></OME>'
    stack = np.arange(1800, dtype=np.uint16).reshape(3, 20, 30)
    for planes in (3, 7, 100_000):
        path = tmp_path / "a.ome.tif"
        tifffile.imwrite(path, stack, description=text.format(planes), metadata=None, photometric="minisblack")
        if planes == 3:
            np.testing.assert_array_equal(read_tiff(path, "a").array, stack)
        else:
            with pytest.raises(ReadError, match=f"promises {planes} pages, the file has 3"):
                read_tiff(path, "a")


@pytest.mark.parametrize(
    ("channels", "how", "words"),
    [
        (4, {"photometric": "rgb", "extrasamples": ["unspecified"]}, "1 of its 4 values a pixel are further channels"),
        (2, {"photometric": "minisblack", "extrasamples": ["unspecified"]}, "1 of its 2 values a pixel"),
        (3, {"photometric": "minisblack"}, "calls its 3 values a pixel grey; the first three are taken for red"),
        (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}, ""),
        (2, {"photometric": "minisblack", "extrasamples": ["unassalpha"]}, ""),
    ],
)
def test_values_of_a_pixel_that_are_left_out_are_said_unless_they_are_transparency(
    tmp_path, recwarn, channels, how, words
):
    array = np.random.default_rng(0).integers(0, 256, (12, 14, channels), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", array, planarconfig="contig", **how)
    image = read_tiff(tmp_path / "a.tif", "a")
    np.testing.assert_array_equal(image.array, array[..., 0] if channels == 2 else array[..., :3])
    said = [str(warning.message) for warning in recwarn if issubclass(warning.category, ReadWarning)]
    assert len(said) == (1 if words else 0)
    assert all(words in text for text in said)


ODD_PAGES = {
    "size": (GREY[:10], {}),
    "type": (GREY.astype(np.uint16), {}),
    "sign": ((GREY // 2).astype(np.int8), {}),
    "colours": (np.stack([GREY] * 3, axis=-1), {"photometric": "rgb"}),
    "packing": (GREY, {"compression": "zlib"}),
    "white is zero": (GREY, {"photometric": "miniswhite"}),
    "tiles": (GREY, {"tile": (16, 16)}),
    "strips": (GREY, {"rowsperstrip": 7}),
}


@pytest.mark.parametrize("at", [1, 5, 7])
@pytest.mark.parametrize("odd", ODD_PAGES)
def test_a_page_that_differs_from_many_alike_is_left_out_with_a_word(tmp_path, odd, at):
    """It was decoded as its neighbours are: a plane of noise."""
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for n in range(12):
            page, how = ODD_PAGES[odd] if n == at else (GREY + np.uint8(n), {})
            writer.write(page, **{"photometric": "minisblack", "metadata": None, **how})
    with pytest.warns(ReadWarning, match="2 images; the largest is opened"):
        array = read(tmp_path / "a.tif").array
    np.testing.assert_array_equal(array, np.stack([GREY + np.uint8(n) for n in range(12) if n != at]))


@pytest.mark.parametrize("at", [1, 5, 11])
@pytest.mark.parametrize("odd", ["orientation", "palette"])
def test_pages_of_several_orientations_or_palettes_are_refused(tmp_path, odd, at):
    palettes = [np.roll(np.arange(3 * 256, dtype=np.uint16).reshape(3, 256) * 85, n, axis=0) for n in (0, 1)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for n in range(12):
            if odd == "palette":
                how = {"photometric": "palette", "colormap": palettes[n == at]}
            else:
                how = {"photometric": "minisblack", "extratags": [(274, 3, 1, 3 if n == at else 1, True)]}
            writer.write(GREY, metadata=None, **how)
    with pytest.raises(UnsupportedFormatError, match="not all have the same orientation and palette"):
        read(tmp_path / "a.tif")


def test_of_many_images_some_are_named(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for n in range(9):
            writer.write(GREY[: 20 - n], photometric="minisblack", metadata=None)
    with pytest.warns(
        ReadWarning, match=r"9 images; the largest is opened \(not 19 × 30, 18 × 30, 17 × 30 and 5 more\)"
    ):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("pages", [1, 3, 4])
@pytest.mark.parametrize("part", [np.s_[:, 2:15, 1:25], np.s_[:, :10], np.s_[:, :, 5:20], np.s_[:, :5, :15]])
def test_a_file_that_was_cropped_and_tells_its_size_of_before_is_not_damaged(tmp_path, pages, part):
    stack = phantom((pages, 20, 30), np.uint8)
    told = f'{{"shape": [{pages}, 20, 30]}}'
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for n, plane in enumerate(stack[part]):
            writer.write(plane, photometric="minisblack", description=None if n else told, metadata=None)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").array, stack[part].squeeze())


@pytest.mark.parametrize("how", [{"tile": (16, 16)}, {"rowsperstrip": 5}, {"compression": "zlib"}])
@pytest.mark.parametrize("metadata", [{}, None])
@pytest.mark.filterwarnings("ignore:it seems to be damaged or cut off")
def test_a_file_that_was_cut_off_anywhere_opens_as_whole_pages_or_not_at_all(tmp_path, how, metadata):
    stack = np.random.default_rng(0).integers(0, 999, (4, 20, 24)).astype(np.int16)
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack", metadata=metadata, **how)
    whole = (tmp_path / "a.tif").read_bytes()
    for end in range(8, len(whole), 11):
        (tmp_path / "a.tif").write_bytes(whole[:end])
        try:
            array = read(tmp_path / "a.tif").array
        except Exception:  # noqa: BLE001, S112 - whatever it says, it is refused
            continue
        array = array if array.ndim == 3 else array[np.newaxis]
        np.testing.assert_array_equal(array, stack[: len(array)])
