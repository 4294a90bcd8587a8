"""A network that was fitted to a few slices, applied to all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from napari_s3net.foreground.propose import propose, reject_surroundings
from napari_s3net.image import Image
from napari_s3net.postprocessing.postprocess import object_mask
from napari_s3net.postprocessing.upsample import enlarge_clusters
from napari_s3net.preprocessing.prepare import PreparedPlane, prepare_through
from napari_s3net.preprocessing.values import missing_note
from napari_s3net.progress import Step
from napari_s3net.settings import Settings
from napari_s3net.training.taught import view_object
from napari_s3net.training.volume import VolumeModel
from napari_s3net.volume.finder import VolumeFinder
from napari_s3net.volume.numbering import Numbering, number_volume
from napari_s3net.volume.pool import AHEAD, in_order
from napari_s3net.volume.sampled import Sample, read_slice

#: mm: neighbouring slices count for a slice's clusters by exp(−d² / 2σ²), so that noise does not change them.
SIGMA = 2.0
#: An object that is proposed slice by slice is there where it is found in this share of the sampled slices.
LEAST_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class _Slice:
    """A slice that the network has seen."""

    plane: PreparedPlane
    probabilities: torch.Tensor


class _Made(NamedTuple):
    """What is known of a finished slice."""

    confidence: float
    pixels: int
    missing: int


class FittedVolume:
    """Applies a fitted network to every slice of a volume.

    Parameters
    ----------
    image : Image
        The volume.
    settings : Settings
        As for one image.
    finder : VolumeFinder
        Has looked at every slice.
    sample : Sample
        The slices that were fitted to; labels are numbered and named by them.
    model : VolumeModel
        The network.
    """

    def __init__(
        self, image: Image, settings: Settings, finder: VolumeFinder, sample: Sample, model: VolumeModel
    ) -> None:
        self.image, self.settings, self._finder, self._sample, self._model = image, settings, finder, sample, model
        self.labels = np.zeros(image.shape, np.int32)
        self.names: tuple[str, str] = finder.found.names if finder.found is not None else ("Object", "Background")
        self._made: list[_Made] = []
        #: Slices that were done and are not empty.
        self.segmented: list[int] = []
        self._empty = 0
        #: Whether the sampled slices show an object; where they do not, none is looked for in the others.
        self.has_object = True
        self._beside = float(np.exp(-((finder.voxel[0] / SIGMA) ** 2) / 2))
        self.numbering = self._number()

    @property
    def confidence(self) -> float:
        """Of the slices with the object, their mean; of what is found in Hounsfield units, whether it was found."""
        sure = [made.confidence for made in self._made if made.confidence > 0]
        return float(np.mean(sure)) if sure else 0.0

    def note(self, done: list[int]) -> str:
        """Say what the user has to know.

        Parameters
        ----------
        done : list of int
            The slices that are done.

        Returns
        -------
        str
            Sentences; empty where all went as expected.
        """
        n, parts = len(self.labels), [self._finder.note]
        if len(done) < n:
            parts.append(f"Stopped: {len(done)} of {n} slices are done; the others were left as they are.")
        without = sum(made.confidence == 0 for made in self._made)
        if without and self.has_object and self._finder.found is None:
            parts.append(f"In {without} of {n} slices no part stands out as the object.")
        if missing := sum(made.missing for made in self._made):
            parts.append(missing_note(missing, sum(made.pixels for made in self._made)))
        if self._empty:
            parts.append(f"{self._empty} of {n} slices are empty and have no labels.")
        return " ".join(filter(None, parts))

    def apply(
        self, pool: ThreadPoolExecutor, iterations: int, *, previews: bool
    ) -> Generator[Step, bool | None, list[int]]:
        """Do slice after slice until `send(True)`.

        Parameters
        ----------
        pool : ThreadPoolExecutor
            Who does them.
        iterations : int
            In which the network was fitted, for the steps.
        previews : bool
            Whether a step carries the labels of its slice.

        Yields
        ------
        Step
            One a slice.

        Returns
        -------
        list of int
            The slices that are done.
        """
        n, done = len(self.labels), []
        for index, made in self._finished(pool):
            if made is None:
                self._empty += 1
            else:
                self._made.append(made)
                self.segmented.append(index)
            done.append(index)
            shot = self.labels[index].astype(np.uint8) if previews else None
            step = Step(iterations, iterations, {}, len(self.numbering.meanings), shot, slice=index, slices=n)
            if (yield step):
                break
        return done

    def _finished(self, pool: ThreadPoolExecutor) -> Iterator[tuple[int, _Made | None]]:
        """Slices in order; each is finished once the network has seen the next one."""
        near: dict[int, _Slice | None] = {}
        waiting: deque[Future[_Made | None]] = deque()
        n = len(self.labels)
        for index, part in in_order(pool, self._see, n):
            near = {k: seen for k, seen in near.items() if k >= index - 2} | {index: part}
            if index:
                waiting.append(pool.submit(self._finish, index - 1, near))
            if len(waiting) > AHEAD:
                yield index - len(waiting), waiting.popleft().result()
        waiting.append(pool.submit(self._finish, n - 1, near))
        for index, future in enumerate(waiting, n - len(waiting)):
            yield index, future.result()

    def _see(self, index: int) -> _Slice | None:
        """Show one slice to the network; None of an empty one."""
        read = read_slice(self.image, index)
        if read is None:
            return None
        plane = prepare_through(read, self._sample.window, self.settings)
        return _Slice(plane, self._model.probabilities(plane.features))

    def _finish(self, index: int, near: dict[int, _Slice | None]) -> _Made | None:
        """Write the labels of one slice; None of an empty one."""
        this = near[index]
        if this is None:
            return None
        probabilities = self._smoothed(index, near)
        mask, confidence = self._mask(index, this.plane, probabilities)
        clusters = enlarge_clusters(probabilities, this.plane.image.shape)
        self.labels[index] = self.numbering.labels(clusters, mask, this.plane.missing)
        missing = 0 if this.plane.missing is None else int(this.plane.missing.sum())
        return _Made(confidence, mask.size, missing)

    def _smoothed(self, index: int, near: dict[int, _Slice | None]) -> torch.Tensor:
        """Probabilities (1, K, h, w), with those of the neighbouring slices by their distance."""
        there = {k: part for k, part in near.items() if part is not None and abs(k - index) <= 1}
        weights = {k: 1.0 if k == index else self._beside for k in there}
        total = sum(weights.values())
        return torch.stack([part.probabilities * (weights[k] / total) for k, part in there.items()]).sum(dim=0)

    def _mask(self, index: int, plane: PreparedPlane, probabilities: torch.Tensor) -> tuple[NDArray[np.bool_], float]:
        """The object of a slice (H, W), and how sure it is."""
        if self._finder.found is not None:
            mask = self._finder.mask(index, plane)
            return mask, float(self._finder.weights.any())
        if not self.has_object:
            return np.zeros(plane.image.shape, bool), 0.0
        clusters = probabilities.argmax(dim=1)[0].numpy()
        proposal = propose(clusters, plane, self.settings, view_object(plane, self.settings))
        proposal = reject_surroundings(proposal, self.settings, in_scan=True)
        self.names = proposal.names
        return object_mask(proposal.object_probability, plane, self.settings), proposal.confidence

    def _number(self) -> Numbering:
        """Clusters and object of the sampled slices decide what has a label."""
        clusters, masks = [], []
        for index, plane in zip(self._sample.indices, self._sample.planes, strict=True):
            probabilities = self._model.probabilities(plane.features)
            clusters.append(enlarge_clusters(probabilities, plane.image.shape))
            masks.append(self._mask(index, plane, probabilities)[0])
        found = sum(bool(mask.any()) for mask in masks)
        self.has_object = self._finder.found is not None or found >= LEAST_SHARE * len(masks)
        if not self.has_object:
            masks = [np.zeros_like(mask) for mask in masks]
        return number_volume(clusters, masks, self._sample.montage, self.settings.clusters, self.names)
