from typing import get_args

import numpy as np
import pytest

from napari_s3net.phantom import skin_record
from napari_s3net.phantom.skin_record import draw_skin_record

RECORDS = [draw_skin_record(seed) for seed in range(1500)]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("area", 0.006, 0.65),
        ("melanin", 0.1, 1.0),
        ("blood", 0.1, 0.8),
        ("hairs", 0, 110),
        ("hair_lightness", 0.1, 0.9),
        ("softness", 0.03, 0.4),
        ("generosity", 0.0, 0.3),
        ("unevenness", 0.03, 0.4),
        ("vignette", 0.01, 0.6),
        ("gamma", 0.75, 1.35),
        ("blur", 0.1, 2.0),
        ("jpeg", 0, 85),
        ("aspect", 1.0, 1.4),
    ],
)
def test_numbers_are_drawn_over_their_whole_range(name, low, high):
    values = [getattr(record, name) for record in RECORDS]
    assert min(values) <= low
    assert max(values) >= high


@pytest.mark.parametrize("name", ["kind", "pattern", "frame"])
def test_every_word_is_drawn(name):
    words = {"kind": skin_record.LesionKind, "pattern": skin_record.Pattern, "frame": skin_record.Frame}[name]
    assert {getattr(record, name) for record in RECORDS} == set(get_args(words))


def test_things_that_are_seldom_are_there_but_do_not_prevail():
    for name in ("marks", "ink", "stickers", "bubbles", "glare", "rulers", "gel", "video", "naevi", "freckles", "halo"):
        share = np.mean([bool(getattr(record, name)) for record in RECORDS])
        assert 0.02 < share < 0.4, name
    assert 0.01 < np.mean([not record.has_object for record in RECORDS]) < 0.1
