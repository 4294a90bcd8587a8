"""The network of the last run, trained on with the strokes in its loss, at a small size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from napari_s3net.correction.constraints import Constraints
from napari_s3net.correction.propagation import PixelFeatures
from napari_s3net.correction.relabel import downsample_drawn, downsample_labels
from napari_s3net.errors import DivergedError
from napari_s3net.image import Image
from napari_s3net.network.losses import cluster_loss, spatial_loss
from napari_s3net.network.s3net import S3Net
from napari_s3net.network.state import load_state, state_of
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.settings import Settings
from napari_s3net.training.adam import Adam
from napari_s3net.training.image import make_network
from napari_s3net.training.view import View, make_view


@dataclass(frozen=True, kw_only=True)
class RetrainingConstants:
    """How the network trains on with strokes. Chosen on half *a* of the development sets; see `docs/correcting.md`.

    Parameters
    ----------
    size : int
        Longer side, in pixels, at which it trains on.
    iterations : int
        For how long.
    learning_rate : float
        Of Adam.
    stroke_weight, spatial_weight : float
        Weights of the strokes and of the spatial term, beside one for the previous labels.
    """

    size: int = 96
    iterations: int = 2
    learning_rate: float = 0.01
    stroke_weight: float = 3.0
    spatial_weight: float = 0.5


RETRAINING = RetrainingConstants()
#: Least probability whose logarithm is taken.
LEAST_PROBABILITY = 1e-4


def at_network_size(settings: Settings) -> Settings:
    """Change the settings of a result to those with which its network trains on.

    Parameters
    ----------
    settings : Settings
        With which the result was made.

    Returns
    -------
    Settings
        With a working size of at most `RetrainingConstants.size`, and our own variant of the method.
    """
    return settings.replace(working_size=min(settings.working_size, RETRAINING.size), variant="s3net")


def small_view(image: Image, settings: Settings, device: torch.device) -> View:
    """Prepare the image as the network sees it at the size at which it trains on.

    Parameters
    ----------
    image : Image
        One plane, as it was opened.
    settings : Settings
        With which the result was made.
    device : torch.device
        Where the tensors are to lie.

    Returns
    -------
    View
        With a longer side of at most `RetrainingConstants.size` pixels.
    """
    return make_view(to_features(image, at_network_size(settings)), settings.clusters, device)


def restore_network(state: Mapping[str, NDArray[Any]], view: View, settings: Settings) -> S3Net:
    """Build the network of a result from its weights.

    Parameters
    ----------
    state : mapping of str to numpy.ndarray
        The weights, as `Segmentation.state` holds them.
    view : View
        What it is to look at; the network goes to the device of the view.
    settings : Settings
        With which the weights were trained.

    Returns
    -------
    S3Net
        Ready to train on.

    Raises
    ------
    InvalidSettingsError
        If the weights do not fit the settings.
    """
    with torch.device("meta"):  # without weights of its own
        network = make_network(view.x.shape[1], view.size, settings)
    load_state(network, state)
    placed: S3Net = network.to(device=view.x.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed


class ConstrainedTrainer:
    """Trains the network on, held to strokes and previous labels.

    Its clusters are read as labels by what they were in the previous labels: P(label l | cluster k) is the share of the
    pixels of cluster k that had label l before the first update.

    Parameters
    ----------
    network : S3Net
        From `restore_network`.
    view : View
        Its input.
    constraints : Constraints
        Of the image's size.
    """

    def __init__(self, network: S3Net, view: View, constraints: Constraints) -> None:
        self.network, self.view = network, view
        self.optimiser = Adam(network.parameters(), RETRAINING.learning_rate)
        device = view.x.device
        labels = downsample_labels(constraints.labels, view.size)
        self.labels = torch.from_numpy(np.searchsorted(constraints.ids, labels)).to(device)  # (h, w)
        drawn = downsample_drawn(constraints.drawn, view.size)
        self.painted = torch.from_numpy(drawn > 0).to(device)  # (h, w)
        self.allowed = torch.from_numpy(constraints.allowed(drawn[drawn > 0]).T).to(device)  # (labels, painted)
        self._label_given_cluster: Tensor | None = None

    def update(self, iteration: int) -> dict[str, float]:
        """Train for one iteration.

        Parameters
        ----------
        iteration : int
            Counts from 1; for the message of an error.

        Returns
        -------
        dict of str to float
            The weighted terms of the loss before the update: "strokes", "previous" and "spatial", in nats.

        Raises
        ------
        DivergedError
            If the loss is not finite.
        """
        logits, _ = self.network(self.view.x)
        p = logits.softmax(dim=1)  # (1, K, h, w)
        if self._label_given_cluster is None:
            self._label_given_cluster = self._shares(p.detach()[0])
        posterior = torch.einsum("lk,khw->lhw", self._label_given_cluster, p[0]).clamp(min=LEAST_PROBABILITY)
        obeyed = (posterior[:, self.painted] * self.allowed).sum(dim=0).clamp(min=LEAST_PROBABILITY)
        terms = {
            "strokes": -RETRAINING.stroke_weight * obeyed.log().mean(),
            "previous": F.nll_loss(posterior.log()[None], self.labels[None]) + cluster_loss(logits),
            "spatial": RETRAINING.spatial_weight * spatial_loss(p, self.view.edges),
        }
        total = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(total):
            raise DivergedError(f"The loss is not finite at iteration {iteration}. Segment the image anew.")
        self.optimiser.zero_grad()
        torch.autograd.backward(total)
        self.optimiser.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    def with_probabilities(self, features: PixelFeatures) -> PixelFeatures:
        """Add the network's probabilities, as they are now, to the features by which strokes spread.

        Parameters
        ----------
        features : PixelFeatures
            With colours.

        Returns
        -------
        PixelFeatures
            A copy with the same colours.
        """
        with torch.no_grad():
            p = self.network(self.view.x)[0].softmax(dim=1)
            large = F.interpolate(p, features.coarse_shape, mode="bilinear", align_corners=False)
        return replace(features, probabilities=large[0].permute(1, 2, 0).cpu().numpy())

    def state(self) -> dict[str, NDArray[Any]]:
        """Copy the weights as they are now.

        Returns
        -------
        dict of str to numpy.ndarray
            As `restore_network` takes them.
        """
        return state_of(self.network)

    def _shares(self, p: Tensor) -> Tensor:
        """P(label | cluster), (labels, K), for probabilities (K, h, w)."""
        one_hot = F.one_hot(self.labels.ravel(), len(self.allowed)).to(p.dtype)  # (h·w, labels)
        counts = one_hot.T @ p.reshape(p.shape[0], -1).T
        return counts / counts.sum(dim=0).clamp(min=1e-6)
