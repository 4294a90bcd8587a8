"""Rows written and read back."""

import pytest

from napari_s3net.benchmark.csv_table import write_table
from napari_s3net.benchmark.results import COLUMNS, NUMBERS, key, read_rows


def row(image="a", method="otsu", seed=0, value=0.5):
    texts = dict.fromkeys(COLUMNS, "") | {"image": image, "method": method, "seed": seed, "labels": 2}
    return texts | dict.fromkeys(NUMBERS, value)


def test_rows_come_back(tmp_path):
    rows = [row(value=1 / 3), row("b", value=float("nan")), row("b", "s3net", 2)]
    write_table(tmp_path / "deep" / "results.csv", COLUMNS, rows)
    back = read_rows(tmp_path / "deep" / "results.csv")
    assert [key(r) for r in back] == [("a", "otsu", 0), ("b", "otsu", 0), ("b", "s3net", 2)]
    assert back[0] == rows[0]
    assert back[1]["seconds"] != back[1]["seconds"], "NaN stays NaN"
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["results.csv"]


def test_the_last_row_of_a_key_counts(tmp_path):
    write_table(tmp_path / "r.csv", COLUMNS, [row(value=0.1), row(value=0.2)])
    assert [r["seconds"] for r in read_rows(tmp_path / "r.csv")] == [0.2]


@pytest.mark.parametrize("cut", [2, 3, 40])
def test_a_line_that_was_cut_off_is_left_out(tmp_path, cut):
    path = tmp_path / "r.csv"
    write_table(path, COLUMNS, [row(), row("b")])
    path.write_text(path.read_text(encoding="utf-8")[:-cut])
    assert [r["image"] for r in read_rows(path)] == ["a"]


def test_without_a_file_there_are_no_rows(tmp_path):
    assert read_rows(tmp_path / "none.csv") == []
