"""About how long a run takes."""

import pytest

from napari_s3net.plugin.segment import pace as module
from napari_s3net.plugin.segment.pace import Pace
from napari_s3net.provenance import Provenance
from napari_s3net.settings import Settings

ASKED = Settings(max_iter=100, seed=5)


@pytest.fixture
def kept(monkeypatch):
    """What is remembered, in the place of the user's settings."""
    known = {}
    monkeypatch.setattr(module, "recall", known.get)
    monkeypatch.setattr(module, "remember", known.__setitem__)
    return known


def said(pace, *asked):
    return pace.text(*asked).replace("\u00a0", " ")


def of_a_plane(**settings):
    return Provenance(settings=Settings(**settings), iterations=10, seconds=1.0)


def test_before_the_first_run_it_is_a_guess(kept):
    assert said(Pace(), ASKED) == " About 40 s."
    assert said(Pace(), Settings(max_iter=1)) == " About 1 s."
    assert said(Pace(), Settings(max_iter=1), 71) == " About 8 s.", "a volume takes longer than a slice"


def test_a_run_tells_of_those_like_it_also_after_a_restart(kept):
    pace = Pace()
    pace.take(of_a_plane(max_iter=10))
    assert said(pace, ASKED) == said(Pace(), ASKED) == " Up to 10 s."
    pace.take(of_a_plane(working_size=256))
    assert said(pace, ASKED) == " About 40 s."


def test_a_volume_is_timed_by_the_slice(kept):
    pace, part = Pace(), of_a_plane()
    pace.take(Provenance(settings=Settings(), iterations=4, seconds=5.0, slices=(part,) * 10))
    assert said(pace, Settings(), 71) == " About 36 s."
    assert said(pace, ASKED) == " About 40 s.", "says nothing of a single slice"


def test_what_cannot_be_read_is_left(kept):
    kept["pace"] = {"settings": {"no": "such"}, "seconds": "x"}
    assert said(Pace(), ASKED) == " About 40 s."
