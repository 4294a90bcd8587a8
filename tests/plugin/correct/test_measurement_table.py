"""Measurements as they are shown and copied."""

import pytest
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.correct.measurement_table import MeasurementTable
from napari_s3net.plugin.widgets.text import NARROW

pytestmark = pytest.mark.viewer
ROWS = [
    {"label": "object", "name": "", "area_px": 400, "area_mm2": 100.0, "longest_diameter_mm": 12.34},
    {"label": 1, "name": "Lesion", "area_px": 400, "area_mm2": 100.0, "longest_diameter_mm": 12.34, "mean_red": 90.5},
]


@pytest.fixture
def table(qtbot):
    table = MeasurementTable()
    qtbot.addWidget(table)
    return table


def cells(table):
    values = table.table.value
    data = [[(text or "").replace(NARROW, " ") for text in row] for row in values["data"]]
    return [str(name) for name in values["index"]], data


def test_it_is_hidden_until_something_was_measured(table):
    table.show_rows(None)
    assert table.isHidden()
    table.show_rows(ROWS)
    assert not table.isHidden()


def test_names_and_units_are_shown(table):
    table.show_rows(ROWS)
    assert cells(table) == (["Object", "1  Lesion"], [["100 mm²", "12.3 mm"]] * 2)


def test_without_spacing_pixels_are_shown(table):
    table.show_rows([{"label": 7, "area_px": 12345, "longest_diameter_px": 150.2}])
    assert cells(table) == (["7"], [["12,345 px", "150 px"]])


def test_an_object_that_is_not_there_has_no_diameter(table):
    table.show_rows([{"label": "object", "area_px": 0}])
    assert cells(table) == (["Object"], [["0 px", ""]])


def test_every_column_is_copied(table):
    table.show_rows(ROWS)
    table.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["label", "name", "area_px", "area_mm2", "longest_diameter_mm", "mean_red"]
    assert lines[1].split("\t") == ["object", "", "400", "100.0", "12.34", ""]
    assert lines[2].split("\t") == ["1", "Lesion", "400", "100.0", "12.34", "90.5"]
    assert table.line.text() == "Copied: 2 rows of 6 columns."


def test_a_copied_name_is_no_formula(table):
    table.show_rows([{"label": 1, "name": '=HYPERLINK("http://example.com")', "area_px": 4}])
    table.copy.click()
    assert "\t\"'=HYPERLINK" in QApplication.clipboard().text()
