"""Run a generated CT of many slices in a real window: how long it takes, how much memory, how long the window pauses.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/large_volume.py [DEPTH]

The CT (512 × 512 pixels a slice) lies on the disk and is memory-mapped. While the run goes on, a timer that is due
every 20 ms notes how late it comes, and how much of that time the window's own thread computed: on a machine that does
other work as well, only the second is the window's. Afterwards the session is saved, and the run undone and redone.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from measure_volumes import generated
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.contributions.reader import layer_data
from napari_s3net.plugin.correct.dock import CorrectDock
from napari_s3net.plugin.segment.dock import SegmentDock

TICK_MS, LONG_MS, REPORT = 20, 100, 100


class Watch:
    """How late a timer of the window comes."""

    def __init__(self) -> None:
        self._last = time.perf_counter(), time.thread_time()
        self.late: list[tuple[float, float]] = []
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.late.append((1000 * (now[0] - self._last[0]), 1000 * (now[1] - self._last[1])))
        self._last = now

    def tell(self, what: str) -> None:
        """Print what came since the last time."""
        wall, own = np.array(self.late).T
        self.late = []
        print(
            f"{what}: {(own > LONG_MS).sum()} times the window's thread computed more than {LONG_MS} ms at once, "
            f"most {own.max():.0f} ms (99 % below {np.percentile(own, 99):.0f}); longest pause {wall.max():.0f} ms",
            flush=True,
        )


def wait(until: Callable[[], bool], seconds: float = 3600) -> None:
    end = time.perf_counter() + seconds
    while not until() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.002)


def peak() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB at the peak"


def open_docks(viewer: napari.Viewer) -> tuple[SegmentDock, CorrectDock]:
    docks = SegmentDock(viewer), CorrectDock(viewer)
    for dock, name in zip(docks, ("Segment", "Correct"), strict=True):
        viewer.window.add_dock_widget(dock, name=name)
    return docks


def run(segment: SegmentDock, depth: int, watch: Watch) -> None:
    """Segment the whole volume, and tell how far it is and what it took."""
    started, computed = time.perf_counter(), time.process_time()
    reported = [0]

    def report(steps: Any) -> None:
        done = steps[-1].slice
        if done >= reported[0] + REPORT:
            reported[0] = done
            what, seconds = "done" if steps[-1].iteration else "looked at", time.perf_counter() - started
            print(f"  slice {done} {what} after {seconds:.0f} s, {peak()}", flush=True)

    segment.session.stepped.connect(report)
    segment.run()
    wait(lambda: not segment.session.phase.is_busy)
    wall, cpu = time.perf_counter() - started, time.process_time() - computed
    print(f"run: {wall:.0f} s, {wall / depth:.3f} s a slice; {cpu / depth:.3f} s of computing a slice; {peak()}")
    print(segment.panel.line.text().replace("\n", " · "), flush=True)
    watch.tell("during the run")


def save_session(correct: CorrectDock, layer: Any, watch: Watch) -> None:
    correct.autosave.mark_changed(layer)
    correct.autosave.save()
    wait(lambda: False, 1)
    watch.tell("saving the session")
    correct.autosave.wait()  # stands still until the file is written: no pause of the window
    wait(lambda: False, 0.1)
    watch.late = []
    print(peak())


def undo_and_redo(layer: Any, watch: Watch) -> None:
    layer.undo()
    wait(lambda: False, 1)
    watch.tell("undoing the run")
    layer.redo()
    wait(lambda: False, 1)
    watch.tell("redoing it")


def main() -> None:
    depth = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        image = generated(depth, Path(folder))
        viewer = napari.Viewer()
        viewer.window.resize(1366, 768)
        segment, correct = open_docks(viewer)
        array, attributes, _ = layer_data(image)
        viewer.add_image(array, **attributes)
        wait(lambda: False, 2)
        print(f"{depth} slices, {array.nbytes / 2**30:.1f} GiB on the disk; opened: {peak()}", flush=True)
        watch = Watch()
        run(segment, depth, watch)
        layer = segment.result.layer
        save_session(correct, layer, watch)
        undo_and_redo(layer, watch)
        viewer.close()


if __name__ == "__main__":
    main()
