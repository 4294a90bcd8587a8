"""Measure the longest time for which the window stands still during each action, in a real window.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/stalls.py [--size 1500] [--write docs/stalls.md]

Wall time is what a person waits, and grows with whatever else the machine does; "computed" is what of it the window's
own thread computed. An action that takes one event of Qt counts as a whole. What napari itself takes for the same is
measured in a process of its own, in which the plugin is not loaded.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QApplication, QLabel

#: After an action the window is watched for at least this long, so that what it puts off is seen.
WATCH = 0.6
#: Photographs in the folder; the review goes through all.
PHOTOGRAPHS = 3
HEAD = """# How long the window stands still

Made by `scripts/stalls.py` on {cores}, with photographs of {size} × {size} pixels, on a machine with {load:.1f}
other jobs at a time: the longest time in which the window answered nothing, for each action in turn, in
milliseconds. *Waited* is by the clock; *computed* is what of it the window's own thread computed. *Napari alone* is
what that thread computes where napari does the same without this plugin: opens the file by its own reader, adds an
empty dock, adds a label layer, adds another one and takes its brush, paints, removes two layers and adds two others,
closes; for a review, adds an image and labels to an empty window. Its first label layer, its first brush and its first
unit of length build things that later ones share.

| action | waited | computed | garbage | napari alone |
|---|---|---|---|---|
"""
TAIL = """
## What is left, and whose it is

- The first dock is opened in a process in which nothing of the plugin was loaded, so what it imports counts. What the
  first result needs besides, and the other docks, are imported in a thread once it is open (*open Correct* computed 242
  ms before, *open Batch* 248, *open Learn* 201).
- *Open a photograph*, *first run*, *take the brush* and *begin a review* are mostly napari's own first image, first
  label layer, first outline and first brush: it reads the units of length and builds its programs for OpenGL, with
  which the processor draws here. Later ones are faster: compare *first run* and *second run*.
- *Open Segment*: its fields, buttons and lines take 0.2 s to make, style and lay out (0.3 s before the twenty fields of
  *More settings* waited until they are unfolded), its imports 0.1 to 0.2 s.
- *Next image* and a review keep their layers, see `napari_s3net/plugin/layers/renewal.py`. Where the next image is of
  another kind or pixel size its layers are new, and that takes what napari alone takes.
- *Garbage* is the longest of Python's own collections that fell into the action. It comes when enough objects were
  made, whoever made them, so another order of actions puts it elsewhere. Napari collects after layers were removed,
  too. A full one looks at 270,000 objects when Segment is open, of which napari with an image has 238,000 by itself,
  and at 400,000 once the network library is loaded. To keep Python from it, or to hide these objects (`gc.freeze`),
  would be decided for the whole process and all its plugins, so this plugin does not.
"""
Rows = list[tuple[str, float, float, float]]


class Watch:
    """Does actions one after the other and notes the longest stall of each."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.rows: Rows = []
        self._quiet = quiet
        self._begun = self._collected = 0.0
        gc.callbacks.append(self._note_collection)

    def _note_collection(self, phase: str, _: dict[str, int]) -> None:
        """Python begins or ends to collect garbage; what other threads collect holds up the window as well."""
        if phase == "start":
            self._begun = time.perf_counter()
        else:
            self._collected = max(self._collected, 1000 * (time.perf_counter() - self._begun))

    def do(self, name: str, action: Callable[[], object], until: Callable[[], bool] = lambda: True) -> None:
        """Do something, and watch until it is over and the window has been quiet for a moment."""
        worst, self._collected = [0.0, 0.0], 0.0

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
        self.rows.append((name, worst[0], worst[1], self._collected))
        if not self._quiet:
            print(f"{name:28s} waited {worst[0]:5.0f} ms, computed {worst[1]:5.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1500)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--alone", type=Path, help="a photograph: measure napari alone with it, print it as JSON")
    parser.add_argument("--make", type=Path, help="a folder: write photographs into it")
    asked = parser.parse_args()
    if asked.alone is not None:
        print(json.dumps(measure_alone(asked.alone)))
        return
    if asked.make is not None:
        make_photographs(asked.make, asked.size)
        return
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # In processes of their own, so that nothing is loaded in this one that a user's napari has not loaded.
        make = [sys.executable, __file__, "--size", str(asked.size), "--make", str(place / "photographs")]
        subprocess.run(make, check=True)
        photographs = sorted((place / "photographs").iterdir())
        run = [sys.executable, __file__, "--alone", str(photographs[0])]
        alone = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        keep_apart(place)
        rows = measure(photographs[0]) + measure_review(photographs[0].parent, place / "results")
    if asked.write is not None:
        from napari_s3net.runtime.machine import cores

        known = {name: f"{cpu:.0f}" for name, _, cpu, _ in alone}
        table = "".join(
            f"| {name} | {wall:.0f} | {cpu:.0f} | {garbage:.0f} | {known.get(name, '')} |\n"
            for name, wall, cpu, garbage in rows
        )
        head = HEAD.format(cores=f"{cores()} cores", size=asked.size, load=load)
        asked.write.write_text(head + table + TAIL, encoding="utf-8")


