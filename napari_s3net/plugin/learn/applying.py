"""A model applied to the image in view: which of its planes, and the labels that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Labels

from napari_s3net.plugin.jobs.learn_job import ApplyJob
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.layers.stack import Stack
from napari_s3net.plugin.learn.result import put_result, replaces_changes
from napari_s3net.result import Segmentation


@dataclass(frozen=True, eq=False)
class Applied:
    """What a model was applied to.

    Parameters
    ----------
    image : napari.layers.Image
        The image.
    labels : napari.layers.Labels
        The layer that has the model's labels now.
    done, slices : int
        To how many of how many slices.
    replaced_changes : bool
        Whether labels that were changed made room.
    """

    image: ImageLayer
    labels: Labels
    done: int
    slices: int
    replaced_changes: bool


def whole_of(viewer: Any, image: ImageLayer) -> Stack:
    """Find the planes of an image that a model is applied to.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the image.
    image : napari.layers.Image
        The image.

    Returns
    -------
    Stack
        Slice by slice of the file, whatever is displayed; of further axes the planes at their place in view.
    """
    dims = viewer.dims
    return Stack.whole(source_of(image, dims.point, range(dims.ndim)[-2:]))


class Applying:
    """Applies a model to an image of the viewer, of a volume to all of its slices.

    Parameters
    ----------
    viewer : napari.Viewer
        Holds the image.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._asked: tuple[ImageLayer, Stack] | None = None

    def ask(self, image: ImageLayer, model: Path) -> ApplyJob:
        """Say what is to be done.

        Parameters
        ----------
        image : napari.layers.Image
            The image.
        model : Path
            File of the model.

        Returns
        -------
        ApplyJob
            Not begun yet.
        """
        stack = whole_of(self._viewer, image)
        self._asked = image, stack
        return ApplyJob(model, stack.read if len(stack) > 1 else stack.source.read)

    def put(self, result: Segmentation, done: int, colours: Mapping[int, str]) -> Applied | None:
        """Put the model's labels onto the image, as far as it was applied.

        Parameters
        ----------
        result : Segmentation
            What the job gave.
        done : int
            Slices that have their labels.
        colours : mapping of int to str
            "#rrggbb" of the classes.

        Returns
        -------
        Applied or None
            None where nothing was asked for, the dock has let go of it, or the image was removed meanwhile.
        """
        if self._asked is None:
            return None
        (image, whole), self._asked = self._asked, None
        if not any(plain(one) is image for one in self._viewer.layers):
            return None
        stack = replace(whole, last=whole.first + done - 1)
        if done < len(whole):
            result = replace(result, labels=result.labels[:done])
        has_changes = replaces_changes(self._viewer, image, stack)
        labels = put_result(self._viewer, image, stack, result, colours)
        return Applied(image, labels, done, len(whole), has_changes)

    def release(self) -> None:
        """Let go of the image."""
        self._asked = None
