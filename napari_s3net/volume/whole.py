"""A volume as one object: one network fitted to a few slices, through one window, and applied to all.

So a label means the same in every slice, and the object of CT is found in three dimensions.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any, Literal

import torch
from numpy.typing import NDArray

from napari_s3net import __version__
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.foreground.propose import NOTHING_STANDS_OUT
from napari_s3net.image import Image, as_image
from napari_s3net.preprocessing.suggest import suggest_preset
from napari_s3net.progress import Step
from napari_s3net.provenance import Provenance
from napari_s3net.result import Segmentation
from napari_s3net.runtime.device import memory_errors, resolve_device
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.memory import estimate_mib, require_label_memory
from napari_s3net.runtime.threads import threads_for
from napari_s3net.segmentation import train
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.variants import make_volume_trainer
from napari_s3net.volume.finder import VolumeFinder
from napari_s3net.volume.fitted import FittedVolume
from napari_s3net.volume.pool import workers
from napari_s3net.volume.sampled import check_volume, choose_sample, take_sample
from napari_s3net.volume.slices import iter_slices

Mode = Literal["volume", "slices"]
MODES: tuple[Mode, ...] = ("volume", "slices")


def segment_volume(
    image: Image | NDArray[Any],
    *,
    mode: Mode = "volume",
    preset: str = "auto",
    settings: Settings | None = None,
    seed: int | None = None,
    device: str | torch.device = "auto",
) -> Segmentation:
    """Segment a volume and wait for the result.

    Parameters
    ----------
    image : Image or numpy.ndarray
        (Z, H, W). The array of an `Image` may be memory-mapped or lazy: one slice is read at a time.
    mode : {"volume", "slices"}
        "volume": one network and one window for all slices, the object of CT found in three dimensions. "slices": each
        slice on its own, as `segment` does it, and joined.
    preset, settings, seed, device
        As for `segment`.

    Returns
    -------
    Segmentation
        (Z, H, W) labels; an id means the same in every slice.

    Raises
    ------
    InvalidImageError
        If it is no volume, all slices are empty, or the target cannot be found in this kind of image.
    InvalidSettingsError
        If there is no such mode or preset.
    DeviceError, OutOfMemoryError, DivergedError
        As from `segment`.
    """
    if mode not in MODES:
        raise InvalidSettingsError(f"A volume is segmented in mode {' or '.join(map(repr, MODES))}; got {mode!r}.")
    image, name = as_image(image), ""
    if settings is None:
        name = suggest_preset(image) if preset == "auto" else preset
        settings = preset_settings(name)
    if seed is not None:
        settings = settings.replace(seed=seed)
    if not image.is_stack:
        check_volume(image, settings)
    return drain(iter_mode(image, settings, device=device, mode=mode)).with_provenance(preset=name)


def usual_mode(image: Image, settings: Settings) -> Mode:
    """Say how a stack is segmented unless told otherwise.

    Parameters
    ----------
    image : Image
        A plane or a stack.
    settings : Settings
        `variant` counts.

    Returns
    -------
    str
        "volume"; "slices" for photographs and for the published network.
    """
    return "slices" if image.kind == "rgb" or settings.variant != "s3net" else "volume"


def iter_mode(
    image: Image,
    settings: Settings,
    *,
    device: str | torch.device = "auto",
    mode: Mode | None = None,
    previews: bool = False,
) -> Generator[Step, bool | None, Segmentation]:
    """Segment a plane, or a stack in one of the two modes.

    Parameters
    ----------
    image : Image
        (H, W), (H, W, 3), or a stack of such planes.
    settings : Settings
        As for one image.
    device : str or torch.device
        As in `segment`.
    mode : {"volume", "slices"}, optional
        Of a stack; when left out, "volume" where it can be segmented as one, and "slices" for photographs and for the
        published network.
    previews : bool
        Whether the step of a finished slice carries its labels, in mode "volume".

    Yields
    ------
    Step
        As `iter_volume` or `iter_slices`.

    Returns
    -------
    Segmentation
        Of the shape of the image.

    Raises
    ------
    S3NetError
        As from `iter_volume` or `iter_slices`.
    """
    mode = mode or usual_mode(image, settings)
    if image.is_stack and mode == "volume":
        return (yield from iter_volume(image, settings, device=device, previews=previews))
    return (yield from iter_slices(image, settings, device=device))


def iter_volume(
    image: Image, settings: Settings, *, device: str | torch.device = "auto", previews: bool = False
) -> Generator[Step, bool | None, Segmentation]:
    """Segment a volume as one object; `send(True)` stops and keeps the slices that are done.

    Parameters
    ----------
    image : Image
        (Z, H, W) intensities.
    settings : Settings
        As for one image.
    device : str or torch.device
        As in `segment`.
    previews : bool
        Whether the step of a finished slice carries its labels.

    Yields
    ------
    Step
        Of slice 0 while every slice is looked at (iteration 0) and the network is fitted; then one for each slice that
        is done.

    Returns
    -------
    Segmentation
        (Z, H, W) labels. Empty slices, and those that were not reached, have label 0; `provenance.slices` has a record
        of each of the others.

    Raises
    ------
    InvalidImageError, DeviceError, OutOfMemoryError, DivergedError
        As in `segment_volume`.
    """
    started = time.perf_counter()
    device = resolve_device(device)
    check_volume(image, settings)
    require_label_memory(image.shape)
    with memory_errors(device, estimate_mib(image.shape, settings)), workers() as pool:
        finder = VolumeFinder(image, settings)
        yield from finder.look(pool)
        sample = take_sample(image, choose_sample(image, finder.weights), settings)
        with threads_for(settings.working_shape(image.shape[1:])):
            trainer = make_volume_trainer(sample.features, settings, device)
            trained = yield from train(trainer, settings, image)
            run = FittedVolume(image, settings, finder, sample, trainer.model())
        done: list[int] = []
        if not trained.stopped:
            done = yield from run.apply(pool, len(trained.losses), previews=previews)
    run.labels[len(done) :] = 0  # what was under way when the user stopped
    provenance = Provenance(
        settings=settings,
        version=__version__,
        device=str(device),
        seconds=time.perf_counter() - started,
        stopped=len(done) < len(image.array),
        note=run.note(done),
        image=image.facts,
        iterations=len(trained.losses),
        losses=trained.losses,
    )
    return _result(image, run, provenance)


def _result(image: Image, run: FittedVolume, provenance: Provenance) -> Segmentation:
    """The labels and what they mean, with a record of each slice; without an object where nothing stands out."""
    meanings, foreground = run.numbering.meanings, run.numbering.foreground
    if not run.has_object:
        meanings = {label: meaning for label, meaning in meanings.items() if label not in foreground}
        foreground = ()
        provenance = replace(provenance, note=f"{provenance.note} {NOTHING_STANDS_OUT}".strip())
    provenance = replace(provenance, confidence=run.confidence if foreground else 0.0)
    slices = tuple(replace(provenance, losses=(), slice=index) for index in run.segmented)
    return Segmentation(
        labels=run.labels,
        foreground=foreground,
        geometry=image.geometry,
        provenance=replace(provenance, slices=slices),
        names={i: meaning.name for i, meaning in meanings.items()},
        meanings=meanings,
        object_name=run.names[0],
        image=image,
    )
