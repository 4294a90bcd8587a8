"""Images and their masks, as they lie in a folder."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_s3net.benchmark.cases import Pair, find_pairs, read_mask
from napari_s3net.errors import ReadError


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
    np.testing.assert_array_equal(read_mask(tmp_path / how), mask)
