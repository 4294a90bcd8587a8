from __future__ import annotations

import bz2
import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from napari_s3net.errors import ReadError, ReadWarning, UnsupportedFormatError
from napari_s3net.io.meta_nrrd import read_meta_or_nrrd, read_meta_or_nrrd_series, to_image
from napari_s3net.io.validation import limits
from tests.io.made_files import hounsfield, phantom, volume

FORMATS = {"mha": "meta", "nrrd": "nrrd"}


def written(path, array, **how):
    sitk.WriteImage(volume(array, **how), str(path))
    return read_meta_or_nrrd(path, FORMATS[path.name.rsplit(".", 1)[-1]], "name")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_values_and_geometry(tmp_path, suffix, dtype):
    image = written(tmp_path / f"a.{suffix}", phantom(dtype=dtype))
    np.testing.assert_array_equal(image.array, phantom(dtype=dtype))
    assert image.array.dtype == dtype
    assert image.kind == "grey"
    assert image.name == "name"
    np.testing.assert_allclose(image.geometry.spacing, (4.0, 2.0, 1.5))
    np.testing.assert_allclose(image.geometry.origin, (23.0, 11.0, -7.0))


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_upside_down_volume_is_turned(tmp_path, suffix):
    image = written(tmp_path / f"a.{suffix}", phantom(), direction=np.diag([-1, 1, -1]))
    np.testing.assert_array_equal(image.array, phantom()[::-1, :, ::-1])
    assert image.geometry.orientation == "RPI"


def test_hounsfield_units_are_told_by_their_air(tmp_path):
    assert written(tmp_path / "a.mha", np.stack([hounsfield(i) for i in range(3)])).kind == "ct"


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_keep_three(tmp_path, channels, dtype):
    array = phantom((4, 12, 10, channels), dtype)
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=True), str(tmp_path / "a.nrrd"))
    image = read_meta_or_nrrd(tmp_path / "a.nrrd", "nrrd", "a")
    assert image.kind == "rgb"
    np.testing.assert_array_equal(image.array, array[..., :3])


@pytest.mark.parametrize("shape", [(3, 4, 12, 10), (2, 3, 4, 12, 10)])
def test_of_several_volumes_the_first_is_opened_and_said(tmp_path, shape):
    path = tmp_path / "a.mha"
    sitk.WriteImage(sitk.GetImageFromArray(phantom(shape), isVector=False), str(path))
    n = int(np.prod(shape[:-3]))
    with pytest.warns(ReadWarning, match=f"{n} volumes; the first is opened"):
        image = read_meta_or_nrrd(path, "meta", "a")
    np.testing.assert_array_equal(image.array, phantom(shape).reshape(-1, 4, 12, 10)[0])


@pytest.mark.parametrize(("file", "shape"), [("a.mha", (3, 4, 12, 10)), ("a.nrrd", (2, 3, 4, 12, 10))])
@pytest.mark.parametrize("direction", [np.eye(3), [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]])
def test_one_of_several_volumes_is_chosen_or_all_are_opened(tmp_path, file, shape, direction):
    path, kind = tmp_path / file, "meta" if file == "a.mha" else "nrrd"
    volumes = phantom(shape, np.int16)
    volumes = volumes + np.arange(np.prod(shape[:-3])).reshape(*shape[:-3], 1, 1, 1).astype(np.int16)
    image = sitk.GetImageFromArray(volumes, isVector=False)
    axes = np.eye(len(shape))
    axes[:3, :3] = direction
    image.SetDirection(axes.ravel())
    image.SetSpacing([1.5, 2.0, 4.0, *(1.0 for _ in shape[3:])])
    sitk.WriteImage(image, str(path), useCompression=True)
    first, series = read_meta_or_nrrd_series(path, kind, "a")
    assert first.times == len(series) == np.prod(shape[:-3])
    for time, values in enumerate(volumes.reshape(-1, *shape[-3:])):
        one = read_meta_or_nrrd(path, kind, "a", time)
        assert (one.geometry, one.times) == (first.geometry, first.times)
        np.testing.assert_array_equal(one.array, series[time])
        alone = sitk.GetImageFromArray(values)
        alone.SetDirection(np.ravel(direction).astype(float))
        alone.SetSpacing([1.5, 2.0, 4.0])
        sitk.WriteImage(alone, str(tmp_path / f"alone.{file}"))
        expected = read_meta_or_nrrd(tmp_path / f"alone.{file}", kind, "a")
        np.testing.assert_array_equal(one.array, expected.array)
        assert one.geometry == expected.geometry
    with pytest.raises(ReadError, match="no volume 99: it holds"):
        read_meta_or_nrrd(path, kind, "a", 99)


