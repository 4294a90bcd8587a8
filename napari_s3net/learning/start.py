"""Where learning starts from: random weights, a model learned or pre-trained before, or weights that `teach` wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_s3net.labels.metrics import dice
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.methods import network_config, predict_squares
from napari_s3net.learning.model import LearnedCard, load_model, start_from
from napari_s3net.learning.settings import LEARNING, LearnSettings
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.network.unet import ClassNetwork, ClassNetworkConfig
from napari_s3net.training.taught import shipped_path
from napari_s3net.training.weights import FORMAT as TAUGHT_FORMAT
from napari_s3net.training.weights import load_weights, read_tensors

#: In the record of a model: whether its one class is what the program proposes in photographs.
LESIONS = "class is the lesion"
#: In the record of a model: check sums of the images that it was learned from, and of those that were set aside.
SEEN, ASIDE = "learned from", "set aside"
#: In the record of a model: whether its weights come of those that `teach` wrote.
TAUGHT = "taught on synthetic images"


@dataclass(frozen=True)
class Start:
    """What learning starts from.

    Attributes
    ----------
    path : Path or None
        None for random weights.
    card : LearnedCard or None
        Of a model that was learned or pre-trained.
    taught_widths : tuple of int
        Of weights that `teach` wrote; else empty.
    """

    path: Path | None = None
    card: LearnedCard | None = None
    taught_widths: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Of the file; empty without one."""
        return self.path.name if self.path else ""

    @property
    def was_taught(self) -> bool:
        """Whether the weights are those that `teach` wrote, or were learned from such."""
        return bool(self.taught_widths or (self.card and self.card.record.get(TAUGHT)))

    @property
    def seen(self) -> frozenset[str]:
        """Check sums of the images that the weights were learned from, as far as that is known."""
        return frozenset(self.card.record.get(SEEN, ()) if self.card else ())

    @property
    def aside(self) -> frozenset[str]:
        """Check sums of the images that were set aside before."""
        return frozenset(self.card.record.get(ASIDE, ()) if self.card else ())

    def shape(self, data: ExampleSet, settings: LearnSettings) -> ClassNetworkConfig:
        """Choose the network's shape for data: that of the file, where there is one.

        Parameters
        ----------
        data : ExampleSet
            Channels and classes.
        settings : LearnSettings
            Method, backbone and widths.

        Returns
        -------
        ClassNetworkConfig
            Decoders follow the method.
        """
        asked = network_config(settings, data.normalisation.channels, len(data.classes))
        if self.taught_widths:
            return replace(asked, backbone="ilka", widths=self.taught_widths)
        return asked if self.card is None else replace(self.card.config, classes=asked.classes, decoders=asked.decoders)

    def give_weights(self, network: ClassNetwork) -> None:
        """Give a network the weights of the file; without one it stays as it is.

        Parameters
        ----------
        network : ClassNetwork
            Is changed in place.

        Raises
        ------
        ModelFileError
            If none of the weights fits.
        """
        if self.path is not None:
            start_from(network, self.path)

    def slow(self, settings: LearnSettings, data: ExampleSet, *, finds: bool) -> LearnSettings:
        """Lower the learning rate for weights that know such images already.

        Parameters
        ----------
        settings : LearnSettings
            As asked for.
        data : ExampleSet
            Their channels tell photographs in colour.
        finds : bool
            Whether the weights find what is to be learned: `finds`.

        Returns
        -------
        LearnSettings
            The same, but where the weights were taught and know either the object or photographs. What else they are
            used for they have to learn anew, at the rate of that (docs/learning-tried.md).
        """
        if not self.was_taught or not (finds or data.normalisation.channels == 3):
            return settings
        return settings.replace(learning_rate=max(1e-6, LEARNING.tune_rate * settings.learning_rate))

    def finds(self, network: ClassNetwork, data: ExampleSet, labelled: NDArray[np.int64]) -> bool:
        """Say whether what is to be learned is what the taught network finds already, before it has learned anything.

        Parameters
        ----------
        network : ClassNetwork
            With its initial weights.
        data : ExampleSet
            Planes.
        labelled : numpy.ndarray
            Numbers of the planes with labels; at most `LEARNING.most_compared` are looked at.

        Returns
        -------
        bool
            True for one class whose mean Dice with the network's answer is at least `LEARNING.same_object`; of a model
            that was learned, what it found out before.
        """
        if self.card is not None or not self.taught_widths or len(data.classes) != 1:
            return bool(self.card and self.card.record.get(LESIONS))
        chosen = labelled[: LEARNING.most_compared]
        told = predict_squares(network, data.images[chosen]).argmax(dim=1).numpy() == 1
        truth, seen = data.labels[chosen] == 1, data.labels[chosen] != IGNORED
        scores = [dice(t & s, m) for t, s, m in zip(told, seen, truth, strict=True)]
        return float(np.mean(scores)) >= LEARNING.same_object


def read_start(path: Path | None) -> Start:
    """Read what is known of a file to start from.

    Parameters
    ----------
    path : Path or None
        A model's file, or weights that `teach` wrote; None for random weights.

    Returns
    -------
    Start
        Whose weights are read when they are given to a network.

    Raises
    ------
    ModelFileError
        If it is neither.
    """
    if path is None:
        return Start()
    if read_tensors(path)[1].get("format") == TAUGHT_FORMAT:
        return Start(path, taught_widths=load_weights(path)[1].config.widths)
    return Start(path, card=load_model(path).card)


def choose_start(data: ExampleSet, settings: LearnSettings, init: Path | None) -> Start:
    """Choose what to start from: the file that is asked for, or what comes with the program and knows such images.

    Parameters
    ----------
    data : ExampleSet
        Their normalisation tells photographs in colour.
    settings : LearnSettings
        `start`; KAF's keypoint layers have no place in the weights that come with the program.
    init : Path or None
        What is asked for.

    Returns
    -------
    Start
        Of random weights where nothing else is asked for or fits.

    Raises
    ------
    ModelFileError
        If the file is no model.
    """
    normalisation = data.normalisation
    photographs = (normalisation.channels, normalisation.low, normalisation.high) == (3, 0, 255)
    if init is None and photographs and settings.start == "taught" and not settings.uses_keypoints:
        return read_start(shipped_path("skin"))
    return read_start(init)
