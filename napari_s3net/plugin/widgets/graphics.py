"""OpenGL as napari needs it while layers are removed."""

from __future__ import annotations

from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QWidget


def make_canvas_current(part: QWidget) -> None:
    """Make the OpenGL context of napari's canvas current; called before a layer is removed.

    Napari deletes the textures and buffers of a removed layer at once, but Qt makes the canvas' context current only
    while it draws. Deleting them in another context takes the process down at one of the next drawings: with Mesa's
    software driver in every try. `docs/napari_gl_context.py` shows it with napari alone (0.9.2).

    Parameters
    ----------
    part : QWidget
        Any widget of the window; one that is in no window has no canvas beside it, and nothing is done.
    """
    while (parent := part.parentWidget()) is not None:
        part = parent
    for canvas in part.findChildren(QOpenGLWidget):
        canvas.makeCurrent()