def keep_apart(place: Path) -> None:
    """Sessions and what docks remember go to a folder of their own (on Linux), not to this machine's user."""
    os.environ |= {"XDG_DATA_HOME": str(place / "data"), "XDG_CONFIG_HOME": str(place / "config")}


def make_photographs(folder: Path, size: int) -> None:
    """Synthetic photographs in a folder."""
    import PIL.Image
    from skimage.transform import resize

    from napari_s3net import phantom

    folder.mkdir()
    for n in range(PHOTOGRAPHS):
        array = resize(phantom.dermoscopy(seed=n).image.array, (size, size), preserve_range=True).astype(np.uint8)
        PIL.Image.fromarray(array).save(folder / f"photo{n}.jpg", quality=92)


def open_window() -> napari.Viewer:
    """Napari on a small laptop's screen."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1366, 748)
    return viewer


def dock_of(name: str) -> Any:
    """The dock of that class; what it needs is imported as it is opened, and not for this script before."""
    return next(one for one in QApplication.allWidgets() if type(one).__name__ == name)


def disc(shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The pixels of a stroke in the middle."""
    where = np.nonzero(np.hypot(*(np.indices((200, 200)) - 100)) < 60)
    return tuple(axis + side // 2 for axis, side in zip(where, shape, strict=True))


def measure_alone(photograph: Path) -> Rows:
    """What napari itself does, without the plugin."""
    watch, viewer = Watch(quiet=True), open_window()
    watch.do("napari itself, idle", lambda: None)
    watch.do("open a photograph", lambda: viewer.open(str(photograph), plugin="napari"))
    watch.do("open Segment", lambda: viewer.window.add_dock_widget(QLabel("empty"), name="empty"))
    shape = viewer.layers[0].data.shape[:2]
    watch.do("first run", lambda: viewer.add_labels(np.zeros(shape, np.int32)))

    def brush() -> None:
        strokes = viewer.add_labels(np.zeros(shape, np.int32))
        viewer.layers.selection.active, strokes.mode = strokes, "paint"

    watch.do("take the brush", brush)
    watch.do("a stroke", lambda: viewer.layers[-1].data_setitem(disc(shape), 1))
    watch.do("undo", viewer.layers[-1].undo)

    def another() -> None:
        """The next image and its labels, and those before go."""
        old = list(viewer.layers)
        viewer.open(str(photograph), plugin="napari")
        viewer.add_layer(Labels(np.zeros(shape, np.int32)))
        for layer in reversed(old):
            viewer.layers.remove(layer)
        viewer.reset_view()

    watch.do("next image", another)
    watch.do("next image in a review", another)
    watch.do("close", viewer.close)
    viewer = open_window()

    def first() -> None:
        """As a review begins with napari alone, in an empty window."""
        viewer.open(str(photograph), plugin="napari")
        viewer.add_layer(Labels(np.zeros(shape, np.int32)))

    watch.do("begin a review", first)
    viewer.close()
    return watch.rows


def measure(photograph: Path) -> Rows:
    """Go through a session as a person would; the stalls of each action."""
    watch, viewer = Watch(), open_window()
    watch.do("napari itself, idle", lambda: None)
    watch.do("open a photograph", lambda: viewer.open(str(photograph), plugin="napari-s3net"))
    watch.do("open Segment", lambda: viewer.window.add_plugin_dock_widget("napari-s3net", "Segment"))
    dock = dock_of("SegmentDock")
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
    correct = dock_of("CorrectDock")
    watch.do("take the brush", lambda: correct.brush.take("object"))
    strokes = correct.editor.strokes.layer
    place = disc(strokes.data.shape)
    watch.do("a stroke", lambda: strokes.data_setitem(place, strokes.selected_label))
    watch.do("re-run with strokes", correct.paint.rerun.click, lambda: not correct.background.running)
    watch.do("fill holes", lambda: correct.tools.asked.emit("fill_holes"))
    from napari_s3net.plugin.layers.undo import undo_log_of

    watch.do("undo", undo_log_of(viewer).undo)
    watch.do("next image", lambda: dock.panel.asked.emit("next_image"))
    watch.do("close", viewer.close)
    return watch.rows


def measure_review(photographs: Path, output: Path) -> Rows:
    """Segment a folder, and look through its results."""
    watch, viewer = Watch(), open_window()
    watch.do("open Batch", lambda: viewer.window.add_plugin_dock_widget("napari-s3net", "Batch"))
    dock = dock_of("BatchDock")
    watch.do("choose a folder", lambda: setattr(dock.form.source, "value", photographs))
    dock.form.output.value = output
    watch.do("look into the folders", dock._scan_folders, lambda: not dock._scan.is_on)
    from napari_s3net.plugin.jobs.thread_job import is_busy

    watch.do("a batch", dock.start_button.click, lambda: dock.job is None and not is_busy())
    watch.do("begin a review", dock.review_button.click)
    for _ in range(PHOTOGRAPHS - 1):
        watch.do("next image in a review", dock.panel.buttons["accept"].click)
    watch.do("open Learn", lambda: viewer.window.add_plugin_dock_widget("napari-s3net", "Learn"))
    viewer.close()
    return watch.rows


if __name__ == "__main__":
    main()
