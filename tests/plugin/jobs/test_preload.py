"""What the window needs for its first result, loaded in a thread."""

import sys

import pytest

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


def test_what_is_not_installed_is_no_failure(monkeypatch):
    monkeypatch.setattr(module, "MODULES", ("no_such_module", *module.MODULES))
    assert module.preloading().result() is None
