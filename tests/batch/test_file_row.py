from dataclasses import replace

import pytest

from napari_s3net.batch.file_row import FileRow


def test_a_row_survives_its_line():
    row = FileRow(
        file="läsion\n\udcff.png",
        status="done",
        metadata={"foreground": [1, 2], "names": {"1": "Lesion"}, "preset": "skin"},
        regions=({"label": "object", "area_px": 3},),
        outputs={"labels": "labels/x.png"},
        sizes={"labels": 3},
    )
    line = row.to_line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert FileRow.from_line(line) == row
    assert FileRow.from_line(line, light=True) == replace(row, regions=())
    named = replace(row, file='a", "regions": [1].png', note='", "regions": ')
    assert FileRow.from_line(named.to_line(), light=True) == replace(named, regions=())


@pytest.mark.parametrize("line", [b"", b"{", b"[1]", b"3", b'{"status": "done"}', b'{"file": "a"}', b"\xff"])
def test_what_is_no_row(line):
    with pytest.raises(ValueError):
        FileRow.from_line(line)


def test_a_row_of_an_earlier_version_is_read():
    old = (
        b'{"file": "a", "status": "done", "device": "cpu", "preset": "skin", "version": "0.1", "confidence": 0.5,'
        b' "foreground": [1, 3], "names": {"1": "Lesion"}, "used": "abc", "iterations": 4, "regions": []}'
    )
    row = FileRow.from_line(old)
    assert (row.device, row.preset, row.version, row.used, row.foreground) == ("cpu", "skin", "0.1", "abc", (1, 3))
    assert row.confidence == row.metadata["confidence"] == 0.5
    assert (row.metadata["names"], row.metadata["iterations"]) == ({"1": "Lesion"}, 4)


def test_what_later_versions_add_is_left_out():
    assert FileRow.from_line(b'{"file": "a", "status": "done", "new": 1}') == FileRow(file="a", status="done")


@pytest.mark.parametrize(
    ("known", "word"),
    [
        ({"share": 0.2, "confidence": 0.93, "metadata": {"certainty": "sure"}}, "sure"),
        ({"share": 0.2, "confidence": 0.3, "metadata": {"certainty": "sure"}}, "sure"),
        ({"share": 0.2, "confidence": 0.7}, ""),
        ({"share": 0.2, "confidence": 0.4}, "look"),
        ({"share": 0.2}, ""),
        ({"share": 0.0, "confidence": 0.9}, "no clear object"),
        ({"share": 0.0, "confidence": 0.9, "status": "failed"}, ""),
    ],
)
def test_the_word_is_that_of_the_result_and_nothing_is_called_sure_without_one(known, word):
    assert FileRow(**{"file": "a", "status": "done", **known}).certainty == word
