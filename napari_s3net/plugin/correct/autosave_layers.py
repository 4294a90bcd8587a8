"""The session on the screen: taken from the layers every minute and at the end, and put back when asked for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_s3net.errors import ReadError
from napari_s3net.plugin.correct.autosave import SavedSession, SessionWriter, load, session_folder
from napari_s3net.plugin.correct.controller import LabelEditor
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.packed import PackedPlane, check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.result_layer import add_layer, metadata_of, plain, recolour
from napari_s3net.plugin.layers.run_cache import CachedRun, first_labels, put_run
from napari_s3net.plugin.layers.slice_states import states_of
from napari_s3net.plugin.layers.source import finest_level, layer_placement, source_of

#: Between two times of saving; and between two looks at whether a session is on the disk.
SAVE_MS, POLL_MS = 60_000, 200


class Autosave(QObject):
    """Saves the labels that are corrected, and reopens them.

    It belongs to no widget: napari deletes its window, and all widgets in it, before the program ends, and what was
    painted last has to be saved even then.

    Parameters
    ----------
    viewer : napari.Viewer
        Where a session is reopened.
    editor : LabelEditor
        Knows what is corrected.

    Signals
    -------
    told(str)
        When the session was saved, or why it was not.
    """

    told = Signal(str)

    def __init__(self, viewer: Any, editor: LabelEditor) -> None:
        super().__init__()
        self._viewer, self._editor = viewer, editor
        self._writer = SessionWriter()
        self._is_changed = False
        self._timer, self._poll = QTimer(self), QTimer(self)
        for timer, milliseconds, slot in ((self._timer, SAVE_MS, self.save), (self._poll, POLL_MS, self._tell)):
            timer.setInterval(milliseconds)
            timer.timeout.connect(slot)
        self._timer.start()

    @property
    def exists(self) -> bool:
        """Whether there is a session to reopen."""
        return (session_folder() / "session.npz").is_file()

    def mark_changed(self) -> None:
        """Note that something may have changed, and has to be saved the next time."""
        self._is_changed = True

    def save(self) -> None:
        """Save what has changed; in a thread, so that painting goes on."""
        if not self._is_changed or not self._editor.is_there:
            return
        self._is_changed = False
        self._writer.save(self._session())
        self._poll.start()

    def wait(self) -> None:
        """Wait until what was begun to save is on the disk."""
        self._writer.wait()

    def release(self) -> None:
        """Save once more and stop: the dock is closed."""
        self._timer.stop()
        self.save()
        self._poll.stop()

    def reopen(self) -> None:
        """Put image, labels and strokes back.

        Raises
        ------
        ReadError
            If there is no session, or its image is not there any more.
        """
        self._writer.wait()
        saved = load(session_folder())
        image = self._find(saved) or self._open(saved)
        source = source_of(image, self._viewer.dims.point, self._viewer.dims.order[-2:])
        layer = add_layer(self._viewer, image, source, saved.name)
        layer.data[...] = saved.labels
        if saved.metadata:
            geometry = layer_placement(image, source.shape).geometry
            layer.metadata = {KEY: {**saved.metadata, "source": image.name, "geometry": geometry}}
            recolour(layer)
        layer.refresh()
        self._editor.choose(layer)
        locks = self._editor.locks
        locks.labels.update(saved.locked)
        locks.held = saved.locked_part
        _put_slices_back(layer, saved)
        if saved.strokes.any():
            self._editor.put_strokes(saved.strokes)
        self._viewer.layers.selection.active = layer

    def _tell(self) -> None:
        """Say how saving ended; what failed is tried again at the next time."""
        if self._writer.is_busy:
            return
        self._poll.stop()
        failure = self._writer.failure
        self._is_changed = self._is_changed or bool(failure)
        self.told.emit(failure or f"Session saved {datetime.now().astimezone():%H:%M}")

    def _session(self) -> SavedSession:
        """The session as it is now, in arrays of its own."""
        layer, source, strokes = self._editor.layer, self._editor.source, self._editor.strokes
        assert layer is not None  # noqa: S101 - saved only with labels
        assert source is not None  # noqa: S101 - saved only with an image
        locks = locks_of(layer)
        drawn = np.zeros(layer.data.shape, np.int32) if strokes is None else np.array(strokes.data)
        return SavedSession(
            image=source.name,
            path=source.path,
            labels=np.array(layer.data),
            strokes=drawn,
            name=layer.name,
            metadata=metadata_of(layer) or {},
            locked=tuple(sorted(locks.labels)),
            locked_part=None if locks.held is None or not locks.held.any() else locks.held.copy(),
            states=states_of(layer).copy(),
            first=first_labels(layer),
        )

    def _find(self, saved: SavedSession) -> ImageLayer | None:
        """The session's image, if it is open: the one from its file, for others of the same name are not it."""
        images = [layer for layer in map(plain, self._viewer.layers) if isinstance(layer, ImageLayer)]
        fitting = [one for one in images if finest_level(one)[1] == saved.labels.shape]
        return next((one for one in fitting if _is_image_of(one, saved)), None)

    def _open(self, saved: SavedSession) -> ImageLayer:
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


def _put_slices_back(layer: Labels, saved: SavedSession) -> None:
    """Give a layer the states of its slices back, and the labels that "Revert" goes back to."""
    for key, plane in saved.first.items():
        first = PackedPlane.of(plane.labels.astype(layer.data.dtype))
        put_run(layer, key, CachedRun({}, first, first))
    states = states_of(layer)
    states.seen, states.corrected = set(saved.states.seen), set(saved.states.corrected)
    for key, number in saved.states.carried.items():
        if number == check_sum(saved.labels[key.index]):
            states.carried[key] = check_sum(layer.data[key.index])


def _is_image_of(layer: ImageLayer, saved: SavedSession) -> bool:
    """Whether a layer shows a session's image: by its file, or by its name where it is from none."""
    if saved.path is None:
        return layer.source.path is None and layer.name == saved.image
    return layer.source.path is not None and Path(layer.source.path) == Path(saved.path)
