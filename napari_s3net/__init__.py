"""Segment single medical images without labels: S³-Net with losses that work, in napari and from Python."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Geometry": "image",
    "Image": "image",
    "Segmentation": "result",
    "Step": "progress",
    "as_image": "image",
    "Settings": "settings",
    "presets": "settings",
    "read_image": "io",
    "write_labels": "io",
    "suggest_preset": "preprocessing.suggest",
    "segment": "segmentation",
    "iter_segment": "segmentation",
    "segment_volume": "volume.whole",
    "iter_volume": "volume.whole",
    "refine": "correction.refine",
    "uncertainty": "correction.uncertainty",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package loads neither torch nor SimpleITK."""
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    """The installed version; reading it takes longer than importing this module, so it waits until it is asked for."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("napari-s3net")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0.0.0"
