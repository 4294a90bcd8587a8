"""How quickly a stroke shows while a run is under way: time from the mouse's move to the drawn canvas.

Run it on a quiet machine, with a screen: xvfb-run -a -s "-screen 0 1366x768x24" python scripts/painting_latency.py
It paints the same stroke in turns without and during a run of the network on a 512 × 512 photograph, and prints median
and 95th percentile of both, and the load of the machine.
"""

import os
import sys
import time

import napari
import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from skimage.transform import resize

from napari_s3net import phantom, presets
from napari_s3net.plugin.jobs.run import Run
from napari_s3net.plugin.jobs.thread_job import is_busy
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.source import source_of

SIDE, MOVES, TURNS = 512, 60, 3


def spin(until, seconds=120.0):
    """Let Qt work until something is so."""
    end = time.perf_counter() + seconds
    while not until() and time.perf_counter() < end:
        QApplication.processEvents()


def point(viewer, native, row, column):
    """Where a pixel of the image lies on the canvas."""
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    down, right = ((p - c) * camera.zoom for p, c in zip((row, column), camera.center[-2:], strict=True))
    return QPoint(round(native.width() / 2 + right), round(native.height() / 2 + down))


def stroke(viewer, drawn):
    """Milliseconds of each move of one long stroke."""
    native = viewer.window._qt_viewer.canvas.native
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=point(viewer, native, SIDE / 2, SIDE * 0.1))
    taken = []
    for i in range(MOVES):
        place = point(viewer, native, SIDE * (0.3 + 0.4 * (i % 2)), SIDE * (0.1 + 0.8 * i / MOVES))
        asked, before = time.perf_counter(), len(drawn)
        QTest.mouseMove(native, place)
        spin(lambda before=before: len(drawn) > before, 2)
        taken.append(1000 * (time.perf_counter() - asked))
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=point(viewer, native, SIDE / 2, SIDE * 0.9))
    return taken[3:]


def main():
    """Measure in turns, and print."""
    viewer = napari.Viewer()
    array = resize(phantom.dermoscopy(seed=0).image.array, (SIDE, SIDE), anti_aliasing=True)
    image = plain(viewer.add_image((255 * array).astype(np.uint8), name="sample"))
    strokes = viewer.add_labels(np.zeros((SIDE, SIDE), np.int32))
    strokes.mode, strokes.brush_size = "paint", 15
    drawn = []
    viewer.window._qt_viewer.canvas._scene_canvas.events.draw.connect(lambda _: drawn.append(1))
    spin(lambda: len(drawn) > 3, 5)
    stroke(viewer, drawn)
    source = source_of(image, viewer.dims.point, viewer.dims.order[-2:])
    found = {"alone": [], "beside a run": []}
    for _ in range(TURNS):
        found["alone"] += stroke(viewer, drawn)
        run = Run(source, presets["skin"].settings.replace(max_iter=1000, min_labels=2), "cpu")
        run.start()
        spin(lambda run=run: len(run.collect().steps) > 0)
        found["beside a run"] += stroke(viewer, drawn)
        if not is_busy():
            sys.exit("The run was over before the stroke: nothing was measured.")
        run.cancel()
        spin(lambda: not is_busy())
    figures = {name: np.percentile(taken, (50, 95)) for name, taken in found.items()}
    for name, (median, slow) in figures.items():
        sys.stdout.write(f"{name}: median {median:.1f} ms, 95th percentile {slow:.1f} ms\n")
    ratios = figures["beside a run"] / figures["alone"]
    sys.stdout.write(
        f"ratio {ratios[0]:.2f} and {ratios[1]:.2f}, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n"
    )
    viewer.close()


if __name__ == "__main__":
    main()
