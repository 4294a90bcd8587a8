"""Figures from rows."""

import json

import numpy as np
import pytest

from napari_s3net.benchmark.cases import find_pairs, mask_path
from napari_s3net.benchmark.methods import NetworkRuns
from napari_s3net.benchmark.protocol import iter_rows, plan
from napari_s3net.benchmark.results import VIEWS
from napari_s3net.benchmark.summary import difference, interval, seed_agreement, summarise
from napari_s3net.image import Geometry
from napari_s3net.io import write_labels
from napari_s3net.labels.metrics import dice
from tests.benchmark.discs import disc


def rows_of(method, values, seed=0):
    return [
        {
            "image": f"i{i}",
            "method": method,
            "seed": seed,
            "half": "ab"[i % 2],
            "settings": "",
            "version": "1",
            "unit": "pixel",
            "labels": 2,
            "error": "",
            "seconds": 2.0,
            "peak_mib": float("nan"),
            **{f"{view}_{score}": value for view in VIEWS for score in ("dice", "hammoude", "xor", "boundary")},
        }
        for i, value in enumerate(values)
    ]


def test_keys_and_figures(tmp_path):
    rows = rows_of("otsu", [0.2, 0.4, 0.6, 1.0]) + rows_of("s3net", [0.4, 0.6, 0.6, 1.0])
    summary = summarise(rows, tmp_path, "discs")
    json.dumps(summary, allow_nan=False)
    assert (summary["set"], summary["images"], summary["unit"]) == ("discs", 4, "pixel")
    assert list(summary["methods"]) == ["otsu", "s3net"]
    otsu = summary["methods"]["otsu"]
    for view in VIEWS:
        figures = otsu[view]
        assert figures["dice_mean"] == pytest.approx(0.55)
        assert figures["dice_median"] == pytest.approx(0.5)
        assert figures["below_half"] == 0.5
        assert figures["seconds_mean"] == 2
        assert figures["peak_mib_max"] is None
        assert figures["hammoude_mean"] == figures["xor_mean"] == figures["boundary_mean"] == pytest.approx(0.55)
        assert figures["dice_interval"][0] < 0.55 < figures["dice_interval"][1]
    assert otsu["halves"]["a"]["label_free"]["dice_mean"] == pytest.approx(0.4)
    assert otsu["halves"]["b"]["label_free"]["dice_mean"] == pytest.approx(0.7)
    assert otsu["difference"]["to"] == "s3net"
    assert otsu["difference"]["dice_mean"] == pytest.approx(-0.1)
    assert summary["methods"]["s3net"]["difference"] is None
    assert otsu["seed_agreement"] is None


def test_interval_narrows_with_more_images_and_stays_the_same():
    draw = np.random.default_rng(1).normal(0.8, 0.1, 400)
    few, many = interval(draw[:40]), interval(draw)
    assert few[1] - few[0] > 2 * (many[1] - many[0])
    assert many[0] < draw.mean() < many[1]
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * draw.std() / 20, rel=0.15)
    assert interval(draw) == many


def test_seeds_do_not_make_the_interval_of_images_narrower(tmp_path):
    values = np.random.default_rng(2).uniform(0.5, 1, 30)
    one = rows_of("s3net", values)
    three = [row for seed in range(3) for row in rows_of("s3net", values, seed)]
    mask = np.zeros((4, 4), bool)
    for row in three:
        path = mask_path(tmp_path, row["image"], "s3net", row["seed"])
        write_labels(path, mask, Geometry.identity(2), mask=True)
    a, b = (summarise(rows, tmp_path, "x")["methods"]["s3net"] for rows in (one, three))
    assert a["label_free"]["dice_interval"] == pytest.approx(b["label_free"]["dice_interval"])
    assert (a["seeds"], b["seeds"]) == (1, 3)


def test_difference_is_taken_on_images_in_common():
    mine, theirs = rows_of("otsu", [0.5, 0.7, 0.1]), rows_of("s3net", [0.6, 0.9])
    found = difference(mine, theirs)
    assert found["images"] == 2
    assert found["dice_mean"] == pytest.approx(-0.15)
    assert difference(mine, []) is None


def test_agreement_of_seeds_is_dice_between_their_masks(tmp_path):
    radii = {0: 10, 1: 12, 2: 12}
    masks = {seed: disc((40, 40), (20, 20), radius) for seed, radius in radii.items()}
    for seed, mask in masks.items():
        write_labels(mask_path(tmp_path, "i0", "s3net", seed), mask, Geometry.identity(2), mask=True)
    rows = [row for seed in radii for row in rows_of("s3net", [0.9], seed)]
    between = dice(masks[0], masks[1])
    assert seed_agreement(rows, tmp_path) == pytest.approx((2 * between + 1) / 3)


def test_a_real_run_is_summarised(small_set, tmp_path, quick_networks):
    cases, _ = plan(find_pairs(small_set, limit=2), ["s3net"], NetworkRuns(), tmp_path, seeds=2)
    summary = summarise(list(iter_rows(cases)), tmp_path, "discs")
    assert summary["methods"]["s3net"]["seeds"] == 2
    assert summary["methods"]["s3net"]["seed_agreement"] == 1
    assert summary["methods"]["one-label"]["difference"]["images"] == 2
