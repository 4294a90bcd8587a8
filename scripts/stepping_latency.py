"""Measure how long a step through a volume of 200 slices takes in a real window: alone, with a result, with its object.

At the end the same layers without the dock, which is what napari itself takes: all steps in one process, one after the
other, so that they can be compared on a machine that does other work as well.

    xvfb-run -a -s "-screen 0 1366x768x24" python scripts/stepping_latency.py

Milliseconds from setting the slider until the window has handled its events, and what of them this thread computed.
"""

from __future__ import annotations

import time
from dataclasses import replace

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_s3net import phantom
from napari_s3net.image import Geometry
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.volume_target import VolumeTarget
from napari_s3net.plugin.segment.dock import SegmentDock
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.settings import preset_settings

SLICES, STEPS = 200, range(60, 90)


def wait(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def measure(viewer: napari.Viewer, what: str) -> None:
    wall, cpu = [], []
    for step in STEPS:
        started, computed = time.perf_counter(), time.thread_time()
        viewer.dims.set_current_step(0, step)
        QApplication.processEvents()
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.thread_time() - computed))
    print(
        f"{what:24s} wall: median {np.median(wall):4.0f}, most {max(wall):4.0f} ms;"
        f" computed: median {np.median(cpu):4.0f}, most {max(cpu):4.0f} ms"
    )


def main() -> None:
    sample = phantom.chest_ct(seed=0)
    stack = np.stack([np.roll(sample.image.array, n % 7, 0) for n in range(SLICES)])
    lungs = np.stack([np.roll(sample.mask, n % 7, 0) for n in range(SLICES)])
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    dock = SegmentDock(viewer)
    viewer.window.add_dock_widget(dock, name="Segment")
    viewer.add_image(stack, name="chest", units=("mm",) * 3, metadata={KEY: {"kind": "ct"}})
    wait(1)
    measure(viewer, "image")
    made = Provenance(settings=preset_settings("ct-lung"))
    made = replace(made, slices=tuple(replace(made, slice=n) for n in range(SLICES)))
    labels = np.where(lungs, 1, 2).astype(np.int32)
    result = Segmentation(labels, (1,), Geometry.identity(3), made, {1: "Lung", 2: "Other"}, object_name="Lung")
    target = VolumeTarget(viewer, viewer.layers[0], Stack.whole(dock.source), new_layer=False)
    started = time.perf_counter()
    target.finish(result, "ct-lung")
    print(f"writing the whole result: {1000 * (time.perf_counter() - started):.0f} ms")
    dock._moved()
    wait(1)
    measure(viewer, "with a result")
    dock._ask("object_layer")
    wait(1)
    measure(viewer, "with its object as well")
    viewer.window.remove_dock_widget(dock)
    wait(1)
    measure(viewer, "these layers, no dock")
    viewer.close()


if __name__ == "__main__":
    main()
