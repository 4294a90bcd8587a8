"""What the window needs for its first result and its next dock, loaded in a thread before it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module

#: What napari imports for its first labels layer; and what matches a result to the one before, and cuts regions.
MODULES = ("pandas", "scipy.optimize", "skimage.segmentation")
#: The docks, of which the others open after one did.
DOCKS = tuple(f"napari_s3net.plugin.{room}.dock" for room in ("correct", "batch", "learn", "segment"))


@cache
def preloading() -> Future[None]:
    """Begin to load, once in a process.

    Returns
    -------
    concurrent.futures.Future
        Its `result` waits until what a result needs is there; the other docks come after it. Never fails: whatever
        cannot be loaded now is loaded, or missed, later.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="preload")
    loading = thread.submit(_load_for_results)
    thread.submit(_load, DOCKS)
    thread.shutdown(wait=False)
    return loading


def _load(modules: Iterable[str]) -> None:
    for name in modules:
        with suppress(ImportError):
            import_module(name)


def _load_for_results() -> None:
    _load(MODULES)
    with suppress(ImportError, AttributeError, TypeError):
        # Vispy keeps its patterns, which it computes for the first line that is drawn: 0.2 s.
        import_module("vispy.visuals.line.dash_atlas").DashAtlas()
