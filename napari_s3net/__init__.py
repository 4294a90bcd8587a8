"""Segment single medical images without labels: S³-Net with losses that work, in napari and from Python."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("napari-s3net")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"

_HOMES = {
    "Geometry": "image",
    "Image": "image",
    "Segmentation": "image",
    "Step": "image",
    "as_image": "image",
    "Settings": "settings",
    "presets": "settings",
    "read_image": "io",
    "write_labels": "io",
    "suggest_preset": "preprocess",
    "segment": "segmentation",
    "iter_segment": "segmentation",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package loads neither torch nor SimpleITK."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
