"""The session on the screen: taken from the layers every minute and at the end, and put back when asked for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QLabel

from napari_s3net.errors import ReadError
from napari_s3net.plugin.correct.autosave import Keeper, Saved, load, session_folder
from napari_s3net.plugin.correct.controller import Correcting
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.result_layer import add_layer, metadata_of, plain, recolour
from napari_s3net.plugin.layers.source import KEY, finest_level, layer_geometry, source_of

SAVE_MS = 60_000


class LastSession:
    """Keeps the labels that are corrected, and reopens them."""

    def __init__(self, viewer: Any, work: Correcting, line: QLabel, parent: QObject) -> None:
        self._viewer, self._work, self._line = viewer, work, line
        self._keeper = Keeper()
        self._dirty = False
        self._timer = QTimer(parent)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.save)
        self._timer.start()

    @property
    def exists(self) -> bool:
        """Whether there is a session to reopen."""
        return (session_folder() / "session.npz").is_file()

    def changed(self) -> None:
        """Something may have changed since the last time."""
        self._dirty = True

    def save(self) -> None:
        """Save what has changed, and show when."""
        if words := self.save_silently():
            self._line.setText(words)

    def save_silently(self) -> str:
        """Save what has changed; in a thread, so that painting goes on.

        Touches no widget, so it may be called while napari closes.

        Returns
        -------
        str
            What the user should read; empty if nothing had changed.
        """
        if not self._dirty or not self._work.is_there:
            return ""
        failure = self._keeper.failure()
        self._dirty = False
        self._keeper.save(self._taken())
        return failure or f"Session saved {datetime.now().astimezone():%H:%M}"

    def release(self) -> None:
        """The dock is going away."""
        self._timer.stop()
        self.save()

    def reopen(self) -> None:
        """Put image, labels and strokes back.

        Raises
        ------
        ReadError
            If there is no session, or its image is not there any more.
        """
        self._keeper.wait()
        saved = load(session_folder())
        image = self._find(saved) or self._open(saved)
        source = source_of(image, self._viewer.dims.point, self._viewer.dims.order[-2:])
        layer = add_layer(self._viewer, image, source, saved.name)
        layer.data[...] = saved.labels
        if saved.note:
            geometry = layer_geometry(image, source.shape)
            layer.metadata = {KEY: {**saved.note, "source": image.name, "geometry": geometry}}
            recolour(layer)
        layer.refresh()
        self._work.choose(layer)
        locks = self._work.locks
        locks.labels.update(saved.locked)
        locks.held = saved.held
        if saved.strokes.any():
            self._work.put_strokes(saved.strokes)
        self._viewer.layers.selection.active = layer

    def _taken(self) -> Saved:
        """The session as it is now, in arrays of its own."""
        layer, source, strokes = self._work.layer, self._work.source, self._work.strokes
        assert layer is not None  # noqa: S101 - saved only with labels
        assert source is not None  # noqa: S101 - saved only with an image
        locks = locks_of(layer)
        drawn = np.zeros(layer.data.shape, np.int32) if strokes is None else np.array(strokes.data)
        return Saved(
            image=source.name,
            path=source.path,
            labels=np.array(layer.data),
            strokes=drawn,
            name=layer.name,
            note=metadata_of(layer) or {},
            locked=tuple(sorted(locks.labels)),
            held=None if locks.held is None or not locks.held.any() else locks.held.copy(),
        )

    def _find(self, saved: Saved) -> ImageLayer | None:
        """The session's image, if it is open."""
        images = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, ImageLayer)]
        fitting = [one for one in images if finest_level(one)[1] == saved.labels.shape]
        return next((one for one in fitting if one.name == saved.image), None)

    def _open(self, saved: Saved) -> ImageLayer:
        """The session's image from its file."""
        if saved.path is None or not Path(saved.path).exists():
            raise ReadError(f"Open the image {saved.image} first, then reopen the session.")
        self._viewer.open(saved.path, plugin="napari-s3net")
        found = self._find(saved) or next(
            (one for one in map(plain, self._viewer.layers[::-1]) if isinstance(one, ImageLayer)), None
        )
        if found is None or finest_level(found)[1] != saved.labels.shape:
            raise ReadError(f"The image {saved.image} is not as it was; the session does not fit it.")
        return found
