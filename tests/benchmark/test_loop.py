import numpy as np
import pytest

from napari_s3net.benchmark.loop import append_round, iter_rounds, read_rounds
from napari_s3net.benchmark.semi_page import semi_page
from napari_s3net.cli import main
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.io.write import write_png
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
    rows = list(iter_rounds(pairs, SETTINGS, policy, rounds=(2, 4)))
    assert [(row["corrected"], row["rest"]) for row in rows] == [(2, 5), (4, 3)]
    assert all(0 <= row["dice"] <= 1 for row in rows)
    for row in rows:
        append_round(tmp_path / "out" / "rounds.csv", row)
    assert [row["corrected"] for row in read_rounds(tmp_path / "out" / "rounds.csv")] == ["2", "4"]
    assert "4 corrected" in semi_page(tmp_path / "out")


def test_both_policies_begin_alike(photos):
    pairs = find_images_with_labels(photos / "images", photos / "masks")
    first, second = (next(iter_rounds(pairs, SETTINGS, policy, rounds=(2,))) for policy in ("next", "random"))
    assert first["dice"] == second["dice"]


def test_what_cannot_be_is_told(photos, capsys):
    pairs = find_images_with_labels(photos / "images", photos / "masks")
    with pytest.raises(InvalidSettingsError, match="more than 40 images; got 7"):
        next(iter_rounds(pairs, SETTINGS, "next"))
    with pytest.raises(InvalidSettingsError, match="whim"):
        next(iter_rounds(pairs, SETTINGS, "whim", rounds=(2,)))
    assert main(["benchmark", str(photos), "-o", str(photos / "out"), "--loop"]) == 2
    assert "more than 40 images" in capsys.readouterr().err
