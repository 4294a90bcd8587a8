"""A Qt binding that will end the process is told once."""

import sys
from types import SimpleNamespace

import pytest
import qtpy

from napari_s3net.plugin.widgets import binding


@pytest.fixture(autouse=True)
def anew():
    binding.warn_of_binding.cache_clear()
    yield
    binding.warn_of_binding.cache_clear()


def test_what_is_installed_is_as_it_should_be():
    is_broken = qtpy.API_NAME == "PySide6" and qtpy.PYSIDE_VERSION == "6.12.0" and sys.version_info < (3, 12)
    assert binding.loses_references() == is_broken


def test_a_binding_that_loses_references_is_told_once(qtbot, monkeypatch):
    counts, said = [190_000, 189_001], []
    counted = SimpleNamespace(version_info=(3, 11), getrefcount=lambda _: counts.pop(0))
    monkeypatch.setattr(binding, "sys", counted)
    monkeypatch.setattr(binding, "show_warning", said.append)
    binding.warn_of_binding.cache_clear()  # a dock of another test may have looked since
    binding.warn_of_binding()
    binding.warn_of_binding()
    (words,) = said
    assert qtpy.API_NAME in words
    assert "Save your work" in words
