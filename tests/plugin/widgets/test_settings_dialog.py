"""How a result was made, in a window of its own."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_s3net.plugin.widgets.settings_dialog import SettingsDialog
from napari_s3net.plugin.widgets.settings_text import settings_rows
from napari_s3net.settings import Settings

pytestmark = pytest.mark.viewer
ABOUT = {
    "source": "mole",
    "slice": None,
    "preset": "skin",
    "version": "1.2.3",
    "device": "cpu",
    "seconds": 1.25,
    "iterations": 7,
    "stopped": True,
    "settings": Settings(seed=4711).to_dict(),
}


@pytest.fixture
def dialog(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SettingsDialog(ABOUT, parent)
    dialog.owner = parent
    dialog.show()
    return dialog


def button(dialog, text):
    return next(one for one in dialog.findChildren(QPushButton) if one.text().replace("&", "") == text)


def test_everything_that_is_known_is_shown(dialog):
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    for name, value in settings_rows(ABOUT):
        assert name in texts
        assert value in texts
    assert {"4711", "7 (stopped by hand)", "Skin lesion"} <= set(texts)
    assert "mole" in dialog.windowTitle()


def test_values_can_be_copied(dialog):
    value = next(label for label in dialog.findChildren(QLabel) if label.text() == "4711")
    assert value.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse


def test_the_settings_can_be_used_again(dialog, qtbot):
    with qtbot.waitSignal(dialog.taken, timeout=1000):
        button(dialog, "Use these settings").click()
    assert not dialog.isVisible()


def test_closing_takes_nothing_over(dialog, qtbot):
    with qtbot.assertNotEmitted(dialog.taken):
        button(dialog, "Close").click()
    assert not dialog.isVisible()
