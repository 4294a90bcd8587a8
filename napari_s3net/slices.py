"""A plane, or a stack slice by slice, as one run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace

from napari_s3net.errors import InvalidImageError
from napari_s3net.image import Image, Segmentation, Step
from napari_s3net.results import join_slices
from napari_s3net.settings import Settings


def iter_slices(
    image: Image, settings: Settings, *, device: str = "auto"
) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane, or a stack slice by slice; a slice with nothing in it stays without labels.

    Parameters
    ----------
    image : Image
        (H, W), (H, W, 3), or a stack of such planes.
    settings : Settings
        The same for every slice.
    device : str
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
    from napari_s3net.segmentation import iter_segment

    return (yield from iter_planes(image, lambda plane: iter_segment(plane, settings, device=device)))


def iter_planes(
    image: Image, iter_plane: Callable[[Image], Generator[Step, bool | None, Segmentation]]
) -> Generator[Step, bool | None, Segmentation]:
    """As `iter_slices`, with whatever segments one plane."""
    if not image.is_stack:
        return (yield from iter_plane(image))
    parts: list[Segmentation | None] = []
    empty: InvalidImageError | None = None
    for index in range(len(image.array)):
        try:
            parts.append((yield from _placed(iter_plane(image.slice(index)), index, len(image.array))))
        except InvalidImageError as error:
            parts.append(None)
            empty = error
    if empty is not None and not any(parts):
        raise empty
    return join_slices(image, parts)


def _placed(
    steps: Generator[Step, bool | None, Segmentation], index: int, total: int
) -> Generator[Step, bool | None, Segmentation]:
    """The steps of one slice, each with its place in the stack."""
    answer = None
    with closing(steps):
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                result: Segmentation = end.value
                return result
            answer = yield replace(step, slice=index, slices=total)