def test_a_series_in_colours_and_one_volume_alone(tmp_path):
    colours = phantom((2, 4, 12, 10, 3), np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(tmp_path / "a.mha"))
    first, series = read_meta_or_nrrd_series(tmp_path / "a.mha", "meta", "a")
    assert first.kind == "rgb"
    np.testing.assert_array_equal(series, colours)
    sitk.WriteImage(sitk.GetImageFromArray(phantom((4, 12, 10))), str(tmp_path / "b.mha"))
    assert read_meta_or_nrrd_series(tmp_path / "b.mha", "meta", "b")[1] is None


def test_of_a_series_too_large_for_memory_the_first_volume_is_opened_and_said(tmp_path, monkeypatch):
    path, values = tmp_path / "a.mha", phantom((4, 12, 10), np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([values, -values]), isVector=False), str(path))
    monkeypatch.setattr(limits, "physical_memory", lambda: limits.COPIES * 1.5 * values.nbytes)
    with pytest.warns(ReadWarning, match="2 volumes; the first is opened"):
        first, series = read_meta_or_nrrd_series(path, "meta", "a")
    assert series is None
    np.testing.assert_array_equal(first.array, values)


def test_one_volume_in_four_dimensions_needs_no_word(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(phantom((1, 4, 12, 10)), isVector=False), str(tmp_path / "a.mha"))
    assert read_meta_or_nrrd(tmp_path / "a.mha", "meta", "a").shape == (4, 12, 10)


def test_of_several_values_a_voxel_the_first_is_opened_and_said():
    vectors = sitk.GetImageFromArray(phantom((4, 12, 10, 6), np.float32), isVector=True)
    with pytest.warns(ReadWarning, match="6 values a voxel"):
        image = to_image(vectors, "a")
    np.testing.assert_array_equal(image.array, phantom((4, 12, 10, 6))[..., 0])


def test_a_displacement_field_is_no_photograph():
    field = sitk.GetImageFromArray(phantom((4, 12, 10, 3), np.float32), isVector=True)
    with pytest.warns(ReadWarning, match="3 values"):
        assert to_image(field, "a").kind == "grey"


def test_complex_numbers_are_refused():
    with pytest.raises(UnsupportedFormatError, match="complex"):
        to_image(sitk.Image([4, 4], sitk.sitkComplexFloat32), "a")


def test_more_than_the_memory_is_refused(tmp_path, monkeypatch):
    sitk.WriteImage(volume(), str(tmp_path / "a.mha"))
    monkeypatch.setattr("napari_s3net.io.validation.limits.physical_memory", lambda: 1000)
    with pytest.raises(
        ReadError, match="10 × 12 × 4 values; opening that takes 3 kB of memory and this computer has 1 kB"
    ):
        read_meta_or_nrrd(tmp_path / "a.mha", "meta", "a")


#: Of files that are made here without a word on the patient's sides.
UNPLACED = pytest.mark.filterwarnings("ignore:its header does not say which side is left")
ARRAY = phantom()
NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 10 12 4\nendian: little\nspacings: 1.5 2 4\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 10 12 4\nElementType = MET_SHORT\nElementSpacing = 1.5 2 4\n"
TEXT = " ".join(map(str, ARRAY.ravel())).encode()


