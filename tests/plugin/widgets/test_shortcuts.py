"""Keys, and their sheet."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_s3net.plugin.widgets.shortcuts import KEYS, KeySheet, bind

pytestmark = pytest.mark.viewer


def test_only_what_the_owner_offers_is_bound(qtbot):
    owner, heard = QWidget(), []
    qtbot.addWidget(owner)
    made = bind(owner, {"object": lambda: heard.append("object"), "label 3": lambda: heard.append("3")})
    assert sorted(shortcut.key().toString() for shortcut in made) == ["Shift+3", "Shift+O"]
    for shortcut in made:
        shortcut.activated.emit()
    assert sorted(heard) == ["3", "object"]
    assert {shortcut.context() for shortcut in made} == {Qt.ShortcutContext.WindowShortcut}


def test_every_key_is_another_and_takes_shift():
    ours = [keys for keys, name, _ in KEYS if name]
    assert len(set(ours)) == len(ours)
    assert all(keys.startswith("Shift+") for keys in ours)


def test_the_sheet_names_every_key_once(qtbot):
    sheet = KeySheet()
    qtbot.addWidget(sheet)
    words = [label.text() for label in sheet.findChildren(QLabel)]
    for keys, name, what in KEYS:
        if not name.startswith("label "):
            assert words.count(keys.replace("Return", "Enter")) == 1
            assert words.count(what) == 1
    assert "Shift+1 … Shift+9" in words
