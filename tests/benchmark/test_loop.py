import numpy as np
import pytest

from napari_s3net import read_image, segment
from napari_s3net.benchmark import loop
from napari_s3net.benchmark.csv_table import read_table
from napari_s3net.benchmark.loop import iter_rounds
from napari_s3net.benchmark.semi_page import semi_page
from napari_s3net.cli import main
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.io.write import write_png
from napari_s3net.labels.metrics import dice
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.settings import learn_settings
from tests.learning.conftest import TINY, scene

SETTINGS = learn_settings(**{**TINY, "steps": 2})


@pytest.fixture
def photos(tmp_path):
    for n in range(7):
        grey, labels = scene(n)
        write_png(tmp_path / "images" / f"a{n}.png", grey)
        write_png(tmp_path / "masks" / f"a{n}.png", np.where(labels == 1, 255, 0).astype(np.uint8))
    return tmp_path


@pytest.mark.parametrize("policy", ["next", "random"])
def test_each_round_corrects_more_and_measures_the_rest(photos, policy, tmp_path):
    pairs = find_images_with_labels(photos / "images", photos / "masks")
    rows = list(iter_rounds(pairs, SETTINGS, policy, tmp_path / "out", rounds=(2, 4)))
    assert [(row["corrected"], row["rest"]) for row in rows] == [(2, 5), (4, 3)]
    assert all(0 <= row["dice"] <= 1 for row in rows)
    free = {pair.name: dice(segment(read_image(pair.image)).mask, scene(n)[1] == 1) for n, pair in enumerate(pairs)}
    assert min(free.values()) <= rows[0]["label_free"] <= max(free.values())
    if policy == "random":
        assert rows[0]["label_free"] != rows[1]["label_free"]  # it is of the rest, which has shrunk
    assert [row["corrected"] for row in read_table(tmp_path / "out" / "rounds.csv")] == ["2", "4"]
    assert "4 corrected" in semi_page(tmp_path / "out")


def test_both_policies_begin_alike(photos):
    pairs = find_images_with_labels(photos / "images", photos / "masks")
    out = photos / "out"
    first, second = (next(iter_rounds(pairs, SETTINGS, policy, out, rounds=(2,))) for policy in ("next", "random"))
    assert first["dice"] == second["dice"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "calls", "left"), [("_learn_round", 1, 1), ("append_round", 0, 2), ("dice_of", 5, 1)]
)
def test_ended_anywhere_it_goes_on_to_the_same_figures(photos, monkeypatch, broken, calls, left):
    """As if killed there after so many calls; so many rounds are left to tell of."""
    pairs, work = find_images_with_labels(photos / "images", photos / "masks"), getattr(loop, broken)
    whole = list(iter_rounds(pairs, SETTINGS, "next", photos / "whole", rounds=(2, 4)))
    arguments = (pairs, SETTINGS, "next", photos / "out")
    calls_left = iter(range(calls))

    def dying(*given):
        if next(calls_left, None) is None:
            raise KeyboardInterrupt
        return work(*given)

    with monkeypatch.context() as patched:
        patched.setattr(loop, broken, dying)
        with pytest.raises(KeyboardInterrupt):
            list(iter_rounds(*arguments, rounds=(2, 4)))
    assert len(list(iter_rounds(*arguments, rounds=(2, 4)))) == left
    figures = [float(row["dice"]) for row in read_table(photos / "out" / "rounds.csv")]
    assert figures == pytest.approx([row["dice"] for row in whole], abs=1e-4)
    assert list(iter_rounds(*arguments, rounds=(2, 4))) == []


def test_what_cannot_be_is_told(photos, capsys):
    pairs = find_images_with_labels(photos / "images", photos / "masks")
    with pytest.raises(InvalidSettingsError, match="more than 40 images; got 7"):
        next(iter_rounds(pairs, SETTINGS, "next", photos / "out"))
    with pytest.raises(InvalidSettingsError, match="whim"):
        next(iter_rounds(pairs, SETTINGS, "whim", photos / "out", rounds=(2,)))
    assert main(["benchmark", str(photos), "-o", str(photos / "out"), "--loop"]) == 2
    assert "more than 40 images" in capsys.readouterr().err
