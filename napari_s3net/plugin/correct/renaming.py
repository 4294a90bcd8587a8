"""Another name for a label, or other labels as the object: steps of undo though no label changes.

A result holds names in what it knows about itself; labels made elsewhere hold them in their features.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from napari.layers import Labels

from napari_s3net.plugin.layers.layer_segments import names_in_features
from napari_s3net.plugin.layers.metadata import with_name
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.result_layer import metadata_of, write_metadata
from napari_s3net.plugin.layers.undo import undo_log_of


def rename_label(viewer: Any, layer: Labels, key: PlaneKey, label: int, name: str) -> None:
    """Give a label another name, as one step of undo, though no label changes.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose undo knows of it.
    layer : napari.layers.Labels
        The labels.
    key : PlaneKey
        The plane in view.
    label : int
        The label's number.
    name : str
        Its new name.
    """
    about = metadata_of(layer)
    if about is not None:
        change_metadata(viewer, layer, key, names=with_name(about, label, name)["names"])
        return
    put = partial(_put_name, layer, label)
    known = names_in_features(layer.features).get(label, "")
    undo_log_of(viewer).note(layer, partial(put, known), partial(put, name))
    put(name)


def choose_object(viewer: Any, layer: Labels, key: PlaneKey, foreground: Iterable[int]) -> bool:
    """Make other labels of a result the object, as one step of undo.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose undo knows of it.
    layer : napari.layers.Labels
        The result.
    key : PlaneKey
        The plane in view.
    foreground : iterable of int
        The object's labels.

    Returns
    -------
    bool
        False where they are the object already.
    """
    after = sorted(int(i) for i in foreground)
    if after == list(layer.metadata[KEY]["foreground"]):
        return False
    change_metadata(viewer, layer, key, foreground=after)
    return True


def change_metadata(viewer: Any, layer: Labels, key: PlaneKey, **entries: Any) -> None:
    """Give entries of a result's metadata other values, as one step of undo.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose undo knows of it.
    layer : napari.layers.Labels
        The result.
    key : PlaneKey
        The plane in view.
    **entries
        Names, or the object's labels, by the metadata's names for them.
    """
    put = partial(_put, layer, key)
    before = {name: layer.metadata[KEY][name] for name in entries}
    undo_log_of(viewer).note(layer, partial(put, **before), partial(put, **entries))
    put(**entries)


def _put_name(layer: Labels, label: int, name: str) -> None:
    layer.features = _with_name(layer.features, label, name)


def _put(layer: Labels, key: PlaneKey, **entries: Any) -> None:
    write_metadata(layer, key, {**layer.metadata[KEY], **entries})
    layer.refresh(extent=False)  # tells the docks


def _with_name(features: Any, label: int, name: str) -> dict[str, list[Any]]:
    """The features with that name; without one where it is empty."""
    columns = {column: list(features[column]) for column in features}
    if "index" not in columns:
        columns = {"index": []}
    columns.setdefault("name", [""] * len(columns["index"]))
    if label not in columns["index"]:
        for column, values in columns.items():
            values.append(label if column == "index" else None)
    columns["name"][columns["index"].index(label)] = name
    return columns
