"""Ctrl-Z and Ctrl-Shift-Z in the whole window, as long as one of the docks is in it."""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.undo import undo_log_of

_keys: weakref.WeakKeyDictionary[QWidget, UndoKeys] = weakref.WeakKeyDictionary()


def hold_keys(window: QWidget, viewer: Any, dock: QObject) -> None:
    """Bind the keys for a dock; those of several docks in a window are the same.

    Parameters
    ----------
    window : qtpy.QtWidgets.QWidget
        Where the keys work. Fields in which somebody types keep their own undo.
    viewer : napari.Viewer
        Whose layers are changed.
    dock : qtpy.QtCore.QObject
        Holds the keys until `release_keys`.
    """
    if window not in _keys:
        _keys[window] = UndoKeys(window, viewer)
    _keys[window].holders.add(dock)


def release_keys(dock: QObject) -> None:
    """Let a dock's keys go; with the last dock the window has napari's own again.

    Parameters
    ----------
    dock : qtpy.QtCore.QObject
        As given to `hold_keys`; one that holds none is no fault.
    """
    for window, keys in list(_keys.items()):
        keys.holders.discard(dock)
        if not keys.holders:
            keys.remove()
            del _keys[window]


class UndoKeys:
    """The two shortcuts of a window.

    Parameters
    ----------
    window : qtpy.QtWidgets.QWidget
        Owns them.
    viewer : napari.Viewer
        Its status bar says what was undone.
    """

    def __init__(self, window: QWidget, viewer: Any) -> None:
        self.holders: weakref.WeakSet[QObject] = weakref.WeakSet()
        self._viewer, self._log = weakref.ref(plain(viewer)), undo_log_of(viewer)
        self.shortcuts = [
            self._bind(window, keys, slot) for keys, slot in (("Ctrl+Z", self.undo), ("Ctrl+Shift+Z", self.redo))
        ]

    def undo(self) -> None:
        """Take the last step back, whichever layer it changed."""
        self._tell(self._log.undo())

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._tell(self._log.redo())

    def remove(self) -> None:
        """Take the shortcuts out of the window."""
        for shortcut in self.shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()

    @staticmethod
    def _bind(window: QWidget, keys: str, slot: Any) -> QShortcut:
        shortcut = QShortcut(QKeySequence(keys), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(slot)
        return shortcut

    def _tell(self, words: str) -> None:
        viewer = self._viewer()
        if viewer is not None:
            viewer.status = words
