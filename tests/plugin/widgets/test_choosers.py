"""What can be chosen before a run, and what it leads to."""

import pytest
from qtpy.QtCore import Qt

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.plugin.widgets.choosers import OWN, Choosers
from napari_s3net.preset_files import OwnPreset
from napari_s3net.settings import Settings, presets

pytestmark = pytest.mark.viewer


@pytest.fixture
def choosers(qtbot):
    choosers = Choosers()
    qtbot.addWidget(choosers)
    qtbot.addWidget(choosers.form)
    return choosers


def test_it_begins_with_the_settings_of_the_generic_preset(choosers):
    assert choosers.preset_name == "generic"
    assert choosers.settings() == presets["generic"].settings
    assert not choosers.reset.isEnabled()


def test_every_preset_can_be_chosen_and_says_what_it_is_for(choosers):
    assert choosers.preset.choices == tuple(presets)
    tips = [choosers.preset.native.itemData(n, Qt.ItemDataRole.ToolTipRole) for n in range(len(presets))]
    assert tips == [preset.help for preset in presets.values()]


def test_choosing_tells_and_showing_does_not(choosers, qtbot):
    with qtbot.assertNotEmitted(choosers.preset_chosen):
        choosers.show_preset("skin", "chosen for you")
    assert choosers.preset_name == "skin"
    assert choosers.preset_line.text().endswith("chosen for you")
    with qtbot.waitSignal(choosers.preset_chosen, timeout=1000) as told:
        choosers.preset.native.activated.emit(choosers.preset.native.currentIndex())
    assert told.args == ["skin"]


@pytest.mark.parametrize("own", [False, True], ids=["a shipped one", "one of the user's own"])
def test_the_preset_that_is_chosen_in_the_list_is_the_one_that_is_told(choosers, qtbot, own):
    choosers.show_own_presets({"My lamp": OwnPreset("My lamp", "skin", presets["skin"].settings)})
    key = OWN + "My lamp" if own else "mri"
    place = choosers.preset.choices.index(key)
    choosers.preset.native.setCurrentIndex(place)
    with qtbot.waitSignal(choosers.preset_chosen, timeout=1000) as told:
        choosers.preset.native.activated.emit(place)
    assert told.args == [key]


def test_images_are_listed_with_their_whole_names_as_tips(choosers, qtbot):
    choosers.show_images(["a", "a very long name of an image"], 1)
    assert choosers.image.toolTip() == "a very long name of an image"
    with qtbot.waitSignal(choosers.image_chosen, timeout=1000) as told:
        choosers.image.activated.emit(0)
    assert told.args == [0]
    choosers.show_images([], -1)
    assert choosers.image.count() == 0
    assert choosers.image.toolTip()


def test_devices_are_listed_once_they_are_known_and_the_choice_stays(choosers):
    choosers.choose_device("cpu")
    choosers.show_devices(("cuda:0", "cpu"), " Quick.")
    assert choosers.device.choices == ("auto", "cuda:0", "cpu")
    assert choosers.device_name == "cpu"
    assert choosers.device_line.text().endswith(" Quick.")
    choosers.show_devices(("cuda:0",), "")
    assert choosers.device_name == "auto", "what is no longer there is not computed on"
    choosers.choose_device("mps")
    assert choosers.device_name == "auto"


def test_the_line_says_what_is_computed_on(choosers):
    choosers.show_devices(("cuda:0", "cpu"), "")
    assert "cuda:0" in choosers.device_line.text()
    choosers.choose_device("cpu")
    assert choosers.device_line.text().startswith("CPU")


def test_memory_stands_in_the_line_of_a_card_and_in_the_tip_of_the_cpu(choosers):
    choosers.show_devices(("cuda:0", "cpu"), " Quick.", "Memory: little.")
    assert choosers.device_line.text().endswith(" Quick. Memory: little.")
    choosers.choose_device("cpu")
    assert choosers.device_line.text().endswith(" Quick.")
    assert choosers.device_line.toolTip().endswith(" Quick. Memory: little.")


def test_back_to_the_preset(choosers):
    choosers.show_preset("mri", "")
    choosers.show_settings(presets["mri"].settings)
    choosers.set_working_size(64)
    assert choosers.settings() == presets["mri"].settings.replace(working_size=64)
    assert choosers.reset.isEnabled()
    choosers.reset.click()
    assert choosers.settings() == presets["mri"].settings
    assert not choosers.reset.isEnabled()


def test_what_differs_from_the_preset_is_told_beside_it(choosers):
    choosers.show_preset("generic", "chosen for you")
    choosers.fields["max_iter"].value = 9
    assert choosers.preset_line.text() == "Iterations at most changed · chosen for you"
    choosers.fields["seed"].value = 9
    assert choosers.preset_line.text() == "2 settings changed · chosen for you"
    choosers.reset.click()
    assert choosers.preset_line.text() == "chosen for you"


def test_own_presets_stand_in_the_same_list_and_bring_their_settings(choosers):
    mine = OwnPreset("My lamp", "skin", presets["skin"].settings.replace(max_iter=7))
    choosers.show_own_presets({"My lamp": mine})
    choosers.show_preset(OWN + "My lamp", "")
    assert (choosers.preset_name, choosers.preset_settings()) == ("skin", mine.settings)
    choosers.show_settings(mine.settings)
    assert not choosers.reset.isEnabled()
    choosers.show_own_presets({})
    assert (choosers.preset_key, choosers.own_preset) == ("skin", None), "the one that it started from"


def test_only_the_user_edits(choosers, qtbot):
    with qtbot.assertNotEmitted(choosers.settings_edited):
        choosers.show_settings(presets["mri"].settings.replace(seed=4))
    with qtbot.waitSignal(choosers.settings_edited, timeout=1000):
        choosers.fields["seed"].value = 5
    with qtbot.waitSignal(choosers.settings_edited, timeout=1000):
        choosers.reset.click()


def test_a_setting_that_changes_is_told(choosers, qtbot):
    with qtbot.waitSignal(choosers.settings_changed, timeout=1000):
        choosers.fields["seed"].value = 3
    assert choosers.settings().seed == 3


def test_settings_that_contradict_each_other_are_refused(choosers):
    choosers.fields["window_low"].value = 3000
    with pytest.raises(InvalidSettingsError, match="below window_high"):
        choosers.settings()


def test_settings_come_back_as_they_were_shown(choosers):
    wanted = Settings(seed=9, working_size=200, attention=False, learning_rate=0.01234)
    choosers.show_settings(wanted)
    assert choosers.settings() == wanted


def test_every_control_says_what_it_does(choosers):
    widgets = [field.native for field in choosers.fields.values()]
    widgets += [choosers.presets.button, choosers.image, choosers.preset.native, choosers.device.native, choosers.reset]
    assert [widget.objectName() for widget in widgets if not widget.toolTip()] == []
    assert choosers.fold.toggleButton().toolTip()
