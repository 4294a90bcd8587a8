"""Images and their masks, as they lie in a folder."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk
import tifffile

from napari_s3net.benchmark.cases import Pair, find_pairs, true_mask
from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.image import Geometry, Image
from napari_s3net.io import read_image


def test_pairs_are_found_by_name(small_set):
    pairs = find_pairs(small_set)
    assert [pair.name for pair in pairs] == ["d0", "d1", "d2", "d3"]
    assert pairs[2].mask.name == "d2_mask.png"
    assert [pair.name for pair in find_pairs(small_set, limit=2)] == ["d0", "d1"]


def test_halves_are_the_same_everywhere_and_together_the_whole(small_set):
    a, b = (find_pairs(small_set, half=half) for half in "ab")
    assert {p.name for p in a} | {p.name for p in b} == {"d0", "d1", "d2", "d3"}
    assert {p.name: p.half for p in find_pairs(small_set)} == {"d0": "b", "d1": "a", "d2": "a", "d3": "b"}
    names = [Pair(f"ISIC_{i:07}", Path(), Path()).half for i in range(2000)]
    assert 900 < names.count("a") < 1100


def test_what_is_missing_is_named(small_set, tmp_path):
    with pytest.raises(ReadError, match="there is no images/ in"):
        find_pairs(tmp_path)
    (small_set / "masks" / "d1.png").unlink()
    with pytest.raises(ReadError, match=r"d1\.png has no mask: expected a file d1\.\* in"):
        find_pairs(small_set)
    for path in (small_set / "images").iterdir():
        path.unlink()
    with pytest.raises(ReadError, match="no images to run"):
        find_pairs(small_set)


@pytest.mark.filterwarnings("ignore::napari_s3net.errors.ReadWarning")
@pytest.mark.parametrize("how", ["bool.tif", "palette.png", "grey.png", "colours.png", "grey.jpg"])
def test_a_mask_is_where_there_is_a_label_however_it_is_stored(tmp_path, how):
    mask = np.kron(np.random.default_rng(0).integers(0, 2, (4, 4)), np.ones((16, 16))) > 0
    if how == "bool.tif":
        tifffile.imwrite(tmp_path / how, mask)  # tifffile calls white zero
    elif how == "palette.png":
        picture = PIL.Image.fromarray(mask.astype(np.uint8))
        picture.putpalette([0, 0, 0, 0, 255, 0])
        picture.save(tmp_path / how)
    else:
        colours = np.stack([mask, mask, 0 * mask], axis=-1) if how == "colours.png" else mask
        PIL.Image.fromarray((colours * 255).astype(np.uint8)).save(tmp_path / how)
    image = Image(np.zeros(mask.shape), Geometry.identity(2), "grey")
    np.testing.assert_array_equal(true_mask(Pair("m", tmp_path / how, tmp_path / how), image), mask)


@pytest.mark.filterwarnings("ignore::napari_s3net.errors.ReadWarning")
@pytest.mark.parametrize("colours", [False, True])
def test_a_mask_in_a_jpeg_has_no_halo(tmp_path, colours):
    rows, columns = np.mgrid[:90, :110]
    mask = (rows - 40) ** 2 + (columns - 50) ** 2 < 30**2
    picture = PIL.Image.fromarray((mask * 255).astype(np.uint8))
    (picture.convert("RGB") if colours else picture).save(tmp_path / "m.jpg", quality=80)
    image = Image(np.zeros(mask.shape), Geometry.identity(2), "grey")
    found = true_mask(Pair("m", tmp_path / "m.jpg", tmp_path / "m.jpg"), image)
    assert (found != mask).sum() < 20


def test_a_mask_whose_axes_are_turned_is_laid_on_its_image(tmp_path):
    array = np.random.default_rng(0).integers(0, 300, (1, 40, 30)).astype(np.int16)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((5.0, -7.0, 9.0))
    sitk.WriteImage(image, str(tmp_path / "i.nii.gz"))
    sitk.WriteImage(sitk.DICOMOrient(image > 150, "RAS"), str(tmp_path / "m.nii.gz"))
    sitk.WriteImage(sitk.Flip(image, (True, False, False))[:, ::-1] > 150, str(tmp_path / "f.mha"))
    opened = read_image(tmp_path / "i.nii.gz")
    for name in ("m.nii.gz", "f.mha"):
        found = true_mask(Pair("i", tmp_path / "i.nii.gz", tmp_path / name), opened)
        np.testing.assert_array_equal(found, opened.array > 150)
    image.SetOrigin((25.0, -7.0, 9.0))
    sitk.WriteImage(image > 150, str(tmp_path / "o.nii.gz"))
    with pytest.raises(InvalidImageError, match=r"^i: expected a plane and a mask.*elsewhere in space"):
        true_mask(Pair("i", tmp_path / "i.nii.gz", tmp_path / "o.nii.gz"), opened)


@pytest.mark.parametrize(
    ("more", "says"), [("images/d1.jpg", "images called d1"), ("masks/d1_mask.bmp", "masks called d1")]
)
def test_several_files_of_one_name_are_refused(small_set, more, says):
    (small_set / more).touch()
    with pytest.raises(ReadError, match=rf"Expected one file of {says}; .* has .*d1.*, d1.*\. Keep one"):
        find_pairs(small_set)
    (small_set / more).rename((small_set / more).with_suffix(".txt"))
    assert len(find_pairs(small_set)) == 4, "what is no image does not count"
