"""Corrections in a stack: carried to other slices, filled between two, taken back; and which slices were looked at."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_s3net.correction.slice_interpolation import fill_between
from napari_s3net.correction.slice_propagation import Propagation, iter_propagate
from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.plugin.correct.label_editor import LabelEditor
from napari_s3net.plugin.jobs.background import MakeSteps
from napari_s3net.plugin.jobs.run import spare_core
from napari_s3net.plugin.layers.packed import check_sum
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.run_cache import cache_run, cached_run, compare_with_runs, remember_as_found
from napari_s3net.plugin.layers.slice_states import SliceState, states_of
from napari_s3net.plugin.layers.source import Source
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.layers.written_labels import write_planes_undoable
from napari_s3net.plugin.widgets.text import plural
from napari_s3net.progress import Step


@dataclass(frozen=True, eq=False)
class StackChange:
    """What a job made of the slices of a stack.

    Parameters
    ----------
    planes : dict of int to numpy.ndarray
        New labels (H, W) of each slice that changed.
    sums : dict of int to int
        Check sums of the labels that these slices had when the job began.
    words : str
        What came of it, a sentence for the screen.
    drawn : tuple of int
        Slices that changed by their own strokes; the others follow them.
    foreground : tuple of int
        The object's labels; empty where they are as before.
    """

    planes: dict[int, NDArray[np.int32]]
    sums: dict[int, int]
    words: str
    drawn: tuple[int, ...] = ()
    foreground: tuple[int, ...] = ()


class StackEditor:
    """The slices along the slider's axis, of the labels that an editor corrects.

    Parameters
    ----------
    editor : LabelEditor
        Knows the labels and the plane in view.
    """

    def __init__(self, editor: LabelEditor) -> None:
        self._editor = editor

    @property
    def slices(self) -> int:
        """How many slices there are; 1 for a single plane, and without labels."""
        source = self._editor.source if self._editor.is_there else None
        return 1 if source is None else source.slices

    @property
    def position(self) -> int:
        """The slice in view, as the slider counts it."""
        return self._editor.in_view()[1].position or 0

    # -- states

    def states(self) -> list[SliceState]:
        """Say how far a person is with each slice.

        Returns
        -------
        list of SliceState
            By slice, as the slider counts them.
        """
        layer, key = self._editor.in_view()
        known = states_of(layer)
        return [known.of(key.at(n)) for n in range(key.slices_in(layer.data.shape))]

    def follow(self) -> None:
        """Note whether the slice in view is corrected; a slice that no run has made is remembered as it is at first."""
        layer, key = self._editor.in_view()
        remember_as_found(layer, key)
        compare_with_runs(layer, {key: check_sum(layer.data[key.index])})

    def mark_seen(self) -> None:
        """Note that somebody has looked at the slice in view."""
        layer, key = self._editor.in_view()
        states_of(layer).seen.add(key)

    def next_unseen(self) -> int | None:
        """The next slice that nobody has looked at, after the last one from the first again.

        Returns
        -------
        int or None
            None where there is none; slices without labels do not count.
        """
        layer, key = self._editor.in_view()
        states, here = self.states(), key.position or 0
        for n in (*range(here + 1, len(states)), *range(here)):
            if states[n] is SliceState.UNSEEN and layer.data[key.at(n).index].any():
                return int(n)
        return None

    def _corrected(self) -> list[int]:
        return [n for n, state in enumerate(self.states()) if state is SliceState.CORRECTED]

    # -- carried to other slices

    def propagation(self, end: int) -> MakeSteps:
        """Prepare to carry the correction of the slice in view as far as another one.

        Parameters
        ----------
        end : int
            The slice at which it ends at the latest.

        Returns
        -------
        callable
            For `Background.start`; the job's outcome is a `StackChange`.
        """
        layer, source = self._editor.target()
        self.follow()
        run = cached_run(layer, source.key)
        labels, start = _stack_of(layer, source), source.position or 0
        corrected = [n for n in self._corrected() if n != start]
        before = labels[start] if run is None else run.first.labels
        settings = self._editor.result().settings

        def make(_: Image) -> Generator[Step, bool | None, StackChange]:
            image, sums = Stack.whole(source).read(), _check_sums(labels)
            found = yield from iter_propagate(image, labels, before, start, end, settings, corrected=corrected)
            return StackChange(found.labels, sums, _said(found))

        return make

    def rerun(self) -> MakeSteps:
        """Prepare a re-run with the strokes of all slices.

        Returns
        -------
        callable
            For `Background.start`; the job's outcome is a `StackChange`.

        Raises
        ------
        InvalidImageError
            If there are no strokes.
        """
        layer, source = self._editor.target()
        self.follow()
        labels, strokes, locks = _stack_of(layer, source), self._strokes(source), self._editor.locks
        result, ids = replace(self._editor.result(), labels=labels), set(locks.labels)
        region = None if locks.held is None else source.key.stack_in(locks.held)
        runs = {n: run for n in self._corrected() if (run := cached_run(layer, source.key.at(n))) is not None}

        def make(_: Image) -> Generator[Step, bool | None, StackChange]:
            from napari_s3net.correction.refine_volume import iter_refine_volume

            image, sums = Stack.whole(source).read(), _check_sums(labels)
            by_hand = {n: labels[n] != run.labels for n, run in runs.items()}  # strokes are obeyed anew
            with spare_core():
                found = yield from iter_refine_volume(
                    image, result, strokes, locked=ids, locked_region=region, corrected=by_hand
                )
            return StackChange(found.planes, sums, str(found), found.drawn, found.foreground)

        return make

    def _strokes(self, source: Source) -> dict[int, NDArray[np.int32]]:
        """The strokes (H, W) of each slice that was drawn on, copies."""
        layer = self._editor.strokes.layer
        drawn = () if layer is None else source.key.stack_in(layer.data)
        found = {n: np.array(plane, np.int32) for n, plane in enumerate(drawn) if plane.any()}
        if not found:
            raise InvalidImageError("There are no strokes in any slice yet: paint what is wrong, in one or in several.")
        return found

    def take(self, layer: Labels, source: Source, change: StackChange) -> int:
        """Write what a job made of the slices, as one step that undo takes back.

        Parameters
        ----------
        layer : napari.layers.Labels
            Gets the labels.
        source : Source
            A plane of the stack.
        change : StackChange
            What came of the job.

        Returns
        -------
        int
            How many slices have changed.

        Raises
        ------
        InvalidImageError
            If one of these slices was changed since the job began; then nothing is written.
        """
        for n in change.planes:
            if check_sum(layer.data[source.key.at(n).index]) != change.sums[n]:
                raise InvalidImageError(f"Slice {n} was changed meanwhile, so nothing was written. Do it again.")
        changed = self.write(layer, source, dict(change.planes), by_hand=change.drawn)
        self._editor.join_object(change.foreground)
        return changed

    def write(
        self, layer: Labels, source: Source, planes: dict[int, NDArray[Any]], *, by_hand: Sequence[int] = ()
    ) -> int:
        """Write labels of several slices, as one step that undo takes back; locks stay as they are.

        Parameters
        ----------
        layer : napari.layers.Labels
            Gets the labels.
        source : Source
            A plane of the stack.
        planes : dict of int to numpy.ndarray
            New labels (H, W) of each slice.
        by_hand : sequence of int
            Slices that were drawn on, and so are corrected; the labels of the others come from other slices, which
            makes them grey again unless somebody has corrected them.

        Returns
        -------
        int
            How many slices have changed.
        """
        locks, states, new = self._editor.locks, states_of(layer), {}
        for index, plane in planes.items():
            key = source.key.at(index)
            before = layer.data[key.index]
            held = np.isin(before, list(locks.labels)) | np.isin(plane, list(locks.labels))
            kept = locks.guarded(key, before, np.where(held, before, plane)).astype(layer.data.dtype)
            if (kept != before).any():
                remember_as_found(layer, key)
                new[key] = kept
        drawn = {source.key.at(n) for n in by_hand}
        for key, packed in write_planes_undoable(layer, new).items():
            if key in drawn:
                last = cached_run(layer, key)
                cache_run(layer, key, {} if last is None else last.state, corrects=True, packed=packed)
            elif key not in states.corrected:
                states.carry(key, packed.check_sum)
        states.corrected |= drawn & set(new)
        return len(new)

    def fill(self, ids: Sequence[int]) -> tuple[int, int, int]:
        """Fill the slices between the two corrected ones nearest to the one in view.

        Parameters
        ----------
        ids : sequence of int
            The labels of the region whose shape is filled in.

        Returns
        -------
        first, second : int
            The two slices.
        changed : int
            How many between them have changed.

        Raises
        ------
        InvalidImageError
            If there are no two corrected slices with others between them, or the region is missing in one.
        """
        layer, source = self._editor.target()
        self.follow()
        first, second = _around(self._corrected(), self.position)
        planes = fill_between(_stack_of(layer, source), first, second, ids)
        return first, second, self.write(layer, source, dict(planes))

    # -- taken back

    def revert(self) -> int:
        """Put every slice back to what the last run made of it, as one step that undo takes back.

        Returns
        -------
        int
            How many slices have changed.
        """
        layer, here = self._editor.in_view()
        planes: dict[PlaneKey, NDArray[Any]] = {}
        for n in range(here.slices_in(layer.data.shape)):
            key = here.at(n)
            run = cached_run(layer, key)
            if run is not None and check_sum(layer.data[key.index]) != run.first.check_sum:
                planes[key] = run.first.labels
        write_planes_undoable(layer, planes)
        states_of(layer).corrected -= set(planes)
        return len(planes)


def _stack_of(layer: Labels, source: Source) -> NDArray[Any]:
    """The labels of the stack (Z, H, W) that a plane belongs to; a view."""
    if source.key.axis is None:
        raise InvalidImageError("This image is a single plane: there are no other slices.")
    return source.key.stack_in(layer.data)


def _check_sums(labels: NDArray[Any]) -> dict[int, int]:
    """Of every slice, before a job begins: what changes meanwhile is noticed by them."""
    return {n: check_sum(plane) for n, plane in enumerate(labels)}


def _said(found: Propagation) -> str:
    if not found.labels:
        return f"Nothing was carried: {found.reason}."
    changed = plural(len(found.labels), "slice")
    return f"Carried from slice {found.start} to {changed}, as far as {found.last}: {found.reason}."


def _around(corrected: Sequence[int], here: int) -> tuple[int, int]:
    """The two corrected slices between which a slice lies, or the two nearest to it with others between them."""
    pairs = [pair for pair in pairwise(corrected) if pair[1] - pair[0] > 1]
    if not pairs:
        count = len(corrected)
        raise InvalidImageError(
            "Correct two slices with others between them; the shape is filled in between. "
            f"{'One is' if count == 1 else 'None is' if not count else f'{count} are'} corrected now."
        )
    return min(pairs, key=lambda pair: max(pair[0] - here, here - pair[1], 0))
