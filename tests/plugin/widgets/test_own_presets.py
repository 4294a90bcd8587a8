"""Presets of the user's own, from one window to the next."""

import pytest

from napari_s3net.errors import WriteError
from napari_s3net.plugin.widgets.own_presets import drop_preset, keep_preset, own_presets, preset_folder
from napari_s3net.preset_files import OwnPreset
from napari_s3net.settings import presets

SETTINGS = presets["skin"].settings


def test_what_is_kept_is_there_by_name_and_can_be_replaced_and_deleted():
    assert own_presets() == {}
    for name in ("zoom/../.. 2", "Ärzte", "an older one"):
        keep_preset(OwnPreset(name, "skin", SETTINGS))
    assert list(own_presets()) == ["an older one", "zoom/../.. 2", "Ärzte"]
    assert len(list(preset_folder().iterdir())) == 3
    keep_preset(OwnPreset("Ärzte", "skin", SETTINGS.replace(seed=5)))
    assert own_presets()["Ärzte"].settings.seed == 5
    drop_preset("Ärzte")
    drop_preset("Ärzte")
    assert list(own_presets()) == ["an older one", "zoom/../.. 2"]


def test_a_damaged_file_is_left_out_and_stays():
    keep_preset(OwnPreset("mine", "skin", SETTINGS))
    (file,) = preset_folder().iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'), encoding="utf-8")
    assert own_presets() == {}
    assert file.exists()


def test_a_folder_that_cannot_be_written_is_told():
    preset_folder().parent.mkdir(parents=True, exist_ok=True)
    preset_folder().write_text("a file in the place of the folder")
    with pytest.raises(WriteError):
        keep_preset(OwnPreset("mine", "skin", SETTINGS))
