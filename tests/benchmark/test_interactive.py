"""The simulated user, and what is counted."""

import json

import numpy as np
import pytest

from napari_s3net.benchmark import interactive
from napari_s3net.benchmark.correctors import CORRECTORS
from napari_s3net.benchmark.interactive import (
    ROUNDS,
    CorrectionCase,
    correct,
    read_correction_rows,
    stroke,
    summarise_corrections,
)
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.image import as_image
from napari_s3net.settings import preset_settings
from tests.benchmark.discs import disc, skin
from tests.benchmark.test_command import QUICK, parsed

SHAPE = (96, 128)


@pytest.fixture
def case():
    image, mask = skin(SHAPE, (48, 64), 30)
    return CorrectionCase(as_image(image), mask, disc(SHAPE, (48, 58), 20), preset_settings("skin"))


def test_the_stroke_lies_in_the_middle_of_the_largest_wrong_region():
    mask, prediction = disc(SHAPE, (48, 40), 20), disc(SHAPE, (48, 100), 12)
    painted, is_object = stroke(prediction, mask)
    assert is_object
    assert painted[48, 40]
    assert painted.sum() == pytest.approx(np.pi * (0.015 * 128) ** 2, abs=4)
    painted, is_object = stroke(prediction | mask, mask)
    assert not is_object
    assert painted[48, 100]
    assert stroke(mask, mask) is None


@pytest.mark.parametrize("method", CORRECTORS)
def test_every_method_improves_with_strokes(method, case):
    found = correct(method, case, "cpu")
    assert found["dice"][-1] >= 0.95
    assert len(found["dice"]) - 1 == len(found["lost"]) == len(found["seconds"]) <= ROUNDS


def test_the_user_gives_up_after_so_many_strokes(case, monkeypatch):
    class Stubborn:
        def __init__(self, *known):
            pass

        def rerun(self, prediction, strokes):
            return prediction

    monkeypatch.setitem(interactive.CORRECTORS, "stubborn", Stubborn)
    found = correct("stubborn", case)
    assert len(found["seconds"]) == ROUNDS
    assert sum(found["lost"]) == 0


def test_summary_counts_strokes():
    rows = [
        {
            "image": "1",
            "method": "s3net",
            "half": "a",
            "version": "1",
            "dice": [0.8, 0.91, 0.96],
            "lost": [0, 0.01],
            "seconds": [1, 2],
        },
        {"image": "2", "half": "b", "dice": [0.8] * 21, "lost": [0] * 20, "seconds": [1] * 20},
    ]
    found = summarise_corrections([{"method": "s3net", "version": "1", **row} for row in rows])["s3net"]
    assert found["strokes_to_90"] == 10.5
    assert found["strokes_to_95"] == 11
    assert found["never_95"] == 0.5
    assert found["dice_after_1"] == pytest.approx(0.855)
    assert found["dice_after_5"] == pytest.approx(0.88)
    assert found["lost_share"] == pytest.approx(0.01 / 22)
    assert found["halves"]["a"]["strokes_to_95"] == 2
    assert found["more_than_s3net"] is None


def test_methods_are_compared_with_ours_image_by_image():
    def row(image, method, n):
        dice = [*np.linspace(0.5, 0.9, n), 0.95]
        return {"image": image, "method": method, "half": "a", "version": "1", "dice": dice, "lost": [], "seconds": []}

    rows = [row("1", "s3net", 2), row("2", "s3net", 9), row("1", "random-walker", 5), row("3", "random-walker", 1)]
    found = summarise_corrections(rows)
    assert found["random-walker"]["more_than_s3net"] == {"mean": 3.0, "interval": [3.0, 3.0]}
    assert found["s3net"]["more_than_s3net"] is None


def test_from_the_command_line(small_set, tmp_path, capsys):
    from napari_s3net.benchmark import run

    output = tmp_path / "out"
    arguments = (small_set, "--interactive", "--limit", "1", *QUICK, "-o", output)
    assert run(parsed(*arguments)) == 0
    assert "strokes to 0.95" in capsys.readouterr().out
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["interactive"]) == list(CORRECTORS)
    assert {"strokes_to_90", "strokes_to_95", "never_95", "seconds_per_rerun", "lost_share"} < set(
        summary["interactive"]["s3net"]
    )
    before = read_correction_rows(output / "interactive.csv")
    assert run(parsed(*arguments, "--start", "s3net")) == 0
    rows = read_correction_rows(output / "interactive.csv")
    assert rows[: len(before)] == before
    assert len(rows) == 2 * len(before)
    assert set(json.loads((output / "summary.json").read_text(encoding="utf-8"))) == {
        "set",
        "interactive",
        "interactive_from_s3net",
    }


def test_an_unknown_method_is_told(small_set, tmp_path):
    from napari_s3net.benchmark import run

    with pytest.raises(InvalidSettingsError, match="no method 'magic'"):
        run(parsed(small_set, "--interactive", "--methods", "magic", "-o", tmp_path))
