import csv

import pytest

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.review import Review
from napari_s3net.batch.tables import HEADER, safe_cells, write_table


def test_a_row_a_region_by_file(tmp_path):
    (tmp_path / "report.jsonl").touch()
    report = BatchReport(tmp_path)
    name = 'line\nbreak, "quoted".png'
    regions = ({"label": "object", "object": 1, "area_px": 3}, {"label": 1, "name": "Lesion", "area_px": 3})
    report.append(FileRow(file=name, status="done", regions=regions))
    report.append(FileRow(file="\udcff.png", status="done", regions=({"label": 2},)))
    report.append(FileRow(file="a.png", status="failed"))
    write_table(tmp_path, report)
    with (tmp_path / "measurements.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == HEADER
    shown = r'line\nbreak, "quoted".png'
    assert [(r["file"], r["label"], r["area_px"]) for r in rows[:2]] == [(shown, "object", "3"), (shown, "1", "3")]
    assert rows[2]["file"] == r"\udcff.png"
    assert rows[0]["area_mm2"] == ""


def test_numbers_of_results_that_a_person_changed_are_told_as_such(tmp_path):
    (tmp_path / "report.jsonl").touch()
    report, review = BatchReport(tmp_path), Review(tmp_path)
    for name in "abcd":
        row = FileRow(file=name, status="done", outputs={"labels": f"labels/{name}.png"}, regions=({"label": 1},) * 2)
        report.append(row)
        if name == "a":
            review.decide(row, "accepted")
        if name == "b":
            review.decide(row, "corrected", (1,), {1: "Lesion"}, 0.5)
    (tmp_path / "corrected" / "labels").mkdir(parents=True)
    (tmp_path / "corrected" / "labels" / "c.png").touch()  # by another program
    write_table(tmp_path, report)
    with (tmp_path / "measurements.csv").open(newline="", encoding="utf-8") as stream:
        told = [(row["file"], row["review"]) for row in csv.DictReader(stream)]
    decisions = {"a": "accepted", "b": "corrected", "c": "corrected", "d": ""}
    assert told == [(name, decision) for name, decision in decisions.items() for _ in range(2)]


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1+cmd", "'+1+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"'\t=1"),
        ("\r=1", r"'\r=1"),
        ("-12.5", "-12.5"),
        ("-1e-05", "-1e-05"),
        (-12.5, -12.5),
        (0, 0),
        ("a=b-c@d", "a=b-c@d"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("gnp.\u202eexe", r"gnp.\u202eexe"),
        ("läsion 病变", "läsion 病变"),
    ],
)
def test_no_text_is_a_formula_or_moves_a_cursor(cell, safe):
    assert safe_cells({"file": cell}) == {"file": safe}
