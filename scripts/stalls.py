"""Measure the longest time for which the window stands still during each action, in a real window.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/stalls.py [--size 1500] [--write docs/stalls.md]

Wall time is what a person waits, and grows with whatever else the machine does; "computed" is what of it the window's
own thread computed. An action that takes one event of Qt counts as a whole.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
import PIL.Image
from qtpy.QtWidgets import QApplication
from skimage.transform import resize

from napari_s3net import phantom
from napari_s3net.plugin.correct import autosave
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.layers.undo import undo_log_of
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.plugin.widgets import remembered

#: After an action the window is watched for at least this long, so that what it puts off is seen.
WATCH = 0.6
HEAD = """# How long the window stands still

Made by `scripts/stalls.py` on {cores}, with a photograph of {size} × {size} pixels: the longest time in which the
window answered nothing, for each action in turn, in milliseconds. *Waited* is by the clock, on a machine that does
other work too; *computed* is what of it the window's own thread computed. Much of opening, closing and going to the
next image is napari's own: adding a layer's controls, and a collection of garbage at each removal.

| action | waited | computed |
|---|---|---|
"""


class Watch:
    """Does actions one after the other and notes the longest stall of each."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float]] = []

    def do(self, name: str, action: Callable[[], object], until: Callable[[], bool] = lambda: True) -> None:
        """Do something, and watch until it is over and the window has been quiet for a moment."""
        worst = [0.0, 0.0]

        def timed(step: Callable[[], object]) -> None:
            wall, cpu = time.perf_counter(), time.thread_time()
            step()
            wall, cpu = 1000 * (time.perf_counter() - wall), 1000 * (time.thread_time() - cpu)
            worst[:] = max(worst[0], wall), max(worst[1], cpu)

        timed(action)
        end = time.perf_counter() + WATCH
        while time.perf_counter() < end or not until():
            timed(QApplication.processEvents)
            time.sleep(0.003)
            if not until():
                end = time.perf_counter() + WATCH
        self.rows.append((name, *worst))
        print(f"{name:28s} waited {worst[0]:5.0f} ms, computed {worst[1]:5.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1500)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        autosave.session_folder = lambda: place / "sessions"
        remembered.memory_file = lambda: place / "docks.json"
        rows = measure(make_photographs(place, asked.size))
    if asked.write is not None:
        from napari_s3net.runtime.machine import cores

        table = "".join(f"| {name} | {wall:.0f} | {cpu:.0f} |\n" for name, wall, cpu in rows)
        asked.write.write_text(HEAD.format(cores=f"{cores()} cores", size=asked.size) + table, encoding="utf-8")


def make_photographs(folder: Path, size: int) -> Path:
    """Two synthetic photographs in a folder; the first one's path."""
    for n in range(2):
        array = resize(phantom.dermoscopy(seed=n).image.array, (size, size), preserve_range=True).astype(np.uint8)
        PIL.Image.fromarray(array).save(folder / f"photo{n}.jpg", quality=92)
    return folder / "photo0.jpg"


def measure(photograph: Path) -> list[tuple[str, float, float]]:
    """Go through a session as a person would; the stalls of each action."""
    watch, viewer = Watch(), napari.Viewer()
    viewer.window._qt_window.resize(1366, 748)
    watch.do("napari itself, idle", lambda: None)
    watch.do("open a photograph", lambda: viewer.open(str(photograph), plugin="napari-s3net"))
    watch.do("open Segment", lambda: viewer.window.add_plugin_dock_widget("napari-s3net", "Segment"))
    dock = next(one for one in QApplication.allWidgets() if isinstance(one, SegmentDock))
    settled = lambda: not dock.session.phase.is_busy  # noqa: E731
    watch.do("first run", dock.run_button.click, settled)
    watch.do("second run", dock.run_button.click, settled)
    watch.do("show clusters", lambda: setattr(dock.panel.clusters, "value", True))
    table = dock.panel.table.clusters
    watch.do("tick a cluster", lambda: table.ticked.emit(table.rows[-1].label, True))
    watch.do("measurements", dock.panel.measures.fold.toggleButton().click)
    watch.do("save", dock.panel.save.click)
    watch.do("save the session", dock.autosave.save)
    watch.do("open Correct", dock.panel.correct.click)
    correct = next(one for one in QApplication.allWidgets() if isinstance(one, CorrectDock))
    watch.do("take the brush", lambda: correct.brush("object"))
    middle = photograph_size(photograph) // 2
    where = np.nonzero(np.hypot(*(np.indices((200, 200)) - 100)) < 60)
    place = tuple(axis + middle for axis in where)
    watch.do("a stroke", lambda: correct.editor.strokes.data_setitem(place, correct.editor.strokes.selected_label))
    watch.do("re-run with strokes", correct.paint.rerun.click, lambda: not correct.background.running)
    watch.do("fill holes", lambda: correct.tools.asked.emit("fill_holes"))
    watch.do("undo", undo_log_of(viewer).undo)
    watch.do("next image", lambda: dock.panel.asked.emit("next_image"))
    watch.do("close", viewer.close)
    return watch.rows


def photograph_size(path: Path) -> int:
    """Its columns."""
    with PIL.Image.open(path) as image:
        return int(image.size[0])


if __name__ == "__main__":
    main()
