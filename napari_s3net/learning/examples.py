"""Planes to learn from, with what is labelled of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from napari_s3net.learning.keypoints import Keypoints, find_keypoints
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.segments import Colour


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """Planes to learn from.

    Attributes
    ----------
    images : numpy.ndarray
        (n, C, S, S) float16, normalised.
    labels : numpy.ndarray
        (n, S, S) int8: the class of each pixel, 0 the background; `IGNORED` where nobody has labelled.
    files : numpy.ndarray
        (n,): which of `names` each plane belongs to.
    positions : numpy.ndarray
        (n,) float32: of slices from 0 to 1 within their volume, of planes that stand alone 0.
    names : tuple of str
        Of the images.
    classes : dict of int to str
        The value of each class in files, in the order of the channels from 1 on, and its name.
    normalisation : InputNormalisation
        What the images went through.
    colours : dict of int to tuple of int
        Those that label files give to classes, by value.
    stacks : bool
        Whether some are volumes.
    keypoints : tuple of Keypoints
        Of each plane; empty where nobody asked for them.
    left_out : tuple of str
        What is said of images that could not be read.
    remarks : tuple of str
        What is not certain of the labels, such as the side of a turned photograph that they were drawn on.
    """

    images: NDArray[np.float16]
    labels: NDArray[np.int8]
    files: NDArray[np.int64]
    positions: NDArray[np.float32]
    names: tuple[str, ...]
    classes: dict[int, str]
    normalisation: InputNormalisation
    colours: dict[int, Colour] = field(default_factory=dict)
    stacks: bool = False
    keypoints: tuple[Keypoints, ...] = ()
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(n,): whether anything of the plane is labelled."""
        return np.asarray((self.labels != IGNORED).any(axis=(1, 2)))

    @property
    def size(self) -> int:
        """Pixels along each side of a plane."""
        return int(self.images.shape[-1])

    def digest(self, file: int) -> str:
        """Compute a check sum of an image as it was read.

        Parameters
        ----------
        file : int
            Which of `names`.

        Returns
        -------
        str
            Twelve hexadecimal digits; not of its name, which may be a patient's.
        """
        return hashlib.sha256(self.images[self.files == file].tobytes()).hexdigest()[:12]

    def planes_of(self, file: int) -> NDArray[np.int64]:
        """Say which planes an image has.

        Parameters
        ----------
        file : int
            Which of `names`.

        Returns
        -------
        numpy.ndarray
            Their numbers, in the order in which they lie in a volume.
        """
        planes = np.flatnonzero(self.files == file)
        return planes[np.argsort(self.positions[planes], kind="stable")]

    def part(self, chosen: NDArray[Any]) -> ExampleSet:
        """Take some of the planes.

        Parameters
        ----------
        chosen : numpy.ndarray
            Indices, or (n,) bool, of the planes.

        Returns
        -------
        ExampleSet
            The names stay as they are.
        """
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return replace(
            self,
            images=self.images[index],
            labels=self.labels[index],
            files=self.files[index],
            positions=self.positions[index],
            keypoints=tuple(self.keypoints[i] for i in index) if self.keypoints else (),
        )

    def with_keypoints(self, most: int) -> ExampleSet:
        """Find the keypoints of each plane.

        Parameters
        ----------
        most : int
            How many keypoints a plane has at most.

        Returns
        -------
        ExampleSet
            With at most `most` keypoints a plane.
        """
        return replace(self, keypoints=tuple(find_keypoints(grey_of(image), most) for image in self.images))

    def shrunk(self) -> ExampleSet:
        """Halve the working size, for where memory ran out.

        Returns
        -------
        ExampleSet
            Keypoints move along.
        """
        half = self.size // 2
        images = F.interpolate(torch.from_numpy(self.images).float(), (half, half), mode="bilinear", antialias=True)
        labels = np.ascontiguousarray(self.labels[:, 1::2, 1::2])
        keypoints = tuple(Keypoints(k.places * np.float32(0.5), k.descriptors) for k in self.keypoints)
        return replace(self, images=images.half().numpy(), labels=labels, keypoints=keypoints)


def grey_of(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Average the channels of a plane.

    Parameters
    ----------
    image : numpy.ndarray
        (C, H, W).

    Returns
    -------
    numpy.ndarray
        (H, W) float32, from (C, H, W).
    """
    return np.asarray(image.astype(np.float32).mean(axis=0))
