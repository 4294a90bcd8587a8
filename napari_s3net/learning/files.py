"""Which file holds the labels of which image, and what its values mean."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_s3net.errors import InvalidImageError, ReadError
from napari_s3net.io.listing import RESULTS, is_hidden
from napari_s3net.io.validation.headers import is_readable, stem
from napari_s3net.io.write import PICTURES, VOLUMES

#: In a file of labels: nobody has looked at this pixel.
UNLABELLED = 255
#: A file that holds these values alone is a mask, of the one class 1.
MASK_VALUES = {0, UNLABELLED}
#: What may be appended to an image's name to make that of its labels.
ENDINGS = ("", "_labels", "_label", "_mask", "_gt", "_seg", "_segmentation", ".seg")
#: The file by which the output folder of a batch is known.
REPORT = "report.jsonl"
#: Where the corrections of a batch lie below its output folder; masks first, for its labels are clusters.
CORRECTED = ("corrected/masks", "corrected/labels")


#: Of a .hdr with its .img one counts.
_SECOND = re.compile(r"(?i)\.img(\.gz)?$")


@dataclass(frozen=True)
class ImageWithLabels:
    """An image, and its labels where there are some.

    Attributes
    ----------
    image : Path
        The file.
    labels : Path or None
        The file of its labels.
    name : str
        Path of the image below its folder, without suffix.
    """

    image: Path
    labels: Path | None
    name: str


def find_images_with_labels(images: Path, labels: Path | None = None) -> list[ImageWithLabels]:
    """List the images of a folder and of those within it, each with its labels where there are some.

    Parameters
    ----------
    images : Path
        Folder of images.
    labels : Path, optional
        Folder of labels, which are called like their images, with or without one of `ENDINGS`; the folder of the
        images itself, where the labels have such an ending; or the output folder of a batch, whose `corrected` counts.

    Returns
    -------
    list of ImageWithLabels
        By name.

    Raises
    ------
    ReadError
        If a folder is missing, or there are no images, or no labels of any image, or a file of labels is called like
        several images, or several files of labels are called like one image.
    """
    for folder in (images, labels):
        if folder is not None and not folder.is_dir():
            raise ReadError(f"Expected a folder; {folder} is none.")
    files = _files(images)
    if labels is None:
        found = dict(files)
        pairs = [ImageWithLabels(path, None, name) for name, path in found.items() if not _ends(name, found)]
    else:
        source = place_of_labels(labels)
        label_files = _files(source)
        known = dict(label_files)
        same = source.resolve() == images.resolve()
        # A folder of labels may lie within that of the images.
        found = {name: path for name, path in files if same or not path.is_relative_to(source)}
        names = [name for name in found if not _ends(name, found)]
        labels_of = _labels_of(names, known, ENDINGS[1:] if same else ENDINGS)
        _check_one_owner(labels_of, files)
        _check_one_file(labels_of, label_files)
        pairs = [ImageWithLabels(found[name], labels_of.get(name), name) for name in names]
        if pairs and not any(pair.labels for pair in pairs):
            raise ReadError(_why_none(labels, images, pairs[0].image))
    if not pairs:
        raise ReadError(f"There are no images in {images}.")
    return sorted(pairs, key=lambda pair: pair.name)


def _why_none(labels: Path, images: Path, first: Path) -> str:
    """Why there are no labels of any image, and what to do."""
    source = place_of_labels(labels)
    if source == labels and (labels / REPORT).is_file():
        return (
            f"Nothing that the batch in {labels} has found is corrected yet, and without that it is not learned from. "
            "Correct some of its results first, as with Review in the Batch dock."
        )
    return (
        f"No labels found in {source}: expected files that are called like the images in {images}, such as "
        f"{first.name} or {stem(first)}_labels.nii.gz."
    )


def has_images(folder: Path) -> bool:
    """Whether there is any image, or any labels, in a folder or in those within it.

    Parameters
    ----------
    folder : Path
        The folder, which need not exist.

    Returns
    -------
    bool
        Whether there is.
    """
    return bool(_files(folder))


def checkpoint_of(model: Path) -> Path:
    """Return where the checkpoint of a model lies while it is learned.

    Parameters
    ----------
    model : Path
        The file of the model, which need not exist.

    Returns
    -------
    Path
        Beside the model.
    """
    return model.with_name(f"{model.stem}.checkpoint.safetensors")


def checkpoints_of(checkpoint: Path) -> tuple[Path, ...]:
    """Return where the checkpoints of the looks lie of which learning is made.

    Parameters
    ----------
    checkpoint : Path
        Of the first look.

    Returns
    -------
    tuple of Path
        That and those beside it: of the first look, the closer one, and both in the second round.
    """
    return tuple(checkpoint.with_suffix(f"{end}.safetensors") for end in ("", ".closer", ".again", ".again.closer"))


def _files(folder: Path) -> Sequence[tuple[str, Path]]:
    """Every readable file below a folder by its path without suffix; what a batch wrote beside is left out."""
    named: list[tuple[str, Path]] = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = [
            file for file in sorted(Path(path) / name for name in files) if is_readable(file) and not is_hidden(file)
        ]
        named += [((file.relative_to(folder).parent / stem(file)).as_posix(), file) for file in here]
    return named


def file_for_labels(image: Path, folder: Path, suffix: str) -> Path:
    """Say where labels of an image are written, so that they are what is found there, and replace no image.

    Parameters
    ----------
    image : Path
        The file of the image.
    folder : Path
        Where labels lie; it need not exist.
    suffix : str
        Of a new file.

    Returns
    -------
    Path
        Called like the image, beside it with an ending; the file in another format that is there under that name.
    """
    is_beside = folder.resolve() == image.parent.resolve()
    name = f"{stem(image)}{ENDINGS[1] if is_beside else ENDINGS[0]}"
    new = folder / f"{name}{suffix}"
    if new.exists() or not folder.is_dir():
        return new
    there = sorted(p for p in folder.iterdir() if stem(p) == name and p.name.lower().endswith((*PICTURES, *VOLUMES)))
    return next(iter(there), new)


def place_of_labels(labels: Path) -> Path:
    """Say where labels lie, for those who read them and for those who add some.

    Parameters
    ----------
    labels : Path
        The folder that was named.

    Returns
    -------
    Path
        That folder; of a batch's output folder its corrections, where there are some.
    """
    return next((labels / name for name in CORRECTED if (labels / name).is_dir()), labels)


def _ends(name: str, among: dict[str, Path]) -> bool:
    """Whether a name is that of the labels of another one, or of what else was made from it."""
    return any(end and name.endswith(end) and name.removesuffix(end) in among for end in (*ENDINGS, *RESULTS))


def _labels_of(names: Sequence[str], known: dict[str, Path], endings: Sequence[str]) -> dict[str, Path]:
    """The labels of images by their paths; what is left over by their names alone, where folders differ."""
    exact = {name: known[name + end] for end in reversed(endings) for name in names if name + end in known}
    left = {name: path for name, path in known.items() if path not in exact.values()}
    alone = {name: Path(name).name for name in names if name not in exact}
    return exact | {
        name: left[form + end] for end in reversed(endings) for name, form in alone.items() if form + end in left
    }


def _check_one_file(labels_of: dict[str, Path], label_files: Sequence[tuple[str, Path]]) -> None:
    """Refuse several files of one name as labels of an image: nothing says which of them holds."""
    files: dict[str, list[str]] = {}
    for name, path in label_files:
        if not _SECOND.search(path.name):
            files.setdefault(name, []).append(path.name)
    names = {path: name for name, path in label_files}
    for image, labels in labels_of.items():
        if len(mine := files.get(names[labels], [])) > 1:
            raise ReadError(
                f"The image {image} has {len(mine)} files of labels in {labels.parent} ({', '.join(mine[:3])}); "
                "expected one. Keep the one that holds, and move the others away."
            )


def _check_one_owner(labels_of: dict[str, Path], files: Sequence[tuple[str, Path]]) -> None:
    """Refuse labels that are called like several images: of all but one they are another image's."""
    owners: dict[Path, list[str]] = {}
    for name, path in files:
        if name in labels_of and not _SECOND.search(path.name):
            owners.setdefault(labels_of[name], []).append(f"{Path(name).parent / path.name}")
    for labels, images in owners.items():
        if len(images) > 1:
            raise ReadError(
                f"The labels {labels} are called like {len(images)} images ({', '.join(images[:3])}), and belong "
                "to one. Put labels into folders that are called like those of their images."
            )


def default_names(values: Sequence[int]) -> dict[int, str]:
    """Name classes that nobody has named.

    Parameters
    ----------
    values : sequence of int
        As in the labels' files.

    Returns
    -------
    dict of int to str
        "Object" for a single one; else they are numbered.
    """
    return {value: f"Class {value}" if len(values) > 1 else "Object" for value in values}


def parse_classes(text: str) -> dict[int, str]:
    """Read names of classes.

    Parameters
    ----------
    text : str
        Such as "1=Right ventricle,2=Myocardium".

    Returns
    -------
    dict of int to str
        Empty for an empty text.

    Raises
    ------
    InvalidImageError
        If it is something else.
    """
    found: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"\s*(\d+)\s*=\s*(\S.*?)\s*", part)
        if match is None or not 0 < int(match[1]) < UNLABELLED:
            raise InvalidImageError(f'Classes are numbers from 1 to 254 with names, "1=Lesion,2=Hair"; got {part!r}.')
        found[int(match[1])] = match[2]
    return found
