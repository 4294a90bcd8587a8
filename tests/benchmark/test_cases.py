"""Images and their masks, as they lie in a folder."""

from pathlib import Path

import pytest

from napari_s3net.benchmark.cases import Pair, find_pairs
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
