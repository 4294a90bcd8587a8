"""Pictures of a run."""

import numpy as np

from napari_s3net.benchmark.cases import find_pairs
from napari_s3net.benchmark.methods import NetworkRuns
from napari_s3net.benchmark.pictures import DRAWN, PROPOSED, SIZE, draw_pages, outlined
from napari_s3net.benchmark.protocol import iter_rows, plan
from napari_s3net.image import as_image
from napari_s3net.io import read_image
from tests.benchmark.discs import skin


def test_outlines_follow_the_masks():
    photograph, mask = skin((500, 600), (250, 300), 100)
    picture = outlined(as_image(photograph), mask, np.roll(mask, 60, axis=1))
    assert picture.shape == (333, SIZE, 3)
    assert picture.dtype == np.uint8
    assert tuple(picture[333 // 2, 200 - 66]) == DRAWN
    assert tuple(picture[333 // 2, 200 + 40 + 66]) == PROPOSED
    assert tuple(picture[5, 5]) not in (DRAWN, PROPOSED)


def test_grey_images_are_shown_in_grey():
    grey = skin()[0][..., 0].astype(np.int16) * 10 - 1000
    picture = outlined(as_image(grey), np.zeros(grey.shape, bool), np.zeros(grey.shape, bool))
    assert np.ptp(picture, axis=2).max() == 0
    assert np.ptp(picture) > 200


def test_the_page_shows_best_median_and_worst(small_set, tmp_path):
    cases, _ = plan(find_pairs(small_set), ["otsu"], NetworkRuns(), tmp_path)
    rows = list(iter_rows(cases))
    page = draw_pages(rows, find_pairs(small_set), tmp_path).read_text(encoding="utf-8")
    assert page.count("<img") == 6
    for method in ("one-label", "otsu"):
        for rank in ("best", "median", "worst"):
            name = f"pictures/{method}_{rank}.png"
            assert name in page
            assert read_image(tmp_path / name).kind == "rgb"
    worst = min((row for row in rows if row["method"] == "otsu"), key=lambda row: row["label_free_dice"])
    assert f"worst: {worst['image']}, Dice {worst['label_free_dice']:.3f}" in page
