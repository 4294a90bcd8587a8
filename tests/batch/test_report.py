import errno

import pytest

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.report import BatchReport
from napari_s3net.errors import WriteError


@pytest.fixture
def report(tmp_path):
    (tmp_path / "report.jsonl").touch()
    return BatchReport(tmp_path)


def row(file, status="done", **more):
    return FileRow(file=file, status=status, **more)


def lines(tmp_path):
    return (tmp_path / "report.jsonl").read_bytes().splitlines()


def test_rows_are_there_as_soon_as_they_are_appended(report, tmp_path):
    report.append(row("b", confidence=0.5))
    report.append(row("a", "failed", error="empty"))
    again = BatchReport(tmp_path)
    assert again.row("a") == row("a", "failed", error="empty")
    assert again.row("c") is None
    assert [r.file for r in again.rows()] == ["a", "b"]


def test_worst_first(report):
    for one in (row("sure", confidence=0.9), row("unsure", confidence=0.1), row("bad", "failed")):
        report.append(one)
    assert [r.file for r in report.rows(worst_first=True)] == ["bad", "unsure", "sure"]


def test_the_last_row_of_a_file_counts_and_tidying_leaves_only_it(report, tmp_path):
    for one in (row("b"), row("a", "failed"), row("b", seconds=2.0), row("a")):
        report.append(one)
    report.tidy()
    assert len(lines(tmp_path)) == 2
    for state in (report, BatchReport(tmp_path)):
        assert [(r.file, r.status, r.seconds) for r in state.rows()] == [("a", "done", 0.0), ("b", "done", 2.0)]


def test_half_a_line_and_strange_lines_are_left_out(report, tmp_path):
    report.append(row("a"))
    with report.path.open("ab") as stream:
        stream.write(b"what\n\xff\xfe\n[]\n" + row("b").to_line()[:-5])
    again = BatchReport(tmp_path)
    assert [r.file for r in again.rows()] == ["a"]
    again.tidy()
    again.append(row("c"))
    assert [FileRow.from_line(line + b"\n").file for line in lines(tmp_path)] == ["a", "c"]


def test_on_a_full_disk_rows_wait_and_no_half_line_stays(report, tmp_path, monkeypatch):
    report.append(row("a"))
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    monkeypatch.setattr("napari_s3net.batch.report.SYNC_SECONDS", -1.0)
    report.append(row("b"))
    report.append(row("c"))
    assert len(lines(tmp_path)) == 1
    with pytest.raises(WriteError, match="2 rows are missing"):
        report.tidy()
    monkeypatch.undo()
    report.tidy()
    assert [r.file for r in BatchReport(tmp_path).rows()] == ["a", "b", "c"]
