"""Segment a stack slice by slice, each on its own, and join the slices to one result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image
from napari_s3net.labels.matching import match_to_stack, renumber
from napari_s3net.progress import Step
from napari_s3net.provenance import ImageFacts, Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import relay
from napari_s3net.segments import Meaning
from napari_s3net.settings import Settings

if TYPE_CHECKING:
    import torch


def iter_slices(
    image: Image, settings: Settings, *, device: str | torch.device = "auto"
) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane, or a stack slice by slice; a slice with nothing in it stays without labels.

    Parameters
    ----------
    image : Image
        (H, W), (H, W, 3), or a stack of such planes.
    settings : Settings
        The same for every slice.
    device : str or torch.device
        As in `segment`.

    Yields
    ------
    Step
        An iteration; with each slice they begin at 1 again.

    Returns
    -------
    Segmentation
        Of the shape of the image.

    Raises
    ------
    S3NetError
        As `iter_segment`; `InvalidImageError` only where no slice can be segmented.
    """
    from napari_s3net.preprocessing.check import check_target
    from napari_s3net.segmentation import iter_segment

    check_target(image, settings)
    return (yield from iter_planes(image, lambda plane: iter_segment(plane, settings, device=device)))


def iter_planes(
    image: Image, iter_plane: Callable[[Image], Generator[Step, bool | None, Segmentation]]
) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane, or a stack slice by slice, with any function that segments one plane.

    Parameters
    ----------
    image : Image
        (H, W), (H, W, 3), or a stack of such planes.
    iter_plane : callable
        Called with one plane; a generator of steps that returns a `Segmentation`, as `iter_segment` is one.

    Yields
    ------
    Step
        As `iter_plane`; of a stack it says as well which slice it belongs to.

    Returns
    -------
    Segmentation
        Of the shape of the image; slices in which there is nothing to segment have label 0.

    Raises
    ------
    InvalidImageError
        If no slice can be segmented: that of the last one.
    S3NetError
        As `iter_plane`.
    """
    if not image.is_stack:
        return (yield from iter_plane(image))
    parts: list[Segmentation | None] = []
    empty: InvalidImageError | None = None
    for index in range(len(image.array)):
        try:
            placed = partial(replace, slice=index, slices=len(image.array))
            parts.append((yield from relay(iter_plane(image.slice(index)), placed)))
        except InvalidImageError as error:
            parts.append(None)
            empty = error
    if empty is not None and not any(parts):
        raise empty
    return join_slices(image, parts)


def join_slices(image: Image, parts: Sequence[Segmentation | None]) -> Segmentation:
    """Join the results of single slices to one result of the stack.

    Parameters
    ----------
    image : Image
        The stack.
    parts : sequence of Segmentation or None
        One of each slice; None where a slice has none. Each was segmented on its own: an id is given to clusters of
        one meaning on one side of the object, and follows the overlap from slice to slice.

    Returns
    -------
    Segmentation
        (Z, H, W) labels, the object's ids first; its provenance holds that of each slice.
    """
    done = [part for part in parts if part is not None]
    labels = np.zeros(image.shape, np.int32)
    known: dict[int, tuple[bool, Meaning | None]] = {}
    names: dict[int, str] = {}
    beside: NDArray[np.int32] | None = None
    for plane, part in zip(labels, parts, strict=True):
        if part is not None:
            meanings = cluster_meanings(part)
            ids = match_to_stack(part.labels, meanings, known, beside)
            known |= {ids[label]: meaning for label, meaning in meanings.items()}
            names = {ids[label]: part.names.get(label, "") for label in meanings} | names
            plane[:] = renumber(part.labels, ids)
            beside = plane
    objects_first = sorted(known, key=lambda i: (not known[i][0], i))
    order = {old: new for new, old in enumerate(objects_first, 1)}
    return replace(
        done[0],
        labels=renumber(labels, order),
        foreground=tuple(range(1, 1 + sum(is_object for is_object, _ in known.values()))),
        geometry=image.geometry,
        provenance=join_provenance([None if part is None else part.provenance for part in parts], image.facts),
        names={new: names[old] for old, new in order.items()},
        meanings={new: meaning for old, new in order.items() if (meaning := known[old][1]) is not None},
        state={},
        image=image,
    )


def cluster_meanings(part: Segmentation) -> dict[int, tuple[bool, Meaning | None]]:
    """Say what each cluster of a result is.

    Parameters
    ----------
    part : Segmentation
        Of one slice.

    Returns
    -------
    dict of int to tuple
        For each id with pixels whether it belongs to the object, and its meaning, or None where it has none.
    """
    ids = np.flatnonzero(np.bincount(part.labels.ravel())[1:]) + 1
    return {i: (i in part.foreground, part.meanings.get(i)) for i in ids.tolist()}


def join_provenance(parts: Sequence[Provenance | None], image: ImageFacts) -> Provenance:
    """Join the records of single slices to that of their stack.

    Parameters
    ----------
    parts : sequence of Provenance or None
        One of each slice; None stands for a slice that was not segmented.
    image : ImageFacts
        Of the stack.

    Returns
    -------
    Provenance
        Seconds and iterations are added up, the confidence is the mean, the certainty is that of the least certain
        slice, the note is the last one; `slices` holds the parts.
    """
    slices = tuple(replace(part, slice=index) for index, part in enumerate(parts) if part is not None)
    return replace(
        slices[0],
        seconds=sum(part.seconds for part in slices),
        stopped=any(part.stopped for part in slices),
        note=next((part.note for part in reversed(slices) if part.note), ""),
        confidence=float(np.mean([part.confidence for part in slices])),
        certainty=_least_certain([part.certainty for part in slices]),
        slice=None,
        image=image,
        iterations=sum(part.iterations for part in slices),
        losses=(),
        slices=slices,
    )


def _least_certain(words: Sequence[str]) -> str:
    """The word of the slice that most needs a look; empty where a slice has none."""
    order = ("no clear object", "look", "sure")
    return next((word for word in order if word in words), "") if all(words) else ""
