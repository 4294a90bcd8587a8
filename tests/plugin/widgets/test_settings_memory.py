"""Settings that are there again when the dock is opened another day."""

import pytest
from qtpy.QtCore import QObject

from napari_s3net.plugin.widgets.choosers import OWN, Choosers
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.plugin.widgets.settings_memory import SettingsMemory
from napari_s3net.settings import presets

pytestmark = pytest.mark.viewer


class Day:
    """The choosers of a dock, and the memory they have on that day."""

    def __init__(self, qtbot):
        self.owner, self.choosers = QObject(), Choosers()
        for widget in (self.choosers, self.choosers.form):
            qtbot.addWidget(widget)
        self.memory = SettingsMemory(self.choosers, self.owner)
        self.choosers.preset_chosen.connect(self.take)

    def take(self, key):
        self.choosers.show_preset(key, "")
        self.choosers.show_settings(self.memory.settings_of_chosen())


@pytest.fixture
def day(qtbot):
    days = []

    def begin(key="skin"):
        days.append(Day(qtbot))
        days[-1].take(key)
        return days[-1]

    return begin


def test_what_was_changed_of_a_preset_is_there_again_and_of_no_other(day):
    day().choosers.fields["max_iter"].value = 11
    assert day().choosers.settings() == presets["skin"].settings.replace(max_iter=11)
    assert "Iterations at most changed" in day().choosers.preset_line.text()
    assert day("mri").choosers.settings() == presets["mri"].settings


def test_back_to_the_preset_forgets_it(day):
    day().choosers.fields["max_iter"].value = 11
    day().choosers.reset.click()
    assert day().choosers.settings() == presets["skin"].settings


@pytest.mark.parametrize("changes", [{"colour": 1}, {"max_iter": -1}, "damaged"])
def test_what_another_version_remembered_changes_nothing(day, changes):
    remember("settings/skin", changes)
    assert day().choosers.settings() == presets["skin"].settings


def test_settings_that_are_named_are_chosen_and_the_preset_is_itself_again(day):
    first = day()
    first.choosers.fields["max_iter"].value = 11
    first.choosers.presets.keep("My lamp")
    assert first.choosers.preset_key == OWN + "My lamp"
    assert first.choosers.settings().max_iter == 11
    assert day().choosers.settings() == presets["skin"].settings
    assert day(OWN + "My lamp").choosers.settings().max_iter == 11


def test_one_s_own_preset_is_taken_for_the_next_image_of_that_kind_until_another_is_chosen(day):
    first = day()
    first.choosers.presets.keep("My lamp")
    first.memory.choose("skin", OWN + "My lamp")
    assert day().memory.chosen_for("skin") == OWN + "My lamp"
    assert day().memory.chosen_for("mri") == "mri"
    first.memory.choose("skin", "generic")
    assert day().memory.chosen_for("skin") == "skin", "a shipped preset is chosen for one image"


def test_a_deleted_preset_is_taken_no_more(day):
    first = day()
    first.choosers.presets.keep("My lamp")
    first.memory.choose("skin", OWN + "My lamp")
    next(one for one in first.choosers.presets.menu.actions() if one.objectName() == "drop").trigger()
    assert first.choosers.preset_key == "skin"
    assert recall("preset/skin") == OWN + "My lamp"
    assert day().memory.chosen_for("skin") == "skin"
