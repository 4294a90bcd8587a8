"""Folder mode: one network, fitted without labels on many images of one kind, says where each one's object is.

Each image gives a ballot of candidates, as when it is segmented alone. The network learns the outcomes, the surer ones
most; what it then expects in each image goes back into that image's count as a prior.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.transform import resize
from torch import Tensor

from napari_s3net import __version__
from napari_s3net.device import memory_errors, resolve_device
from napari_s3net.errors import InvalidImageError, InvalidSettingsError, ReadError
from napari_s3net.finish import finish
from napari_s3net.foreground import VOTED_ON, count, make_ballot
from napari_s3net.image import Image, Segmentation, Step
from napari_s3net.model.folder_network import FolderNetwork
from napari_s3net.model.optimiser import Adam
from napari_s3net.preprocess import check_plane, to_features
from napari_s3net.recipes import start_clusters
from napari_s3net.settings import Settings
from napari_s3net.steps import drain

#: Rows and columns at which the network sees an image.
SIZE = 80
#: How often each image is shown. A second round on the recounted outcomes made things worse; see `docs/method.md`.
PASSES = 20
BATCH, LEARNING_RATE = 8, 0.004
#: Fewer than this many images have nothing in common to learn.
FEWEST_IMAGES = 4
#: Weight of the overlap (soft Dice) beside the cross-entropy.
OVERLAP_WEIGHT = 0.5


@dataclass(frozen=True, eq=False)
class FolderModel:
    """A fitted network.

    Parameters
    ----------
    network : FolderNetwork
        In evaluation mode, on the CPU.
    settings : Settings
        With which it was fitted, and with which it segments.
    """

    network: FolderNetwork
    settings: Settings

    def expect(self, features: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Where the network expects the object: (h, w) in [0, 1], of `inside`'s size, the mean over mirrored views."""
        return _expected(self.network, network_input(features, inside), inside.shape)

    def segment(self, image: Image) -> Segmentation:
        """Segment one plane.

        Parameters
        ----------
        image : Image
            (H, W) or (H, W, 3), of the kind that the model was fitted on.

        Returns
        -------
        Segmentation
            As `segment` gives it; the clusters are those from which single images start.

        Raises
        ------
        InvalidImageError
            If there is nothing to segment, or grey was fitted and colour came, or the reverse.
        """
        started = time.perf_counter()
        check_plane(image)
        features = to_features(image, self.settings)
        fitted = self.network.in_channels - 2
        if features.shape[2] != fitted:
            raise InvalidImageError(
                f"The model was fitted on images with {fitted} channels; got {features.shape[2]}. Fit one on those."
            )
        clusters = start_clusters(features, self.settings.clusters)
        ballot = make_ballot(clusters, features, self.settings)
        proposal = count(ballot, features.shape[:2], self.expect(features, ballot.inside))
        one_hot = F.one_hot(torch.from_numpy(clusters), self.settings.clusters).permute(2, 0, 1)[None].float()
        labels, foreground, names = finish(image, features, one_hot, proposal, self.settings)
        return Segmentation(
            labels=labels,
            foreground=foreground,
            geometry=image.geometry,
            settings=self.settings,
            names=names,
            confidence=proposal.confidence,
            version=__version__,
            seconds=time.perf_counter() - started,
            image=image,
        )

    def save(self, path: Path) -> None:
        """Write the weights and the settings to a safetensors file."""
        from safetensors.torch import save_file

        about = {"napari-s3net": "folder", "settings": json.dumps(self.settings.to_dict())}
        save_file(self.network.state_dict(), path, about)


