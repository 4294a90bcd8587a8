"""Measurements: read, copied, added to a table."""

import pytest
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.widgets import measures_panel as module
from napari_s3net.plugin.widgets.measures_panel import MeasuresPanel, measures_lines

pytestmark = pytest.mark.viewer
VALUES = {
    "area_px": 400,
    "area_mm2": 38.2,
    "longest_diameter_mm": 8.123,
    "border_irregularity": 1.234,
    "asymmetry": 0.1,
    "colours": "dark brown, black",
}


@pytest.fixture
def panel(qtbot, monkeypatch):
    monkeypatch.setattr(module, "show_info", lambda words: None)
    panel = MeasuresPanel()
    qtbot.addWidget(panel)
    return panel


def test_they_are_asked_for_when_they_are_opened(panel, qtbot):
    assert not panel.is_open
    with qtbot.waitSignal(panel.opened):
        panel.fold.toggleButton().click()
    assert panel.is_open
    panel.show_values("mole", {})
    assert panel.lines.text() == "There is no object in view."
    assert not panel.copy.isEnabled()


def test_lines_have_units_and_say_what_is_usual():
    lines = [line.replace("\u00a0", " ") for line in measures_lines(VALUES)]
    assert lines == [
        "Area 38.2 mm²",
        "Longest diameter 8.12 mm",
        "Border irregularity 1.23 (a disc has 1)",
        "Asymmetry 0.10 (none is 0)",
        "Colours: dark brown, black",
    ]
    hu = measures_lines({"mean_hu": -801.2, "sd_hu": 10.0, "p5_hu": -900.0, "p50_hu": -800.0, "p95_hu": -700.0})
    assert hu[1] == "Middle −800, nine of ten from −900 to −700"


def test_a_table_gets_one_more_row_and_another_table_is_made_anew(panel, tmp_path):
    path = tmp_path / "a.csv"
    for name in ("mole", "=naevus"):
        panel.show_values(name, VALUES)
        panel.add_to(path)
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("image,area_px,area_mm2")
    assert lines[1].startswith("mole,400,38.2")
    assert not lines[2].startswith("="), "a spreadsheet computes nothing"
    panel.show_values("mole", {"area_px": 3})
    panel.add_to(path)
    assert path.read_text().splitlines() == ["image,area_px", "mole,3"]


def test_copy(panel):
    panel.show_values("mole", VALUES)
    panel.copy.click()
    assert QApplication.clipboard().text().splitlines()[1].split("\t")[:3] == ["mole", "400", "38.2"]
