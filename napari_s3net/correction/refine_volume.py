"""Strokes on some slices of a volume correct all of it: one re-run for the strokes of all slices.

First each slice with strokes is corrected as a single plane would be. What changed there is then carried to the slices
beside it, up and down, as in `slice_propagation`, from all of them at once and one slice at a time: so a slice between
two that were drawn on follows the nearer one. A slice that a correction reaches keeps its own strokes, its locks, and
what was corrected there before.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_s3net import __version__
from napari_s3net.correction.constraints import check_drawn
from napari_s3net.correction.likely_changes import LabelHistograms
from napari_s3net.correction.refiner import Refiner
from napari_s3net.correction.slice_carrying import blurred, border_reach
from napari_s3net.correction.slice_propagation import Propagation, iter_carry
from napari_s3net.errors import InvalidConstraintsError, InvalidImageError
from napari_s3net.image import Image
from napari_s3net.preprocessing.values import complete
from napari_s3net.preprocessing.window import choose_window
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.device import resolve_device
from napari_s3net.settings import Settings

if TYPE_CHECKING:
    import torch

#: Within so many pixels of a stroke its correction holds, whatever the pixels look like.
HELD = 10
#: A correction is carried no farther than so many times its width, the root of its area.
FAR = 3.0


@dataclass(frozen=True, eq=False)
class VolumeCorrection:
    """What strokes changed in a volume.

    Parameters
    ----------
    planes : dict of int to numpy.ndarray
        New labels (H, W) of each slice that changed.
    drawn : tuple of int
        The slices whose own strokes changed something.
    foreground : tuple of int
        The object's labels.
    ends : tuple of Propagation
        How far corrections were carried up and down, and why they ended before the volume did.
    """

    planes: dict[int, NDArray[np.int32]] = field(default_factory=dict)
    drawn: tuple[int, ...] = ()
    foreground: tuple[int, ...] = ()
    ends: tuple[Propagation, ...] = ()

    def __str__(self) -> str:
        if not self.planes:
            return "The labels obey every stroke already; nothing has changed."
        first, last = min(self.planes), max(self.planes)
        reasons = {end.last: end.reason for end in self.ends}
        words = [f"at {at}, {reasons[at]}" for at in sorted({first, last}) if at in reasons]
        return (
            f"Strokes in {_slices(len(self.drawn))} changed {_slices(len(self.planes))}, {first} to {last}"
            f"{'; it ended ' if words else ''}{'; '.join(words)}."
        )


def iter_refine_volume(
    image: Image,
    result: Segmentation,
    strokes: Mapping[int, NDArray[Any]],
    *,
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
    corrected: Mapping[int, NDArray[np.bool_]] | None = None,
    settings: Settings | None = None,
    device: str | torch.device = "auto",
) -> Generator[Step, bool | None, VolumeCorrection]:
    """Correct a volume by the strokes of all its slices; `send(True)` stops and keeps.

    Parameters
    ----------
    image : Image
        (Z, H, W) intensities, which may be lazy; of photographs, which are no volume, nothing is carried.
    result : Segmentation
        With labels (Z, H, W), which stay as they are.
    strokes : mapping of int to numpy.ndarray
        Of each slice that was drawn on, (H, W) constraints as in `refine`.
    locked : collection of int
        Labels that stay as they are.
    locked_region : numpy.ndarray, optional
        (Z, H, W) bool: voxels that stay as they are.
    corrected : mapping of int to numpy.ndarray, optional
        (H, W) bool of some slices: pixels that were corrected by hand. No correction of another slice changes them or
        what is near them.
    settings : Settings, optional
        In place of those of the result, as where memory is short.
    device : str or torch.device
        As in `segment`.

    Yields
    ------
    Step
        One a slice with strokes, and one a slice that a correction reached.

    Returns
    -------
    VolumeCorrection
        Without any plane where the labels obey every stroke already.

    Raises
    ------
    InvalidConstraintsError
        If strokes, locks, labels and image do not have one shape, or strokes are no labels.
    InvalidImageError
        If a slice with strokes is empty.
    OutOfMemoryError
        As in `segment`.
    """
    if result.labels.shape != image.shape or not image.is_stack:
        raise InvalidConstraintsError(
            f"The labels are {result.labels.shape}, the volume is {image.shape}; expected the same shape."
        )
    refiners = _Refiners(image, settings or result.settings, resolve_device(device))
    run = _VolumeRefiner(image, result, strokes, set(locked), locked_region, dict(corrected or {}), refiners)
    if not (yield from run.obey_strokes()) and image.kind != "rgb":
        yield from run.carry()
    return run.outcome


def iter_rerun_volume(
    image: Image,
    result: Segmentation,
    constraints: NDArray[Any],
    *,
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
    settings: Settings | None = None,
    device: str | torch.device = "auto",
) -> Generator[Step, bool | None, Segmentation]:
    """Correct a volume by strokes, as `refine` does it.

    Parameters
    ----------
    image, result, locked, locked_region, settings, device
        As in `iter_refine_volume`.
    constraints : numpy.ndarray
        (Z, H, W) strokes of all slices.

    Yields
    ------
    Step
        As `iter_refine_volume`.

    Returns
    -------
    Segmentation
        (Z, H, W) labels; the note in its provenance says how far the strokes were carried.

    Raises
    ------
    S3NetError
        As from `iter_refine_volume`.
    """
    started, drawn = time.perf_counter(), check_drawn(constraints, image.shape)
    if locked_region is not None and np.shape(locked_region) != image.shape:
        raise InvalidConstraintsError(
            f"Expected a locked region of shape {image.shape}; got {np.shape(locked_region)}."
        )
    strokes = {n: plane for n, plane in enumerate(drawn) if plane.any()}
    found = yield from iter_refine_volume(
        image, result, strokes, locked=locked, locked_region=locked_region, settings=settings, device=device
    )
    labels = result.labels.copy()
    for n, plane in found.planes.items():
        labels[n] = plane
    provenance = replace(
        result.provenance,
        version=__version__,
        device=str(device),
        seconds=time.perf_counter() - started,
        stopped=False,
        note=str(found),
        image=image.facts,
        iterations=0,
        losses=(),
        slices=(),
    )
    return replace(result.with_object(found.foreground), labels=labels, provenance=provenance, image=image)


class _Refiners:
    """What is prepared of each slice with strokes, kept for when a correction reaches it."""

    def __init__(self, image: Image, settings: Settings, device: torch.device) -> None:
        self._image, self._settings, self._device = image, settings, device
        self._made: dict[int, Refiner] = {}

    def of(self, n: int) -> Refiner:
        """The refiner of a slice, made when it is first asked for."""
        if n not in self._made:
            try:
                plane = self._image.slice(n)
                self._made[n] = Refiner(plane, self._settings, device=self._device, in_volume=True)
            except InvalidImageError as error:
                raise InvalidImageError(f"Slice {n}, which was drawn on: {error}") from error
        return self._made[n]


class _VolumeRefiner:
    """The labels of a volume as they come to be, slice by slice."""

    def __init__(
        self,
        image: Image,
        result: Segmentation,
        strokes: Mapping[int, NDArray[Any]],
        locked: set[int],
        locked_region: NDArray[np.bool_] | None,
        corrected: Mapping[int, NDArray[np.bool_]],
        refiners: _Refiners,
    ) -> None:
        self._image, self._result, self._locked, self._region = image, result, locked, locked_region
        reach, self._refiners = border_reach(image), refiners
        self._corrected = {n: ndimage.binary_dilation(mask, iterations=reach) for n, mask in corrected.items()}
        self._strokes = {n: check_drawn(drawn, image.shape[1:]) for n, drawn in sorted(strokes.items())}
        self._planes: dict[int, NDArray[np.int32]] = {}
        self._drawn: list[int] = []
        self._foreground = set(result.foreground)
        self._ends: list[Propagation] = []

    @property
    def outcome(self) -> VolumeCorrection:
        """What changed so far."""
        planes = {n: plane for n, plane in sorted(self._planes.items()) if (plane != self._before(n)).any()}
        return VolumeCorrection(planes, tuple(self._drawn), tuple(sorted(self._foreground)), tuple(self._ends))

    def obey_strokes(self) -> Generator[Step, bool | None, bool]:
        """Correct each slice by its own strokes; returns whether it was stopped."""
        for done, n in enumerate(self._strokes, 1):
            new = self._rerun(n, self._before(n))
            if (new != self._before(n)).any():
                self._planes[n] = new
                self._drawn.append(n)
            if (yield Step(done, len(self._image.array), {}, 0, slice=n, slices=len(self._image.array))):
                return True
        return False

    def carry(self) -> Generator[Step, bool | None, None]:
        """Carry what changed to the slices beside, from all slices by turns."""
        last = len(self._image.array) - 1
        going_on = [self._carried(n, end) for n in self._drawn for end in (0, last) if end != n]
        while going_on:
            for one in tuple(going_on):
                try:
                    step = next(one)
                except StopIteration as over:
                    going_on.remove(one)
                    if over.value.last not in (0, last):
                        self._ends.append(over.value)
                    continue
                done = max(len(self._strokes), len(self._planes))
                if (yield replace(step, iteration=done, total=last + 1)):
                    return

    def _carried(self, n: int, end: int) -> Generator[Step, bool | None, Propagation]:
        """What changed in one slice, carried as far as another one."""
        before, settings, here = self._before(n), self._result.settings, self._planes[n]
        changed = here != before
        depth, row, column = self._image.geometry.spacing
        most = max(1, int(FAR * np.sqrt(changed.sum()) * max(row, column) / depth))
        way = range(n, max(end, n - most), -1) if end < n else range(n, min(end, n + most))
        near = ndimage.binary_dilation(changed, iterations=3 * border_reach(self._image))
        looks = LabelHistograms.of(self._seen(n), here, near)
        settle = partial(self._settle, looks=looks)
        labels, planes = self._result.labels, self._planes
        found = yield from iter_carry(self._image, labels, before, way, settings, planes, settle=settle)
        if found.last == way.stop and way.stop != end:
            return replace(found, reason=f"a correction goes no farther than {FAR:g} times its width")
        return found

    def _seen(self, n: int) -> NDArray[np.float32]:
        """A slice through its intensity window, blurred."""
        plane = complete(self._image.slice(n))
        return blurred(plane.image, choose_window(plane, self._result.settings))

    def _settle(self, n: int, new: NDArray[np.int32], looks: LabelHistograms) -> NDArray[np.int32]:
        """The labels that a slice gets from another where it looks like them; locks, corrections and strokes hold."""
        old = self._planes.get(n, self._before(n))
        new = looks.likely(self._seen(n), old, new)
        held = np.isin(old, list(self._locked)) | np.isin(new, list(self._locked))
        for kept in (self._corrected.get(n), None if self._region is None else self._region[n]):
            if kept is not None:
                held |= kept
        new = np.where(held, old, new)
        return self._rerun(n, new) if n in self._strokes else new

    def _rerun(self, n: int, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Labels of a slice that obey its strokes."""
        foreground, geometry = tuple(sorted(self._foreground)), self._image.geometry.plane(n)
        plane = replace(self._result, labels=labels, foreground=foreground, geometry=geometry, image=None)
        region = None if self._region is None else self._region[n]
        made = self._refiners.of(n).rerun(plane, self._strokes[n], locked=self._locked, locked_region=region)
        self._foreground |= set() if self._result.is_all_object else set(made.foreground)
        if self._image.kind == "rgb":
            return made.labels
        seen = self._seen(n)
        likely = LabelHistograms.of(seen, made.labels).likely(seen, labels, made.labels)
        near = ndimage.binary_dilation(self._strokes[n] > 0, iterations=HELD)
        return np.where(near, made.labels, likely)

    def _before(self, n: int) -> NDArray[np.int32]:
        return np.asarray(self._result.labels[n], np.int32)


def _slices(n: int) -> str:
    return "1 slice" if n == 1 else f"{n} slices"
