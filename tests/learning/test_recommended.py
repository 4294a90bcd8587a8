"""What is recommended is what the benchmark's table shows, and nothing where it shows nothing."""

from pathlib import Path

import pytest

from napari_s3net.benchmark.csv_table import read_table
from napari_s3net.benchmark.semi_summary import measured
from napari_s3net.learning.recommended import MEASURED, Measured, are_photographs, recommend

TABLE = Path(__file__).resolve().parents[2] / "docs" / "learning" / "semi.csv"


def of(method, dice, labelled=2, **changes):
    rest = {"draws": 3, "least_gain": 0.0 if method == "plain" else 0.05, "size": 128, "steps": 500, **changes}
    return Measured(**rest, method=method, labelled=labelled, dice=dice)


def test_the_figures_are_those_of_the_table():
    assert measured(read_table(TABLE)) == MEASURED


def test_without_a_comparison_it_is_plain_and_says_so():
    assert recommend(10, []).method == "plain"
    assert "No methods were compared" in recommend(10, [of("ideal", 0.9)]).reason


@pytest.mark.parametrize("changes", [{"draws": 2}, {"size": 64}, {"steps": 200}])
def test_small_budgets_and_few_draws_rank_nothing(changes):
    assert recommend(2, [of("plain", 0.5, **changes), of("ideal", 0.7, **changes)]).method == "plain"


@pytest.mark.parametrize(("labelled", "method"), [(1, "ideal"), (2, "ideal"), (5, "ideal"), (6, "kaf"), (100, "kaf")])
def test_the_best_with_as_many_or_the_next_fewer_images(labelled, method):
    table = [of("plain", 0.5), of("ideal", 0.7), of("plain", 0.7, 6), of("kaf", 0.8, 6)]
    found = recommend(labelled, table)
    assert found.method == method
    assert f"with {2 if labelled < 6 else 6} labelled patients" in found.reason


def test_what_was_not_better_on_every_draw_is_not_recommended():
    table = [of("plain", 0.5), of("ideal", 0.7, least_gain=-0.01), of("kaf", 0.6)]
    assert recommend(2, table).method == "kaf"
    alone = recommend(2, table[:2])
    assert alone.method == "plain"
    assert "No other was better every time with 2 labelled patients" in alone.reason


def test_of_photographs_the_comparison_of_scans_says_nothing():
    table = [of("plain", 0.5), of("ideal", 0.7)]
    assert recommend(2, table, photographs=True).method == "plain"
    assert "photographs" in recommend(2, table, photographs=True).reason


@pytest.mark.parametrize(
    ("names", "photographs"),
    [(["a.JPG", "b.png"], True), (["a.jpg", "b.nii.gz"], False), (["series"], False), (["a.dcm"], False), ([], False)],
)
def test_photographs_are_told_by_their_names(names, photographs):
    assert are_photographs([Path(name) for name in names]) == photographs
