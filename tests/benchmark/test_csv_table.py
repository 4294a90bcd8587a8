import pytest

from napari_s3net.benchmark.csv_table import read_table, write_table


def test_what_was_written_is_read_and_a_line_that_was_cut_off_is_left_out(tmp_path):
    path = tmp_path / "deep" / "table.csv"
    assert read_table(path) == []
    write_table(path, ("image", "dice"), [{"image": "a, b", "dice": 0.5}, {"image": "c", "dice": 1}])
    rows = [{"image": "a, b", "dice": "0.5"}, {"image": "c", "dice": "1"}]
    assert read_table(path) == rows
    for line in ("d,0.", "d\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
        assert read_table(path) == rows
        write_table(path, ("image", "dice"), rows)


def test_a_table_that_cannot_be_written_stays_as_it_was(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, ("image",), [{"image": "a"}])
    with pytest.raises(ValueError, match="dice"):
        write_table(path, ("image",), [{"image": "b"}, {"dice": 1}])
    assert read_table(path) == [{"image": "a"}]
    assert list(tmp_path.iterdir()) == [path]
