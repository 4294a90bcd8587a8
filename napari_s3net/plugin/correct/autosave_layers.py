"""Sessions on the screen: taken from the layers every minute and at the end, and put back when asked for."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Image as ImageLayer
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_s3net.errors import ReadError
from napari_s3net.plugin.correct import autosave as disk
from napari_s3net.plugin.correct.autosave import RecentSession, SavedSession, SessionWriter
from napari_s3net.plugin.correct.chosen_labels import ChosenLabels
from napari_s3net.plugin.correct.label_editor import editor_of
from napari_s3net.plugin.layers.file_of import file_of
from napari_s3net.plugin.layers.locks import locks_of
from napari_s3net.plugin.layers.packed import PackedPlane, check_sum
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.renewal import renewals_of
from napari_s3net.plugin.layers.result_layer import add_layer, metadata_of, recolour
from napari_s3net.plugin.layers.run_cache import CachedRun, first_labels, put_run
from napari_s3net.plugin.layers.slice_states import states_of
from napari_s3net.plugin.layers.source import finest_level, layer_placement, source_of
from napari_s3net.plugin.layers.stroke_layer import find_strokes, is_strokes
from napari_s3net.plugin.layers.target import previewed

#: Between two times of saving; and between two looks at whether a session is on the disk.
SAVE_MS, POLL_MS = 60_000, 200

_of_viewers: weakref.WeakKeyDictionary[Any, Autosave] = weakref.WeakKeyDictionary()
#: The array that an image layer had when its check sum was computed, and the sum.
_sums: weakref.WeakKeyDictionary[ImageLayer, tuple[weakref.ref[Any], int]] = weakref.WeakKeyDictionary()


def autosave_of(viewer: Any) -> Autosave:
    """What saves the sessions of a viewer; the docks of a viewer share it.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are saved.

    Returns
    -------
    Autosave
        A dock `hold`s it, and calls `release` when it is closed.
    """
    viewer = plain(viewer)
    if viewer not in _of_viewers:
        _of_viewers[viewer] = Autosave(viewer)
    return _of_viewers[viewer]


class Autosave(QObject):
    """Saves every label layer on an image that has changed, and reopens what was saved.

    It belongs to no widget: napari deletes its window, and all widgets in it, before the program ends, and what was
    painted last has to be saved even then.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are saved; held weakly.

    Signals
    -------
    told(str)
        When a session was saved, or why it was not.
    """

    told = Signal(str)

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._known = weakref.ref(viewer)
        self._writer = SessionWriter()
        self._changed: weakref.WeakSet[Labels] = weakref.WeakSet()
        self._followed: weakref.WeakSet[Labels] = weakref.WeakSet()
        self._held = 0
        self._timer, self._poll = QTimer(self), QTimer(self)
        for timer, milliseconds, slot in ((self._timer, SAVE_MS, self.save), (self._poll, POLL_MS, self._tell)):
            timer.setInterval(milliseconds)
            timer.timeout.connect(slot)

    @property
    def recent(self) -> list[RecentSession]:
        """The newest sessions, of whatever image."""
        return disk.recent(disk.session_folder())

    def hold(self) -> None:
        """Begin to save, or go on for one more dock."""
        self._held += 1
        if self._held == 1:
            for event, slot in self._viewer_events():
                event.connect(slot)
            QApplication.instance().aboutToQuit.connect(self.save)
            self._follow()
            self._timer.start()

    def release(self) -> None:
        """A dock is closed; after the last one, save once more and stop."""
        self._held -= 1
        if self._held:
            return
        self._timer.stop()
        self.save()
        self._poll.stop()
        QApplication.instance().aboutToQuit.disconnect(self.save)
        for event, slot in self._viewer_events():
            event.disconnect(slot)
        for layer in self._followed:
            for event in (layer.events.paint, layer.events.set_data):
                event.disconnect(self._mark)
        self._followed.clear()

    def _viewer_events(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, renewals = self._viewer.layers.events, renewals_of(self._viewer)
        return [
            (layers.inserted, self._follow),
            (layers.removing, self._save_removed),
            (renewals.renewing, self._save_renewed),
            (renewals.renewed, self._forget),
        ]

    def mark_changed(self, layer: Labels | None) -> None:
        """Note that labels, their strokes, names or locks may have changed, and have to be saved the next time.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The labels; None for none.
        """
        if layer is not None:
            self._changed.add(layer)

    def labels_of(self, layer: Labels) -> Labels:
        """The labels that a layer of strokes corrects; any other layer itself.

        Parameters
        ----------
        layer : napari.layers.Labels
            Labels or strokes.

        Returns
        -------
        napari.layers.Labels
            In the viewer.
        """
        if not is_strokes(layer):
            return layer
        layers = [one for one in map(plain, self._viewer.layers) if isinstance(one, Labels)]
        return next((one for one in layers if find_strokes([layer], one) is layer), layer)

    def save(self, layers: list[Labels] | None = None) -> None:
        """Save what has changed; in a thread, so that painting goes on. What a run is previewing waits.

        Parameters
        ----------
        layers : list of napari.layers.Labels, optional
            Only these.
        """
        if self._known() is None:
            return
        for layer in [one for one in self._changed - previewed if layers is None or one in layers]:
            self._changed.discard(layer)
            if (session := self._session(layer)) is not None:
                self._writer.save(session, layer)
                self._poll.start()

    def wait(self) -> None:
        """Wait until what was begun to save is on the disk."""
        self._writer.wait()

    def session_of(self, image: ImageLayer) -> Path | None:
        """Find the newest session of an image.

        Parameters
        ----------
        image : napari.layers.Image
            In the viewer.

        Returns
        -------
        Path or None
            For `reopen`; None where there is none.
        """
        return disk.find(disk.session_folder(), image.name, _path_of(image), finest_level(image)[1])

    def reopen(self, file: Path) -> Labels:
        """Put image, labels and strokes back.

        Parameters
        ----------
        file : Path
            Of the session.

        Returns
        -------
        napari.layers.Labels
            The labels, which are selected.

        Raises
        ------
        ReadError
            If there is no such session, or its image is not there any more, or has other pixels.
        """
        self._writer.wait()
        saved, viewer = disk.load(file), self._viewer
        image = self._find(saved) or self._open(saved)
        if saved.pixels is not None and _pixels_of(image) not in (saved.pixels, None):
            raise ReadError(
                f"The image {saved.image} has other pixels than when the session was saved, so its labels do not "
                "belong to it. They stay on the disk; open the image that they were made on."
            )
        source = source_of(image, viewer.dims.point, viewer.dims.order[-2:])
        layer = add_layer(viewer, image, source, saved.name)
        layer.data[...] = saved.labels
        if saved.metadata:
            geometry = layer_placement(image, source.shape).geometry
            layer.metadata = {KEY: {**saved.metadata, "source": image.name, "geometry": geometry}}
            recolour(layer)
        layer.refresh()
        editor = editor_of(viewer, layer)
        editor.locks.labels.update(saved.locked)
        editor.locks.held = saved.locked_part
        _put_slices_back(layer, saved)
        if saved.strokes.any():
            editor.strokes.put(saved.strokes)
        viewer.layers.selection.active = layer
        return layer

    @property
    def _viewer(self) -> Any:
        viewer = self._known()
        assert viewer is not None  # noqa: S101 - a dock that holds this lives in it
        return viewer

    def _follow(self, event: Any = None) -> None:
        """Hear of changes in labels and strokes, also in those that come later."""
        for layer in map(plain, self._viewer.layers):
            if isinstance(layer, Labels) and layer not in self._followed:
                self._followed.add(layer)
                for emitter in (layer.events.paint, layer.events.set_data):
                    emitter.connect(self._mark)

    def _mark(self, event: Any) -> None:
        self.mark_changed(self.labels_of(event.source))

    def _save_removed(self, event: Any) -> None:
        """Before labels, their strokes or their image go."""
        gone = plain(self._viewer.layers[event.index])
        if isinstance(gone, Labels):
            self.save([self.labels_of(gone)])
        elif isinstance(gone, ImageLayer):
            self.save(list(self._changed))

    def _save_renewed(self, event: Any) -> None:
        """Before labels give way to those of another image."""
        self.save([one for one in event.layers if isinstance(one, Labels)])

    def _forget(self, event: Any) -> None:
        """What has just come from the disk has not changed."""
        self._changed.difference_update(event.layers)

    def _tell(self) -> None:
        """Say how saving ended; what failed is tried again at the next time."""
        if self._writer.is_busy:
            return
        self._poll.stop()
        failure, layers = self._writer.collect()
        for layer in layers:
            self._changed.add(layer)
        self.told.emit(failure or f"Session saved {datetime.now().astimezone():%H:%M}")

    def _session(self, layer: Labels) -> SavedSession | None:
        """The session as it is now, in arrays of its own; None for what is no label layer on an image."""
        chosen = ChosenLabels(self._viewer)
        if layer not in chosen.candidates():
            return None
        chosen.layer = layer
        source, strokes, locks = chosen.source, find_strokes(self._viewer.layers, layer), locks_of(layer)
        if source is None or chosen.problem:
            return None
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
            pixels=_pixels_of(chosen.image),
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


def _pixels_of(image: ImageLayer | None) -> int | None:
    """Check sum of an image's values; None where they would have to be computed or read from the disk."""
    data = None if image is None else finest_level(image)[0]
    if not isinstance(data, np.ndarray) or isinstance(data, np.memmap):
        return None
    known = _sums.get(image)
    if known is None or known[0]() is not data:
        known = _sums[image] = (weakref.ref(data), check_sum(data))
    return known[1]


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
    file = file_of(layer)
    if saved.path is None or file is None:
        return saved.path is None and file is None and layer.name == saved.image
    return file == Path(saved.path)


def _path_of(layer: ImageLayer) -> str | None:
    """The file of an image as a session knows it."""
    file = file_of(layer)
    return None if file is None else str(file)
