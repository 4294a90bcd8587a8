"""Labels and strokes to better labels: the network trains on from its kept weights, and the strokes spread.

The network is held to the strokes and to the previous labels for few iterations, so that its probabilities tell apart
what the strokes tell apart. `propagate` then moves the borders: what lies near a stroke and looks like it, to the eye
and to the network, follows. Painted pixels come back as painted, locked ones as they were. Without weights, as after a
restart, the colours alone decide what looks alike.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.transform import resize
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.correction.constraints import Task, make_task
from napari_s3net.correction.propagation import Look, depths_near, propagate
from napari_s3net.errors import DivergedError, InvalidConstraintsError, InvalidImageError, InvalidSettingsError
from napari_s3net.image import Image, Segmentation, Step, as_image
from napari_s3net.network.losses import cluster_loss, spatial_loss
from napari_s3net.postprocessing.upsample import nearest
from napari_s3net.preprocessing.check import check_plane
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.preprocessing.window import to_unit
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib
from napari_s3net.runtime.oom_retry import iter_retrying
from napari_s3net.segmentation import weights_of
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.image import ImageTrainer

#: Longer sides at which strokes spread, and at which the network trains on.
SPREAD_SIZE, NETWORK_SIZE = 256, 96
#: Blur of the colours at the former size, in pixels.
BLUR = 2.0
ITERATIONS, LEARNING_RATE = 2, 0.01
#: Weights of the strokes and of smoothness beside the previous labels.
STROKE_WEIGHT, SPATIAL_WEIGHT = 3.0, 0.5


def refine(
    result: Segmentation,
    constraints: NDArray[Any],
    *,
    image: Image | NDArray[Any] | None = None,
    locked: Collection[int] = (),
    locked_region: NDArray[np.bool_] | None = None,
    device: str = "auto",
) -> Segmentation:
    """Correct a result by strokes, and wait for the new one.

    Parameters
    ----------
    result : Segmentation
        From `segment`, from an earlier `refine`, or made of saved labels.
    constraints : numpy.ndarray
        (H, W) whole numbers: 0 where nothing was drawn, else the id of a label, or `strokes.OBJECT` or
        `strokes.BACKGROUND`. All strokes drawn so far, not only the newest.
    image : Image or numpy.ndarray, optional
        What was segmented; may be left out where the result knows it.
    locked : collection of int
        Labels that come back bit for bit. A lock is stronger than a stroke.
    locked_region : numpy.ndarray, optional
        (H, W) bool: pixels that come back as they are.
    device : str
        As in `segment`.

    Returns
    -------
    Segmentation
        With the ids, names and object of `result`, and the weights as they are now. Where memory ran out it was tried
        again as `retry` says, and its `note` tells.

    Raises
    ------
    InvalidConstraintsError, InvalidImageError, DeviceError, OutOfMemoryError, DivergedError
    """
    known = result.image if image is None else as_image(image)
    if known is None:
        raise InvalidImageError("The result does not know its image any more: give it as `image`.")

    def make(settings: Settings, where: str) -> Generator[Step, bool | None, Segmentation]:
        refiner = Refiner(known, settings, device=where)
        return refiner.iter_rerun(result, constraints, locked=locked, locked_region=locked_region)

    return drain(iter_retrying(make, at_network_size(result.settings), device))


class Refiner:
    """Re-runs on one image; what does not change between them is prepared once.

    Parameters
    ----------
    image : Image
        One plane.
    settings : Settings
        Those of the result that is corrected.
    device : str
        As in `segment`.
    """

    def __init__(self, image: Image, settings: Settings, *, device: str = "auto") -> None:
        check_plane(image)
        self.image, self.settings = image, settings
        self.device = resolve_device(device)
        self.look = look_of(image, settings)
        self._trainer: ImageTrainer | None = None

    def rerun(
        self,
        result: Segmentation,
        constraints: NDArray[Any],
        *,
        locked: Collection[int] = (),
        locked_region: NDArray[np.bool_] | None = None,
    ) -> Segmentation:
        """As `refine`."""
        return drain(self.iter_rerun(result, constraints, locked=locked, locked_region=locked_region))

    def iter_rerun(
        self,
        result: Segmentation,
        constraints: NDArray[Any],
        *,
        locked: Collection[int] = (),
        locked_region: NDArray[np.bool_] | None = None,
    ) -> Generator[Step, bool | None, Segmentation]:
        """As `refine`, one `Step` an iteration of the network; `send(True)` spreads the strokes at once."""
        started = time.perf_counter()
        if result.labels.shape != self.image.shape:
            raise InvalidConstraintsError(
                f"The labels are {result.labels.shape}, the image is {self.image.shape}; expected the same shape."
            )
        task = make_task(result, constraints, locked, locked_region)
        history: list[Mapping[str, float]] = []
        state, labels, look, stopped = result.state, result.labels, self.look, False
        if task.constraints.any():
            with memory_errors(self.device, estimate_mib(self.image.shape, self.settings)):
                if state:
                    network = Continued(self.trainer, state, task)
                    for iteration in range(1, ITERATIONS + 1):
                        history.append(network.learn(iteration))
                        stopped = bool((yield Step(iteration, ITERATIONS, history[-1], len(task.ids))))
                        if stopped:
                            break
                    look, state = network.look(look), network.state()
                labels = spread(task, look)
        provenance = replace(
            result.provenance,
            version=__version__,
            device=str(self.device),
            seconds=time.perf_counter() - started,
            stopped=stopped,
            note="",
            image=self.image.facts,
            iterations=len(history),
            losses=tuple(history),
            slices=(),
        )
        return replace(
            result, labels=labels, foreground=task.foreground, provenance=provenance, state=state, image=self.image
        )

    @property
    def trainer(self) -> ImageTrainer:
        """The network on its input; its weights are any."""
        if self._trainer is None:
            self._trainer = small_trainer(self.image, self.settings, self.device)
        return self._trainer


def at_network_size(settings: Settings) -> Settings:
    """The settings of the network that trains on: ours, and small."""
    return settings.replace(working_size=min(settings.working_size, NETWORK_SIZE), variant="s3net")


def small_trainer(image: Image, settings: Settings, device: torch.device) -> ImageTrainer:
    """A network for an image at the size at which it trains on."""
    settings = at_network_size(settings)
    return ImageTrainer(to_features(image, settings), settings, device)


def load_weights(network: torch.nn.Module, state: Mapping[str, NDArray[Any]]) -> None:
    """Give a network weights that were kept; `InvalidSettingsError` if they do not fit."""
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in state.items()})
    except RuntimeError as error:
        raise InvalidSettingsError("The kept weights do not fit these settings. Segment the image anew.") from error


class Continued:
    """The network with its kept weights, held to strokes and previous labels.

    Its clusters are read as labels by what they were in the previous result: of the pixels of cluster k, the share that
    has label l is the probability of l.
    """

    def __init__(self, trainer: ImageTrainer, state: Mapping[str, NDArray[Any]], task: Task) -> None:
        self.x, self.network, self.edges = trainer.full.x, trainer.network, trainer.full.edges
        load_weights(self.network, state)
        self.optimiser = Adam(self.network.parameters(), LEARNING_RATE)
        shape, device = (self.x.shape[2], self.x.shape[3]), self.x.device
        self.labels = torch.from_numpy(np.searchsorted(task.ids, shrink(task.labels, shape))).to(device)
        drawn = shrink_strokes(task.constraints, shape)
        self.painted = torch.from_numpy(drawn > 0).to(device)
        self.allowed = torch.from_numpy(task.allowed(drawn[drawn > 0]).T).to(device)  # (labels, painted)
        self.read: Tensor | None = None

    def learn(self, iteration: int) -> dict[str, float]:
        """One update; returns the weighted terms."""
        logits, _ = self.network(self.x)
        p = logits.softmax(dim=1)
        if self.read is None:
            self.read = self._reading(p.detach()[0])
        said = torch.einsum("lk,khw->lhw", self.read, p[0]).clamp(min=1e-4)
        obeyed = (said[:, self.painted] * self.allowed).sum(dim=0).clamp(min=1e-4)
        terms = {
            "strokes": -STROKE_WEIGHT * obeyed.log().mean(),
            "previous": F.nll_loss(said.log()[None], self.labels[None]) + cluster_loss(logits),
            "spatial": SPATIAL_WEIGHT * spatial_loss(p, self.edges),
        }
        total = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(total):
            raise DivergedError(f"The loss is not finite at iteration {iteration}. Segment the image anew.")
        self.optimiser.zero_grad()
        torch.autograd.backward(total)
        self.optimiser.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    def look(self, look: Look) -> Look:
        """What pixels look like, with what the network now says of them."""
        with torch.no_grad():
            p = self.network(self.x)[0].softmax(dim=1)
            large = F.interpolate(p, look.half, mode="bilinear", align_corners=False)
        return replace(look, probabilities=large[0].permute(1, 2, 0).cpu().numpy())

    def state(self) -> dict[str, NDArray[Any]]:
        """The weights, to be kept."""
        return weights_of(self.network)

    def _reading(self, p: Tensor) -> Tensor:
        """Share of each label in each cluster, (labels, K), for probabilities (K, h, w)."""
        n = self.allowed.shape[0]
        one_hot = F.one_hot(self.labels.ravel(), n).to(p.dtype)  # (h·w, labels)
        counts = one_hot.T @ p.reshape(p.shape[0], -1).T
        return counts / counts.sum(dim=0).clamp(min=1e-6)


def look_of(image: Image, settings: Settings) -> Look:
    """Smoothed colours at the size at which strokes spread."""
    unit = to_unit(image, settings)
    factor = min(1.0, SPREAD_SIZE / max(image.shape))
    shape = tuple(max(1, round(n * factor)) for n in image.shape)
    small = resize(unit, (*shape, unit.shape[2]), order=1, anti_aliasing=factor < 1).astype(np.float32)
    smooth = ndimage.gaussian_filter(small, (BLUR, BLUR, 0))
    return Look((rgb2lab(smooth) if smooth.shape[2] == 3 else 100 * smooth).astype(np.float32))


def spread(task: Task, look: Look) -> NDArray[np.int32]:
    """New labels (H, W): first which side of the object each pixel lies on, then which label of that side it has."""
    shape = look.colours.shape[:2]
    small, drawn = shrink(task.labels, shape), shrink_strokes(task.constraints, shape)
    allowed = task.allowed(drawn[drawn > 0])
    sides = np.full(shape, -1)
    sides[drawn > 0] = (allowed & task.on_object).any(axis=1)
    side_depth = propagate(task.on_object[np.searchsorted(task.ids, small)].astype(np.intp), sides, look, 2)
    named = np.where(np.isin(drawn, task.ids) & (drawn > 0), np.searchsorted(task.ids, drawn), -1)
    numbers, margin = np.searchsorted(task.ids, small), side_depth[1] - side_depth[0]
    if (named >= 0).any():
        depth = propagate(numbers, named, look, len(task.ids))
    else:
        depth = depths_near((margin > 0) != task.on_object[numbers], numbers, len(task.ids))
    return _at_full_size(task, small, margin, depth)


def _at_full_size(
    task: Task, small: NDArray[np.int32], margin: NDArray[np.float32], depth: NDArray[np.float32]
) -> NDArray[np.int32]:
    """Where something changed, take the enlarged depths; everywhere else keep the labels bit for bit."""
    open_to = task.open_ids[:, None] & (task.on_object[:, None] == (margin > 0).ravel())
    new = task.ids[np.where(open_to, depth.reshape(len(depth), -1), -np.inf).argmax(axis=0)].reshape(small.shape)
    touched = ndimage.binary_dilation(new != small, np.ones((3, 3), bool))
    labels, drawn = task.labels.copy(), task.constraints
    rows, columns = np.nonzero((nearest(touched, labels.shape) | (drawn > 0)) & ~task.held)
    at = [(i + 0.5) * n / m - 0.5 for i, n, m in zip((rows, columns), small.shape, labels.shape, strict=True)]
    inside = ndimage.map_coordinates(margin, at, order=1, mode="nearest") > 0
    deep = np.stack([ndimage.map_coordinates(d, at, order=1, mode="nearest") for d in depth])
    painted = drawn[rows, columns] > 0
    choice = task.open_ids[:, None] & (task.on_object[:, None] == inside)
    choice[:, painted] = task.allowed(drawn[rows, columns][painted]).T
    chosen = task.ids[np.where(choice, deep, -np.inf).argmax(axis=0)]
    possible = choice.any(axis=0)
    labels[rows[possible], columns[possible]] = chosen[possible]
    return labels


def shrink(labels: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Labels at a smaller size, nearest neighbour."""
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(shape, labels.shape, strict=True))
    return np.asarray(labels[np.ix_(rows, columns)])


def shrink_strokes(drawn: NDArray[np.int32], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Strokes at a smaller size, of which none is lost however thin it is."""
    small = np.zeros(shape, np.int32)
    rows, columns = np.nonzero(drawn)
    at = [i * n // m for i, n, m in zip((rows, columns), shape, drawn.shape, strict=True)]
    small[tuple(at)] = drawn[rows, columns]
    return small