@UNPLACED
@pytest.mark.parametrize(
    ("name", "header", "content", "beside"),
    [
        ("a.nrrd", NRRD + "encoding: bzip2\n\n", bz2.compress(ARRAY.tobytes()), None),
        ("a.nrrd", NRRD + "encoding: bz2\nline skip: 1\n\n", b"hello\n" + bz2.compress(ARRAY.tobytes()), None),
        ("a.nhdr", NRRD + "encoding: bzip2\ndata file: ./a.bz2\n", b"", bz2.compress(ARRAY.tobytes())),
        ("a.nhdr", NRRD + "encoding: raw\ndata file: ./a.bz2\n\n", b"", ARRAY.tobytes()),
        ("a.nhdr", NRRD + "encoding: raw\nbyte skip: 3\ndata file: a.bz2", b"", b"abc" + ARRAY.tobytes()),
        ("a.nrrd", NRRD + "encoding: ascii\n\n", TEXT, None),
        ("a.nrrd", NRRD + "encoding: hex\n\n", ARRAY.tobytes().hex().encode(), None),
        ("a.mha", META + "CompressedData = True\nElementDataFile = LOCAL\n", zlib.compress(ARRAY.tobytes()), None),
        ("a.mha", META + "BinaryData = False\nElementDataFile = Local\n", TEXT, None),
        ("a.mhd", META + "ElementDataFile = ./a.bz2\n", b"", ARRAY.tobytes()),
    ],
)
def test_packings_that_simpleitk_refuses_or_gets_wrong(tmp_path, name, header, content, beside):
    path = tmp_path / name
    path.write_bytes(header.encode() + content)
    if beside is not None:
        (tmp_path / "a.bz2").write_bytes(beside)
    image = read_meta_or_nrrd(path, "meta" if name.startswith("a.m") else "nrrd", "a")
    np.testing.assert_array_equal(image.array, ARRAY)
    assert image.geometry.spacing == (4.0, 2.0, 1.5)
    assert image.geometry.unit == "mm"


@pytest.mark.parametrize("end", [20, -20])
def test_a_bzip2_that_is_cut_off_is_refused(tmp_path, end):
    packed = bz2.compress(np.random.default_rng(0).integers(0, 9, 480, np.int16).tobytes())
    (tmp_path / "a.nrrd").write_bytes(NRRD.encode() + b"encoding: bzip2\n\n" + packed[:end])
    with pytest.raises(ReadError, match="promises"):
        read_meta_or_nrrd(tmp_path / "a.nrrd", "nrrd", "a")


@pytest.mark.parametrize(
    ("header", "unit", "factor"),
    [
        (NRRD + 'units: "um" "um" "um"\n', "mm", 1e-3),
        (NRRD + 'units: "mm" "mm" "mm"\n', "mm", 1.0),
        (NRRD + 'units: "\N{MICRO SIGN}m" "\N{GREEK SMALL LETTER MU}m" "Micrometers"\n', "mm", 1e-3),
        (NRRD + 'units: "???" "" "millimetres"\n', "mm", 1.0),
        (NRRD.replace("spacings: 1.5 2 4\n", ""), "pixel", None),
        (META + "DistanceUnits = um\n", "mm", 1e-3),
        (META + "DistanceUnits = mm\n", "mm", 1.0),
        (META.replace("ElementSpacing = 1.5 2 4\n", ""), "pixel", None),
    ],
)
def test_sizes_are_in_millimetres_or_said_to_be_none(tmp_path, recwarn, header, unit, factor):
    nrrd = header.startswith("NRRD")
    path = tmp_path / "a"
    ending = "encoding: raw\n\n" if nrrd else "ElementDataFile = LOCAL\n"
    path.write_bytes((header + ending).encode() + ARRAY.tobytes())
    geometry = read_meta_or_nrrd(path, "nrrd" if nrrd else "meta", "a").geometry
    assert geometry.unit == unit
    np.testing.assert_allclose(geometry.spacing, np.array((4.0, 2.0, 1.5)) * factor if factor else 1.0)
    assert any("another unit" in str(w.message) for w in recwarn) == (factor == 1e-3)


def write_sequence(path, volumes, at, kind, *, directions=True, more=""):
    """An NRRD of volumes (T, Z, Y, X) whose axis of time is the one at a place; 3D Slicer has it first."""
    axes = list("xyz")
    axes.insert(at, "t")
    array = volumes.transpose(["tzyx".index(axis) for axis in reversed(axes)])
    ways = {"x": "(0.5,0,0)", "y": "(0,0.6,0)", "z": "(0,0,3)", "t": "none"}
    lines = [
        "NRRD0005",
        f"type: {'unsigned char' if volumes.dtype == np.uint8 else 'short'}",
        "dimension: 4",
        *(["space: left-posterior-superior", "space origin: (10,20,30)"] if directions else []),
        f"sizes: {' '.join(map(str, array.shape[::-1]))}",
        *([f"space directions: {' '.join(ways[axis] for axis in axes)}"] if directions else []),
        *([f"kinds: {' '.join(kind if axis == 't' else 'domain' for axis in axes)}"] if kind else []),
        "endian: little",
        "encoding: raw",
    ]
    path.write_bytes("\n".join([*lines, more]).encode() + b"\n" + array.tobytes())
    return path


