"""What the window needs for its first result, loaded in a thread."""

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import napari_s3net
from napari_s3net.plugin.jobs import preload as module


@pytest.fixture(autouse=True)
def anew():
    module.preloading.cache_clear()
    yield
    module.preloading.cache_clear()


def test_all_is_there_afterwards_and_loaded_once():
    from vispy.visuals.line.dash_atlas import DashAtlas, _make_pattern

    module.preloading().result()
    assert set(module.MODULES) <= set(sys.modules)
    before = _make_pattern.cache_info().misses
    DashAtlas()
    assert _make_pattern.cache_info().misses == before, "the first line that is drawn computes no pattern"
    assert module.preloading() is module.preloading()


def test_the_docks_come_after_and_are_those_of_the_menu(monkeypatch):
    from npe2 import PluginManifest

    manifest = PluginManifest.from_file(Path(napari_s3net.__file__).with_name("napari.yaml"))
    commands = {command.id: command.python_name for command in manifest.contributions.commands}
    offered = {commands[widget.command].partition(":")[0] for widget in manifest.contributions.widgets}
    assert {name for name in offered if name.endswith(".dock")} == set(module.DOCKS)
    loaded = []
    monkeypatch.setattr(module, "import_module", lambda name: loaded.append(name) or SimpleNamespace(DashAtlas=int))
    before = set(threading.enumerate())
    module.preloading().result()
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert loaded[: len(module.MODULES)] == list(module.MODULES)
    assert loaded[-len(module.DOCKS) :] == list(module.DOCKS)


def test_what_is_not_installed_is_no_failure(monkeypatch):
    monkeypatch.setattr(module, "MODULES", ("no_such_module", *module.MODULES))
    assert module.preloading().result() is None
