import csv

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.report import BatchReport
from napari_s3net.batch.tables import HEADER, write_table


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
    assert [(r["file"], r["label"], r["area_px"]) for r in rows[:2]] == [(name, "object", "3"), (name, "1", "3")]
    assert rows[2]["file"] == r"\udcff.png"
    assert rows[0]["area_mm2"] == ""
