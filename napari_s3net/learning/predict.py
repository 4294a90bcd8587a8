"""Apply a learned model to images."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_s3net import __version__
from napari_s3net.errors import InvalidImageError, ModelFileError
from napari_s3net.image import Image
from napari_s3net.learning.closer import find_part, look_closer
from napari_s3net.learning.examples import grey_of
from napari_s3net.learning.keypoints import find_keypoints, pad_points
from napari_s3net.learning.methods import predict_squares
from napari_s3net.learning.model import LearnedModel, load_model
from napari_s3net.learning.pieces import ONE_PIECE, keep_one_piece, largest_piece
from napari_s3net.learning.planes import from_square, to_square
from napari_s3net.learning.settings import LEARNING
from napari_s3net.learning.start import LESIONS
from napari_s3net.network.unet import ClassNetwork
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.segments import Meaning
from napari_s3net.settings import preset_settings

#: What is said where a volume had more pieces of a class than one.
LEFT_OUT = "Smaller pieces were left out, as those images have none."


def predict_plane(model: LearnedModel, plane: Image) -> NDArray[np.float32]:
    """Compute the probabilities of one plane.

    Parameters
    ----------
    model : LearnedModel
        What was learned.
    plane : Image
        (H, W) or (H, W, 3).

    Returns
    -------
    numpy.ndarray
        (K, H, W), the background first; they sum to one.

    Raises
    ------
    InvalidImageError
        If it has colours and the model was learned without, or the reverse; or holds nothing.
    """
    settings = model.card.settings
    square = to_square(model.card.normalisation(plane), settings.size)
    return predict_square(model.network, square, plane.shape, settings.most_keypoints)


def predict_square(
    network: ClassNetwork,
    square: NDArray[np.floating],
    shape: tuple[int, ...],
    most_keypoints: int,
    closer: ClassNetwork | None = None,
) -> NDArray[np.float32]:
    """Compute the probabilities of one plane from what the network is given to see of it.

    Parameters
    ----------
    network : ClassNetwork
        Learned, or under way.
    square : numpy.ndarray
        (C, S, S), as `to_square` gives it.
    shape : tuple of int
        (H, W) of the plane.
    most_keypoints : int
        As the network has learned with, where it uses keypoints.
    closer : ClassNetwork, optional
        Decides where the first one has found the object in this plane alone.

    Returns
    -------
    numpy.ndarray
        (K, H, W), the background first; they sum to one.
    """
    points = pad_points([find_keypoints(grey_of(square), most_keypoints)]) if network.config.keypoints else None
    height, width = shape
    probabilities = predict_squares(network, square[None], points)
    whole: NDArray[np.float32] = from_square(probabilities, (height, width))[0].numpy()
    part = find_part(whole.argmax(axis=0)[None] > 0) if closer is not None else None
    if closer is None or part is None:
        return whole
    near: NDArray[np.float32] = look_closer(closer, square[None], part, (height, width), most_keypoints)[0].numpy()
    return near


def iter_apply(image: Image, model: LearnedModel) -> Generator[Step, bool | None, Segmentation]:
    """Give each pixel of an image its class.

    Parameters
    ----------
    image : Image
        A plane, or a stack, whose slices are seen one by one, and a second time closer where the model has learned to;
        what was in one piece in all corrected ones is so in it.
    model : LearnedModel
        What was learned.

    Yields
    ------
    Step
        One a plane, and one more for each closer look; answer True to stop, and the other slices stay without labels,
        or as they were seen first.

    Returns
    -------
    Segmentation
        With the values and names of the classes; every class is object.

    Raises
    ------
    ModelFileError
        If the model was only pre-trained.
    InvalidImageError
        If it has colours and the model was learned without, or the reverse; or no plane holds anything.
    """
    if model.card.is_pretrained_only:
        raise ModelFileError("This model was only pre-trained and knows no classes yet. Learn from labels first.")
    started = time.perf_counter()
    planes = [image.slice(z) for z in range(len(image.array))] if image.is_stack else [image]
    values = np.array([0, *model.card.classes], np.int32)
    labels = np.zeros((len(planes), *image.shape[-2:]), np.int32)
    looks = 2 if image.is_stack and model.closer is not None else 1
    certain: dict[int, float] = {}
    empty: InvalidImageError | None = None
    stopped = False
    for n, plane in enumerate(planes):
        try:
            probabilities = predict_plane(model, plane)
        except InvalidImageError as error:  # a slice without anything stays without labels
            empty = error
        else:
            labels[n], certain[n] = _decide(plane, probabilities, values, model)
        if (yield Step(1, looks, {}, len(values) - 1, slice=n, slices=len(planes))):
            stopped = n + 1 < len(planes)
            break
    if empty is not None and not certain:
        raise empty
    if looks > 1 and not stopped:
        yield from _iter_closer(model, planes, labels, certain, values)
    whole = keep_one_piece(labels, model.card.record.get(ONE_PIECE, [])) if image.is_stack else labels
    provenance = Provenance(
        settings=preset_settings(suggest_preset(image)),
        version=__version__,
        seconds=time.perf_counter() - started,
        stopped=stopped,
        confidence=float(np.mean([*certain.values()])) if certain else 0.0,
        image=image.facts,
    )
    result = _result(image, whole if image.is_stack else whole[0], model, provenance)
    return result if np.array_equal(whole, labels) else _with_note(result, LEFT_OUT)


def _iter_closer(
    model: LearnedModel,
    planes: Sequence[Image],
    labels: NDArray[np.int32],
    certain: dict[int, float],
    values: NDArray[np.int32],
) -> Generator[Step, bool | None, None]:
    """Look at the slices again, where the object is, until it is asked to stop; changes what was found first."""
    part = find_part(largest_piece(labels > 0))
    if part is None or model.closer is None:
        return
    settings = model.card.settings
    for n in certain:
        square = to_square(model.card.normalisation(planes[n]), settings.size)
        shape = planes[n].shape[0], planes[n].shape[1]
        probabilities = look_closer(model.closer, square[None], part, shape, settings.most_keypoints)[0].numpy()
        labels[n], certain[n] = _decide(planes[n], probabilities, values, model)
        if (yield Step(2, 2, {}, len(values) - 1, slice=n, slices=len(planes))):
            return


def _result(image: Image, labels: NDArray[np.int32], model: LearnedModel, provenance: Provenance) -> Segmentation:
    """Labels that mean the model's classes, and know what they were learned from."""
    card = model.card
    n = card.record.get("labelled images", 0)
    provenance = replace(
        provenance,
        device=str(next(model.network.parameters()).device),
        note=f"Learned from {n} corrected image{'s' if n != 1 else ''} ({card.settings.method}).",
        model={"weights": model.digest(), "settings": card.settings.to_dict()},
    )
    return Segmentation(
        labels=labels,
        foreground=tuple(card.classes),
        geometry=image.geometry,
        provenance=provenance,
        names=dict(card.classes),
        meanings={value: Meaning(name) for value, name in card.classes.items()},
        object_name=next(iter(card.classes.values())) if len(card.classes) == 1 else "Object",
        colours=card.colours,
        image=image,
    )


