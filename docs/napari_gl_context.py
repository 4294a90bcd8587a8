"""Napari alone: a segmentation fault after layers were removed (napari 0.9.2, vispy 0.17, Mesa's software driver).

    xvfb-run -a python docs/napari_gl_context.py          # ends with signal 11 in glDrawArrays
    xvfb-run -a python docs/napari_gl_context.py current  # ends with 0

When layers are removed, napari calls `context.finish()` on its canvas, which sends vispy's queued deletions of
textures, buffers and programs to OpenGL. That happens outside of `paintGL`, where the canvas' context is not the
current one. With the context made current before, as `napari_s3net/plugin/widgets/graphics.py` does, nothing fails.
"""

import sys
import time

import napari
import numpy as np
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication


def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)


def make_current(_):
    for window in QApplication.topLevelWidgets():
        for canvas in window.findChildren(QOpenGLWidget):
            canvas.makeCurrent()


viewer = napari.Viewer(show=True)
if "current" in sys.argv:
    viewer.layers.events.removing.connect(make_current)
viewer.add_image(np.random.default_rng(0).random((192, 256)))
wait(1)
for n in range(5):
    viewer.add_labels(np.zeros((192, 256), int))
    wait(0.5)
    viewer.layers.clear()
    viewer.add_image(np.random.default_rng(n).random((192, 256)))
    wait(0.5)
    print(n, flush=True)