SEQUENCE = (np.arange(5 * 3 * 4 * 6).reshape(5, 3, 4, 6) * 3 % 251).astype(np.int16)


@UNPLACED
@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("kind", "directions"), [("list", True), ("time", True), ("???", True), ("", True), ("time", False)]
)
def test_time_is_told_from_space_wherever_it_stands(tmp_path, at, kind, directions):
    path = write_sequence(tmp_path / "a.seq.nrrd", SEQUENCE, at, kind, directions=directions)
    first, series = read_meta_or_nrrd_series(path, "nrrd", "a")
    assert np.array_equal(series, SEQUENCE)
    assert np.array_equal(first.array, SEQUENCE[0])
    if directions:
        assert (first.geometry.spacing, first.geometry.origin) == ((3.0, 0.6, 0.5), (30.0, 20.0, 10.0))
    one = read_meta_or_nrrd(path, "nrrd", "a", 3)
    assert np.array_equal(one.array, SEQUENCE[3])
    assert (one.geometry, one.times, first.times) == (first.geometry, 5, 5)
    with pytest.raises(ReadError, match="no volume 5: it holds 5"):
        read_meta_or_nrrd(path, "nrrd", "a", 5)
    with pytest.warns(ReadWarning, match="holds 5 volumes; the first"):
        assert np.array_equal(read_meta_or_nrrd(path, "nrrd", "a").array, SEQUENCE[0])


def test_three_volumes_of_eight_bits_are_no_colours(tmp_path):
    path = write_sequence(tmp_path / "a.seq.nrrd", SEQUENCE[:3].astype(np.uint8), 0, "list")
    first, series = read_meta_or_nrrd_series(path, "nrrd", "a")
    assert (first.kind, series.shape) == ("grey", (3, 3, 4, 6))


def test_several_values_a_voxel_stay_values_of_a_voxel(tmp_path):
    path = write_sequence(tmp_path / "a.nrrd", SEQUENCE, 0, "vector")
    with pytest.warns(ReadWarning, match="5 values a voxel"):
        assert read_meta_or_nrrd_series(path, "nrrd", "a")[1] is None


@UNPLACED
@pytest.mark.parametrize(
    "header",
    [
        NRRD + 'units: "mm" "um" "mm"\n',
        NRRD + 'units: "mm" "mm" "inch"\n',
        META + "DistanceUnits = parsec\n",
        NRRD.replace("spacings: 1.5 2 4\n", "") + "space: LPS\nspace directions: (1.5,0.3,0) (0,2,0) (0,0,4)\n",
        META + "TransformMatrix = 1 0 0 0.3 1 0 0 0 1\n",
        META + "TransformMatrix = 2 0 0 0 2 0 0 0 2\n",
    ],
)
def test_sizes_that_would_be_wrong_are_refused(tmp_path, header):
    """Of several units or an unknown one, and along axes that are sheared or do not have the length 1."""
    nrrd = header.startswith("NRRD")
    ending = "encoding: raw\n\n" if nrrd else "ElementDataFile = LOCAL\n"
    (tmp_path / "a").write_bytes((header + ending).encode() + ARRAY.tobytes())
    with pytest.raises(UnsupportedFormatError, match=r"not in one unit that is known here|not at right angles"):
        read_meta_or_nrrd(tmp_path / "a", "nrrd" if nrrd else "meta", "a")


@UNPLACED
def test_the_file_with_the_pixels_may_have_any_name(tmp_path):
    (tmp_path / "größe µ.raw").write_bytes(ARRAY.tobytes())
    (tmp_path / "a.mhd").write_bytes((META + "ElementDataFile = größe µ.raw\n").encode())
    np.testing.assert_array_equal(read_meta_or_nrrd(tmp_path / "a.mhd", "meta", "a").array, ARRAY)


