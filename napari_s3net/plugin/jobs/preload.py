"""What the window needs for its first result, loaded in a thread before: it would hold up the window there."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module

#: What napari imports for its first labels layer; and what matches a result to the one before, and cuts regions.
MODULES = ("pandas", "scipy.optimize", "skimage.segmentation")


@cache
def preloading() -> Future[None]:
    """Begin to load, once in a process.

    Returns
    -------
    concurrent.futures.Future
        Its `result` waits until all is there. Never fails: whatever cannot be loaded now is loaded, or missed, later.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="preload")
    loading = thread.submit(_load)
    thread.shutdown(wait=False)
    return loading


def _load() -> None:
    for name in MODULES:
        with suppress(ImportError):
            import_module(name)
    with suppress(ImportError, AttributeError, TypeError):
        # Vispy keeps its patterns, which it computes for the first line that is drawn: 0.2 s.
        import_module("vispy.visuals.line.dash_atlas").DashAtlas()
