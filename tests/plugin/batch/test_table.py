import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QStyleOptionViewItem

from napari_s3net.batch import FileRow
from napari_s3net.plugin.batch.table import HEADERS, SHARE, SORT, STATE, SURE, FileModel, FileTable, state_text, tip
from napari_s3net.plugin.widgets.text import NARROW

DONE = FileRow(
    file="b.png", status="done", share=0.214, confidence=0.383, seconds=2.0, metadata={"device": "cpu", "version": "1"}
)


@pytest.mark.parametrize(
    ("row", "decision", "words"),
    [
        (None, "", "waiting"),
        (FileRow(file="a", status="running"), "", "running"),
        (FileRow(file="a", status="running", slice=11, slices=40), "", "11 of 40"),
        (FileRow(file="a", status="failed", error="0 bytes"), "", "failed: 0 bytes"),
        (DONE, "", "done"),
        (DONE, "accepted", "accepted"),
        (FileRow(file="a", status="skipped", note="half size"), "", "done, see note"),
    ],
)
def test_states_in_words(row, decision, words):
    assert state_text(row, decision) == words


def test_tips_tell_everything():
    assert tip("b.png", None) == "b.png"
    assert "21.4" in tip("b.png", DONE)
    assert tip("b.png", FileRow(file="b.png", status="failed", error="0 bytes")).splitlines() == ["b.png", "0 bytes"]


def test_a_reason_has_the_room_of_the_empty_columns_behind_it(qtbot):
    table = FileTable()
    qtbot.addWidget(table)
    table.resize(300, 200)
    failed = FileRow(file="a.png", status="failed", error="the file is empty (0 bytes), and more than that")
    table.files.show_files(["a.png", "b.png"], {"a.png": failed}, {})
    image = table.viewport().grab().toImage()

    def colours(n):
        """In the row, where the share would stand."""
        cell = table.visualRect(table.model().index(n, SHARE))
        return {
            image.pixel(x, y)
            for x in range(cell.left() + 2, cell.right() - 2)
            for y in range(cell.top() + 2, cell.bottom() - 2)
        }

    assert len(colours(0)) > 1
    assert len(colours(1)) == 1


def texts(model, n):
    return [model.data(model.index(n, column)) for column in range(len(HEADERS))]


def test_rows_keep_their_place(qtbot):
    model = FileModel()
    model.show_files(["c.png", "b.png"], {"c.png": DONE}, {})
    model.update(DONE)
    model.decide("b.png", "rejected")
    model.update(FileRow(file="unknown.png", status="done"))
    assert texts(model, 0)[0] == "c.png"
    assert [t.replace("\u00a0", " ") for t in texts(model, 1)] == ["b.png", "rejected", "21 %", "look"]


def test_what_was_corrected_has_the_share_that_was_left(qtbot):
    model = FileModel()
    model.show_files(["b.png"], {"b.png": DONE}, {"b.png": "corrected"}, {"b.png": 0.4})

    def share():
        cell = model.index(0, SHARE)
        tip = model.data(cell, Qt.ItemDataRole.ToolTipRole).splitlines()[-2]
        return tuple(text.replace(NARROW, " ").replace("\u00a0", " ") for text in (model.data(cell), tip))

    assert share() == ("40 %", "Object 40.0 % of the image")
    model.decide("b.png", "corrected", 0.5)
    assert share()[0] == "50 %"
    assert model.data(model.index(0, SHARE), SORT) == 0.5
    model.decide("b.png", "rejected")
    assert share()[0] == "21 %"


def test_sorted_by_numbers_when_asked(qtbot):
    table = FileTable()
    qtbot.addWidget(table)
    rows = {f"{n}.png": FileRow(file=f"{n}.png", status="done", share=n / 20, confidence=n / 20) for n in (2, 10, 1)}
    table.files.show_files(["2.png", "10.png", "1.png", "0.png"], rows, {})

    def column(n):
        return [table.model().index(i, n).data() for i in range(4)]

    assert column(0) == ["2.png", "10.png", "1.png", "0.png"]
    table.sortByColumn(SURE, Qt.SortOrder.AscendingOrder)
    assert column(0) == ["0.png", "1.png", "2.png", "10.png"]
    assert column(SHARE)[-1].startswith("50")
    assert column(STATE)[0] == "waiting"


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        (["ct/a_1.nii.gz", "ct/b_1.nii.gz"], ["ct/a_1", "ct/b_1"]),
        (["a.nii.gz", "a.png"], ["a.nii.gz", "a.png"]),
        (["series 1", "series 2"], ["series 1", "series 2"]),
    ],
)
def test_what_all_names_end_in_takes_no_room_of_what_tells_them_apart(files, shown, qtbot):
    table = FileTable()
    qtbot.addWidget(table)
    table.files.show_files(files, {}, {})
    painted = []
    for n in range(len(files)):
        option = QStyleOptionViewItem()
        table.itemDelegate().initStyleOption(option, table.model().index(n, 0))
        painted.append(option.text)
    assert painted == shown
    assert table.files.files == files


def test_a_double_click_tells_the_file_that_is_shown_there(qtbot):
    table = FileTable()
    qtbot.addWidget(table)
    table.files.show_files(["b.png", "a.png"], {}, {})
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    with qtbot.waitSignal(table.opened) as told:
        table.activated.emit(table.model().index(0, 0))
    assert told.args == ["a.png"]
    table.pick("b.png")
    assert [index.row() for index in table.selectionModel().selectedRows()] == [1]


def test_ten_thousand_rows_are_shown(qtbot):
    table = FileTable()
    qtbot.addWidget(table)
    files = [f"{n:05}.png" for n in range(10_000)]
    table.files.show_files(files, {file: FileRow(file=file, status="done", confidence=0.5) for file in files}, {})
    table.show()
    assert table.model().rowCount() == 10_000