@UNPLACED
def test_a_scale_that_is_not_applied_is_said(tmp_path):
    header = META + "ElementToIntensityFunctionSlope = 2\nElementDataFile = LOCAL\n"
    (tmp_path / "a.mha").write_bytes(header.encode() + ARRAY.tobytes())
    with pytest.warns(ReadWarning, match="scale of its values"):
        np.testing.assert_array_equal(read_meta_or_nrrd(tmp_path / "a.mha", "meta", "a").array, ARRAY)


PLACED_NRRD = NRRD.replace("spacings: 1.5 2 4\n", "space: LPS\nspace directions: (1.5,0,0) (0,2,0) (0,0,4)\n")
PLACED_META = META + "TransformMatrix = 1 0 0 0 1 0 0 0 1\n"


def write_detached(folder, header, content):
    """A header and its pixels beside it; returns the path of the header and its format."""
    (folder / "a.raw").write_bytes(content)
    nrrd = header.startswith("NRRD")
    path = folder / ("a.nhdr" if nrrd else "a.mhd")
    path.write_text(header + ("data file: a.raw\n\n" if nrrd else "ElementDataFile = a.raw\n"))
    return path, "nrrd" if nrrd else "meta"


@pytest.mark.parametrize(
    ("header", "skip"),
    [(PLACED_NRRD + "encoding: raw\n", "byte skip: {}\n"), (PLACED_META, "HeaderSize = {}\n")],
)
def test_pixels_behind_another_header_begin_where_the_header_says(tmp_path, recwarn, header, skip):
    for n in ("100", "-1"):
        path, kind = write_detached(tmp_path, header + skip.format(n), bytes(100) + ARRAY.tobytes())
        np.testing.assert_array_equal(read_meta_or_nrrd(path, kind, "a").array, ARRAY)
    assert not recwarn
    with pytest.warns(ReadWarning, match="promises 960 bytes of pixels, its file has 1 kB; the first"):
        read_meta_or_nrrd(write_detached(tmp_path, header, bytes(100) + ARRAY.tobytes())[0], kind, "a")
    short = write_detached(tmp_path, header + skip.format(100), bytes(100) + ARRAY.tobytes()[:-1])[0]
    with pytest.raises(ReadError, match="promises 960 bytes, the file has 959"):
        read_meta_or_nrrd(short, kind, "a")
    with pytest.raises(ReadError, match="where the pixels begin"):
        read_meta_or_nrrd(write_detached(tmp_path, header + skip.format(-7), ARRAY.tobytes())[0], kind, "a")


@pytest.mark.parametrize(
    ("header", "pack"),
    [(PLACED_NRRD + "encoding: gzip\n", gzip.compress), (PLACED_META + "CompressedData = True\n", zlib.compress)],
)
def test_packed_pixels_are_whole_to_their_checksum(tmp_path, header, pack):
    """A file that was cut off in its last bytes has every pixel, and nobody knows whether they are right."""
    whole = pack(ARRAY.tobytes())
    header += f"CompressedDataSize = {len(whole)}\n" if header.startswith("Obj") else ""
    path, kind = write_detached(tmp_path, header, whole)
    np.testing.assert_array_equal(read_meta_or_nrrd(path, kind, "a").array, ARRAY)
    damaged = [whole[:-n] for n in range(1, 10)]
    damaged += [whole[:-4] + bytes([whole[-4] ^ 1]) + whole[-3:], whole[: len(whole) // 2]]
    for content in damaged:
        write_detached(tmp_path, header, content + bytes(16) if len(content) == len(whole) else content)
        with pytest.raises(ReadError, match=r"damaged|cut off"):
            read_meta_or_nrrd(path, kind, "a")
    write_detached(tmp_path, header.replace("10 12 4", "10 12 3"), whole)
    with pytest.warns(ReadWarning, match="promises 720 bytes of pixels, its file has 960"):
        np.testing.assert_array_equal(read_meta_or_nrrd(path, kind, "a").array, ARRAY[:3])


def test_several_pieces_of_gzip_are_one_file(tmp_path):
    content = gzip.compress(ARRAY.tobytes()[:333]) + gzip.compress(ARRAY.tobytes()[333:])
    path, _ = write_detached(tmp_path, PLACED_NRRD + "encoding: gzip\n", content)
    np.testing.assert_array_equal(read_meta_or_nrrd(path, "nrrd", "a").array, ARRAY)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (PLACED_NRRD, True),
        (PLACED_NRRD.replace("LPS", "right-anterior-superior"), True),
        (PLACED_META, True),
        (PLACED_META.replace("TransformMatrix", "Rotation"), True),
        (NRRD, False),
        (PLACED_NRRD.replace("space: LPS", "space dimension: 3"), False),
        (PLACED_NRRD.replace("LPS", "scanner-xyz"), False),
        (PLACED_NRRD.replace("LPS", "3D-left-handed"), False),
        (META, False),
    ],
)
def test_of_a_volume_that_does_not_tell_its_sides_it_is_said(tmp_path, recwarn, header, told):
    encoding = "encoding: raw\n" if header.startswith("NRRD") else ""
    path, kind = write_detached(tmp_path, header + encoding, ARRAY.tobytes())
    assert read_meta_or_nrrd(path, kind, "a").geometry.spacing == (4.0, 2.0, 1.5)
    assert any("which side is left" in str(w.message) for w in recwarn) is not told


