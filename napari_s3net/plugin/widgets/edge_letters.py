"""Letters at the four edges of napari's canvas: which side of the patient lies there."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QLabel, QWidget

#: Light on dark, so that they show on every image.
STYLE = "QLabel { color: white; background: rgba(0, 0, 0, 130); border-radius: 3px; padding: 1px 4px; font: bold; }"
MARGIN = 6


class EdgeLetters(QObject):
    """Shows four letters, or none.

    Parameters
    ----------
    dock : QWidget
        Somewhere in napari's window; elsewhere nothing is shown. Letters that are asked for before it is there come
        when it is shown.
    """

    def __init__(self, dock: QWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._letters: tuple[str, ...] = ()
        self._canvas: QOpenGLWidget | None = None
        self.labels: list[QLabel] = []
        dock.installEventFilter(self)

    def show_letters(self, letters: Sequence[str] | None) -> None:
        """Show letters; nothing is done where they are those that are shown.

        Parameters
        ----------
        letters : sequence of str or None
            At the left, the right, the top and the bottom edge; None for none.
        """
        asked = tuple(letters or ())
        if asked == self._letters and (not asked or self._is_there):
            return
        self._letters = asked
        if asked and not self._is_there:
            self._make()
        if self._is_there:
            for label, letter in zip(self.labels, asked or [""] * 4, strict=True):
                label.setText(letter)
                label.setVisible(bool(letter))
            self._place()

    def release(self) -> None:
        """Take the letters away."""
        if self._canvas is not None and isalive(self._canvas):
            self._canvas.removeEventFilter(self)
            for label in self.labels:
                label.deleteLater()
        self._canvas, self.labels, self._letters = None, [], ()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """For Qt: the letters stay at the edges of a canvas that gets another size, and come with the dock."""
        if event.type() == QEvent.Type.Show and watched is self._dock:
            self.show_letters(self._letters)
        elif event.type() == QEvent.Type.Resize and watched is self._canvas:
            self._place()
        return False

    @property
    def _is_there(self) -> bool:
        return self._canvas is not None and isalive(self._canvas)

    def _make(self) -> None:
        canvases = [one for one in self._dock.window().findChildren(QOpenGLWidget) if one.isVisible()]
        if not canvases:
            return
        self._canvas = max(canvases, key=lambda one: one.width() * one.height())
        self.labels = [QLabel(self._canvas) for _ in range(4)]
        for label in self.labels:
            label.setStyleSheet(STYLE)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._canvas.installEventFilter(self)

    def _place(self) -> None:
        if not self._is_there or not self.labels:
            return
        assert self._canvas is not None  # noqa: S101 - it is there
        width, height = self._canvas.width(), self._canvas.height()
        for label in self.labels:
            label.adjustSize()
        left, right, top, bottom = self.labels
        left.move(MARGIN, (height - left.height()) // 2)
        right.move(width - right.width() - MARGIN, (height - right.height()) // 2)
        top.move((width - top.width()) // 2, MARGIN)
        bottom.move((width - bottom.width()) // 2, height - bottom.height() - MARGIN)
