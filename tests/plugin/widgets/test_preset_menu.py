"""The menu beside the presets: what is asked of the user, and what comes of it."""

import pytest
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from napari_s3net.plugin.widgets.own_presets import own_presets
from napari_s3net.plugin.widgets.preset_menu import PresetMenu
from napari_s3net.preset_files import read_preset
from napari_s3net.settings import presets

pytestmark = pytest.mark.viewer
SETTINGS = presets["skin"].settings.replace(max_iter=8)


class Asked:
    """The menu, what it told, and what the user answers."""

    def __init__(self, qtbot, monkeypatch):
        self.menu, self.told, self.monkeypatch = PresetMenu(lambda: ("skin", SETTINGS)), [], monkeypatch
        qtbot.addWidget(self.menu)
        qtbot.addWidget(self.menu.button)
        self.menu.taken.connect(lambda name: self.told.append(("taken", name)))
        self.menu.dropped.connect(lambda: self.told.append(("dropped",)))
        self.menu.failed.connect(lambda words: self.told.append(("failed", words)))

    def do(self, name, answer=None):
        for dialog, way in (
            (QInputDialog, "getText"),
            (QFileDialog, "getSaveFileName"),
            (QFileDialog, "getOpenFileName"),
        ):
            self.monkeypatch.setattr(dialog, way, lambda *args, **more: answer)
        next(action for action in self.menu.menu.actions() if action.objectName() == name).trigger()


@pytest.fixture
def asked(qtbot, monkeypatch):
    return Asked(qtbot, monkeypatch)


def test_settings_are_named(asked):
    asked.do("save", (" My lamp ", True))
    assert asked.told == [("taken", "My lamp")]
    assert (own_presets()["My lamp"].base, own_presets()["My lamp"].settings) == ("skin", SETTINGS)
    asked.do("save", ("another", False))
    assert list(own_presets()) == ["My lamp"]


@pytest.mark.parametrize(("answer", "taken"), [("Yes", 2), ("No", 1)])
def test_a_preset_of_the_same_name_is_not_lost_without_a_question(asked, monkeypatch, answer, taken):
    monkeypatch.setattr(QMessageBox, "question", lambda *args: getattr(QMessageBox.StandardButton, answer))
    for _ in range(2):
        asked.do("save", ("My lamp", True))
    assert len(asked.told) == taken


def test_a_name_of_the_program_s_own_is_refused(asked):
    asked.do("save", ("Skin lesion", True))
    assert asked.told[0][0] == "failed"
    assert own_presets() == {}


def test_shared_as_a_file_and_taken_back(asked, tmp_path):
    file = tmp_path / "for a colleague.json"
    asked.do("export", (str(file), ""))
    assert read_preset(file).settings == SETTINGS
    asked.do("take", (str(file), ""))
    assert asked.told == [("taken", "Shared settings")]
    assert own_presets()["Shared settings"].settings == SETTINGS


def test_a_foreign_file_is_refused_and_nothing_is_taken(asked, tmp_path):
    file = tmp_path / "foreign.json"
    file.write_text('{"kind": "something else"}')
    asked.do("take", (str(file), ""))
    assert asked.told[0][0] == "failed"
    assert "foreign.json" in asked.told[0][1]
    assert own_presets() == {}


def test_one_s_own_preset_can_be_deleted_and_a_shipped_one_not(asked):
    asked.do("drop")
    assert asked.told == []
    asked.menu.keep("My lamp")
    asked.menu.show_chosen(own_presets()["My lamp"])
    asked.do("drop")
    assert asked.told == [("taken", "My lamp"), ("dropped",)]
    assert own_presets() == {}