@UNPLACED
@pytest.mark.parametrize("spacing", ["nan 2 4", "1.5 2 NaN"])
def test_a_spacing_that_is_no_number_is_no_millimetre(tmp_path, spacing):
    header = NRRD.replace("1.5 2 4", spacing) + "encoding: raw\n"
    path, _ = write_detached(tmp_path, header, ARRAY.tobytes())
    with pytest.warns(ReadWarning, match="no spacing that makes sense"):
        assert read_meta_or_nrrd(path, "nrrd", "a").geometry.unit == "pixel"


def test_the_spacing_of_an_axis_that_is_none_of_space_does_not_matter(tmp_path):
    header = (
        "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 3 10 12\nspacings: nan 0.5 0.7\nkinds: RGB-color domain domain\n"
    )
    path, _ = write_detached(tmp_path, header + "encoding: raw\n", bytes(360))
    geometry = read_meta_or_nrrd(path, "nrrd", "a").geometry
    assert (geometry.spacing, geometry.unit) == ((0.7, 0.5), "mm")


@pytest.mark.parametrize("kind", ["HSV-color", "XYZ-color"])
def test_colours_that_are_not_red_green_and_blue_are_refused(tmp_path, kind):
    header = f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 3 10 12\nkinds: {kind} domain domain\nencoding: raw\n"
    path, _ = write_detached(tmp_path, header, bytes(360))
    with pytest.raises(UnsupportedFormatError, match="save it as RGB"):
        read_meta_or_nrrd(path, "nrrd", "a")


@pytest.mark.parametrize("word", ["True", "true", "T", "1"])
def test_yes_is_said_in_several_ways(tmp_path, word):
    packed = zlib.compress(ARRAY.tobytes())
    header = f"{PLACED_META}BinaryData = {word}\nCompressedData = {word}\nCompressedDataSize = {len(packed)}\n"
    path, _ = write_detached(tmp_path, header, packed)
    np.testing.assert_array_equal(read_meta_or_nrrd(path, "meta", "a").array, ARRAY)


@pytest.mark.parametrize(
    ("named", "said"),
    [("RAI", False), ("LPS", False), ("lps", False), ("???", False), ("", False), ("RAS", True), ("PLI", True)],
)
def test_an_orientation_that_the_matrix_does_not_have_is_said(tmp_path, recwarn, named, said):
    """The letters are used both ways: for the sides from which axes come, as ITK has them, and to which they run."""
    header = PLACED_META + f"AnatomicalOrientation = {named}\n"
    path, _ = write_detached(tmp_path, header, ARRAY.tobytes())
    assert read_meta_or_nrrd(path, "meta", "a").geometry.orientation == "LPS"
    assert any(f"names the orientation {named}" in str(w.message) for w in recwarn) is said


def test_what_itk_names_an_orientation_is_no_contradiction(tmp_path, recwarn):
    random = np.random.default_rng(0)
    for _ in range(40):
        direction = np.linalg.qr(random.normal(size=(3, 3)))[0]
        sitk.WriteImage(volume(direction=direction), str(tmp_path / "a.mha"))
        read_meta_or_nrrd(tmp_path / "a.mha", "meta", "a")
    assert not recwarn
