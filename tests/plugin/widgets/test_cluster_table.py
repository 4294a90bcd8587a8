import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_s3net.plugin.layers.palette import OBJECT as BLUES
from napari_s3net.plugin.widgets.cluster_model import COLOUR, NAME, OBJECT, SIZE, rows_of
from napari_s3net.plugin.widgets.cluster_table import ClusterTable, divided, shortened
from napari_s3net.plugin.widgets.text import NARROW
from tests.plugin.widgets.test_cluster_model import ROWS, Measured


@pytest.fixture
def table(qtbot):
    table = ClusterTable()
    qtbot.addWidget(table)
    table.show_rows(ROWS)
    table.resize(300, table.height())
    table.show()
    qtbot.waitExposed(table)
    return table


def cell(table, row, column):
    return table.clusters.index(row, column)


def middle(table, row, column):
    return table.visualRect(cell(table, row, column)).center()


@pytest.mark.parametrize(
    ("room", "shown"), [(14, f"−784 ± 106{NARROW}HU"), (10, "−784 ± 106"), (5, "−784"), (2, f"−784 ± 106{NARROW}HU")]
)
def test_the_mean_is_kept_longest(room, shown):
    assert shortened(f"−784 ± 106{NARROW}HU", lambda words: len(words) <= room) == shown


@pytest.mark.viewer
class TestTable:
    def test_shows_colour_id_name_share_area_and_intensity(self, table):
        assert cell(table, 0, COLOUR).data() == "1"
        assert cell(table, 0, COLOUR).data(Qt.ItemDataRole.DecorationRole).name() == BLUES[0]
        assert cell(table, 0, NAME).data() == "Lesion\n118 ± 22"
        assert cell(table, 0, SIZE).data() == f"25.0{NARROW}%\n38.2{NARROW}mm²"
        assert cell(table, 0, OBJECT).data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked

    def test_is_as_high_as_its_rows(self, table):
        before = table.height()
        table.show_rows(ROWS[:1])
        assert table.height() < before
        assert table.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff

    def test_a_tick_is_told(self, table, qtbot):
        with qtbot.waitSignal(table.clusters.ticked) as told:
            qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, 1, OBJECT))
        assert told.args == [2, True]
        with qtbot.waitSignal(table.clusters.ticked) as told:
            qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, 0, OBJECT))
        assert told.args == [1, False]

    def test_a_tick_by_keyboard(self, table, qtbot):
        table.setCurrentIndex(cell(table, 1, OBJECT))
        with qtbot.waitSignal(table.clusters.ticked) as told:
            qtbot.keyClick(table, Qt.Key.Key_Space)
        assert told.args == [2, True]

    def test_a_click_picks_the_label(self, table, qtbot):
        with qtbot.waitSignal(table.picked) as told:
            qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, 2, SIZE))
        assert told.args == [4]

    def test_a_tick_does_not_pick(self, table, qtbot):
        with qtbot.assertNotEmitted(table.picked):
            qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, 2, OBJECT))

    def test_hovering_is_told_once_a_row_and_ends(self, table):
        told = []
        table.hovered.connect(told.append)
        for column in (NAME, SIZE):
            table.entered.emit(cell(table, 1, column))
        QApplication.sendEvent(table, QEvent(QEvent.Type.Leave))
        assert told == [2, None]

    def test_the_keyboard_lights_rows_as_well(self, table, qtbot):
        told = []
        table.hovered.connect(told.append)
        table.activateWindow()
        table.setFocus()
        qtbot.waitUntil(table.hasFocus)
        table.setCurrentIndex(cell(table, 0, NAME))
        qtbot.keyClick(table, Qt.Key.Key_Down)
        assert told[-1] == 2

    def test_double_click_renames(self, table, qtbot):
        table.doubleClicked.emit(cell(table, 1, SIZE))
        editor = table.findChild(QLineEdit)
        assert editor.text() == "Skin"
        editor.setText("  Ruler ")
        with qtbot.waitSignal(table.clusters.renamed) as told:
            qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert told.args == [2, "Ruler"]

    def test_the_same_clusters_keep_selection_and_place(self, table):
        table.selectRow(1)
        table.show_rows(rows_of([Measured(1, "A", True), Measured(2, "B", True), Measured(4, "C", False)], "rgb"))
        assert table.selectionModel().isRowSelected(1)
        assert cell(table, 1, NAME).data().startswith("B")

    def test_nothing_is_cut_off_at_320_pixels(self, table):
        table.resize(300, table.height())
        QApplication.processEvents()
        for column in (COLOUR, SIZE, OBJECT):
            assert table.columnWidth(column) >= table.sizeHintForColumn(column)
        assert table.columnWidth(NAME) >= table.sizeHintForColumn(NAME)

    def test_it_paints_in_every_state(self, table):
        table.setCurrentIndex(cell(table, 0, OBJECT))
        table.entered.emit(cell(table, 1, NAME))
        image = table.grab().toImage()
        place = table.viewport().mapTo(table, QPoint(0, 0)) + table.visualRect(cell(table, 0, COLOUR)).center()
        near = {image.pixelColor(x, place.y()).name() for x in range(place.x() + 1)}
        assert BLUES[0] in near


@pytest.mark.parametrize(
    ("first", "room", "expected"),
    [
        ("Skin", 4, ["Skin", "160 ± 14"]),
        ("Skin, darker", 12, ["Skin, darker", "160 ± 14"]),
        ("Skin, 2 shades darker", 20, ["Skin", "2 shades darker · 160 ± 14"]),
        ("A name of its own", 4, ["A name of its own", "160 ± 14"]),
    ],
)
def test_a_name_without_room_is_divided_at_its_comma(first, room, expected):
    assert divided([first, "160 ± 14"], lambda words: len(words) <= room) == expected


def test_of_a_divided_line_the_mean_goes_before_the_shade():
    line = "2 shades darker · 160 ± 14"
    assert [shortened(line, lambda words, n=n: len(words) <= n) for n in (26, 21, 15)] == [
        line,
        "2 shades darker · 160",
        "2 shades darker",
    ]


def test_several_rows_are_selected_with_ctrl_and_counted(table, qtbot):
    counts = []
    table.chosen.connect(counts.append)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=middle(table, 2, NAME))
    ctrl = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, ctrl, pos=middle(table, 0, NAME))
    assert table.selected == [1, 4]
    assert counts[-1] == 2
    table.show_rows(ROWS[:1])
    assert counts[-1] == 0
    assert table.selected == []