def _with_note(result: Segmentation, words: str) -> Segmentation:
    provenance = result.provenance
    return replace(result, provenance=replace(provenance, note=f"{provenance.note} {words}"))


def _decide(
    plane: Image, probabilities: NDArray[np.float32], values: NDArray[np.int32], model: LearnedModel
) -> tuple[NDArray[np.int32], float]:
    """Labels of a plane, and how sure they are: beside the program's own proposal where both look for lesions."""
    from napari_s3net.learning.beside_proposal import lesion_beside_proposal

    if model.card.record.get(LESIONS) and plane.kind == "rgb":
        found = lesion_beside_proposal(plane, probabilities[1], model.card.record.get("labelled images", 0))
        if found is not None:
            return np.where(found[0], values[1], values[0]), found[1]
    return values[probabilities.argmax(axis=0)], confidence_of(probabilities)


def confidence_of(probabilities: NDArray[np.floating]) -> float:
    """Say how far a prediction can be trusted: the mean certainty where the object is, or may be.

    Parameters
    ----------
    probabilities : numpy.ndarray
        (K, H, W).

    Returns
    -------
    float
        0 to 1: the mean of the largest probability over pixels whose background has less than 0.9; 1 where none has.
    """
    near = probabilities[0] < LEARNING.background
    return float(probabilities.max(axis=0)[near].mean()) if near.any() else 1.0


@lru_cache(maxsize=2)
def _loaded(path: Path, changed: int) -> LearnedModel:  # noqa: ARG001 - a file that was written anew is another one
    """A model that many images in a row are applied to is read once."""
    return load_model(path)


def iter_learned(image: Image, path: Path, device: str = "cpu") -> Generator[Step, bool | None, Segmentation]:
    """Apply the model of a file to an image, as a batch does.

    Parameters
    ----------
    image : Image
        A plane or a stack.
    path : Path
        Of the model.
    device : str
        As in `segment`.

    Yields
    ------
    Step
        One a plane.

    Returns
    -------
    Segmentation
        As `iter_apply`.

    Raises
    ------
    ModelFileError, InvalidImageError
        As `load_model` and `iter_apply`.
    """
    from napari_s3net.runtime.device import resolve_device

    if not path.is_file():
        raise ModelFileError(f"There is no model at {path}.")
    model = _loaded(path, path.stat().st_mtime_ns)
    model.to(resolve_device(device))
    return (yield from iter_apply(image, model))