def load_folder_model(path: Path) -> FolderModel:
    """Read what `FolderModel.save` wrote.

    Raises
    ------
    ReadError
        If the file is no such model.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if about.get("napari-s3net") != "folder":
            raise ReadError(f"{Path(path).name} holds other weights; expected a model fitted on a folder.")
        network = FolderNetwork(weights["down.0.0.weight"].shape[1])
        network.load_state_dict(weights)
        return FolderModel(network.eval(), Settings.from_dict(json.loads(about["settings"])))
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise ReadError(f"{Path(path).name} is no model of this program: {error}") from None


@dataclass(frozen=True, eq=False)
class _Example:
    """An image as the network learns it (C, SIZE, SIZE), the outcome of its ballot (SIZE, SIZE), and how sure it is."""

    x: NDArray[np.float32]
    target: NDArray[np.float32]
    confidence: float


def fit_folder(images: Iterable[Image], settings: Settings, *, device: str = "auto") -> FolderModel:
    """Fit one network on many images and wait for it; see `iter_fit_folder`."""
    return drain(iter_fit_folder(images, settings, device=device))


def iter_fit_folder(
    images: Iterable[Image], settings: Settings, *, device: str = "auto"
) -> Generator[Step, bool | None, FolderModel]:
    """Fit one network on many images of one kind, without labels; `send(True)` stops and keeps what it has learned.

    Parameters
    ----------
    images : iterable of Image
        Planes; read one after the other, and none is kept. At most `sampling.MOST_IMAGES` are worth giving.
    settings : Settings
        Their `target` must be one that is voted on: a lesion, or whatever is central.
    device : str
        As in `segment`.

    Yields
    ------
    Step
        One for each image that was looked at, then one for each pass over all of them.

    Raises
    ------
    InvalidSettingsError
        If the target is found without a vote.
    InvalidImageError
        If there are fewer than `FEWEST_IMAGES` images, or some are grey and some are not.
    """
    if settings.target not in VOTED_ON:
        raise InvalidSettingsError(
            f"Folder mode is for {' and '.join(VOTED_ON)}; {settings.target} is found in each image alone."
        )
    where = resolve_device(device)
    examples: list[_Example] = []
    for image in images:
        examples.append(_example(image, settings))
        yield Step(len(examples), 0, {}, 2)
    if len(examples) < FEWEST_IMAGES:
        raise InvalidImageError(f"Expected at least {FEWEST_IMAGES} images to fit on; got {len(examples)}.")
    if len({example.x.shape for example in examples}) > 1:
        raise InvalidImageError("Some of the images are grey and some are not. Fit on one kind at a time.")
    with memory_errors(where, len(examples) * 1.0 + 200), torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = FolderNetwork(len(examples[0].x)).to(where)
        optimiser = Adam(network.parameters(), LEARNING_RATE)
        draw = torch.Generator().manual_seed(settings.seed)
        for n in range(PASSES):
            # One cycle of the learning rate: up in the first fifth, then down to nothing (Smith 2017).
            optimiser.learning_rate = LEARNING_RATE * min(5 * (n + 1) / PASSES, 1.25 * (PASSES - n) / PASSES, 1.0)
            loss = _show(network, optimiser, examples, draw, where)
            if (yield Step(n + 1, PASSES, {"fit": loss}, 2)):
                break
    return FolderModel(network.eval().cpu(), settings)


def network_input(features: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """What the network sees: colours against those of the image's border, the distance from the middle, what is image.

    Parameters
    ----------
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    inside : numpy.ndarray
        (h, w) bool at any size.

    Returns
    -------
    numpy.ndarray
        (C + 2, SIZE, SIZE) float32. Brightness, contrast and tint of the light matter little in it.
    """
    colours = rgb2lab(features) if features.shape[2] == 3 else 100 * features
    small = resize(colours, (SIZE, SIZE, colours.shape[2]), order=1, anti_aliasing=True)
    seen = resize(inside.astype(np.float32), (SIZE, SIZE), order=1) > 0.5
    border = np.ones((SIZE, SIZE), bool)
    border[6:-6, 6:-6] = False
    reference = border & seen if (border & seen).sum() > 20 else seen
    against = (small - np.median(small[reference], axis=0)) / (small[seen].std(axis=0).mean() + 4)
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    parts = (against * seen[..., None], (y**2 + x**2)[..., None], seen[..., None])
    return np.ascontiguousarray(np.concatenate(parts, axis=2).transpose(2, 0, 1), np.float32)


def _example(image: Image, settings: Settings) -> _Example:
    """Look at one image as if it were alone."""
    check_plane(image)
    features = to_features(image, settings)
    ballot = make_ballot(start_clusters(features, settings.clusters), features, settings)
    probability, confidence = ballot.count()
    target = np.asarray(resize(probability, (SIZE, SIZE), order=1, anti_aliasing=True), np.float32)
    return _Example(network_input(features, ballot.inside), target, confidence)


def _expected(network: FolderNetwork, x: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """What a network expects in an image (C, SIZE, SIZE), enlarged to (h, w): the mean over its mirrored views."""
    axes = ((), (1,), (2,), (1, 2))
    views = torch.stack([torch.from_numpy(x).flip(each) for each in axes])
    with torch.no_grad():
        seen = network(views).sigmoid()  # (4, SIZE, SIZE)
    back = [view.flip([axis - 1 for axis in each]) for view, each in zip(seen, axes, strict=True)]
    mean = torch.stack(back).mean(dim=0).numpy().astype(np.float64)
    return np.asarray(resize(mean, shape, order=1))


def _show(
    network: FolderNetwork, optimiser: Adam, examples: list[_Example], draw: torch.Generator, where: torch.device
) -> float:
    """Show every image once, turned and mirrored; return the mean loss."""
    network.train()
    trust = np.array([example.confidence for example in examples]) ** 2
    trust /= max(float(trust.mean()), 1e-6)
    order = torch.randperm(len(examples), generator=draw).tolist()
    losses = []
    for i in range(0, len(order), BATCH):
        chosen = order[i : i + BATCH]
        views = torch.randint(0, 8, (len(chosen),), generator=draw).tolist()
        x = torch.stack([_turned(torch.from_numpy(examples[j].x), v) for j, v in zip(chosen, views, strict=True)])
        y = torch.stack([_turned(torch.from_numpy(examples[j].target), v) for j, v in zip(chosen, views, strict=True)])
        weight = torch.from_numpy(trust[chosen]).float()
        loss = _loss(network(x.to(where)), y.to(where), weight.to(where))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _loss(logits: Tensor, target: Tensor, trust: Tensor) -> Tensor:
    """Cross-entropy and soft Dice (Milletari et al. 2016) of the object (N, H, W), with a weight for each image (N,).

    Pixels of which the vote is less sure count less.
    """
    hard = (target > 0.5).to(logits.dtype)
    sure = trust[:, None, None] * (2 * target - 1).abs().clamp(min=0.1)
    entropy = (sure * F.binary_cross_entropy_with_logits(logits, hard, reduction="none")).mean()
    p = logits.sigmoid()
    common, sizes = (sure * p * hard).sum(dim=(1, 2)), (sure * (p + hard)).sum(dim=(1, 2))
    return entropy + OVERLAP_WEIGHT * (trust * (1 - (2 * common + 1) / (sizes + 1))).mean()


def _turned(x: Tensor, view: int) -> Tensor:
    """One of the eight views of a square by turns and mirrors; x (…, SIZE, SIZE)."""
    x = x.transpose(-1, -2) if view & 4 else x
    return x.flip([axis for axis, bit in ((-1, 1), (-2, 2)) if view & bit])
