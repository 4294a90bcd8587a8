"""What of a result is shown: the object alone, its clusters in a few groups, or each of them. Changes no label."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from napari.layers import Labels

from napari_s3net.labels.groups import Group, group_labels
from napari_s3net.plugin.layers.renewal import PerLayer


class Shown(Enum):
    """How much of a result is shown."""

    OBJECT = "object"
    GROUPS = "groups"
    EACH = "each"


#: What the user has chosen for a layer.
_chosen: PerLayer[Labels, Shown] = PerLayer()


def choose_shown(layer: Labels, shown: Shown) -> None:
    """Remember what of a result is shown.

    Parameters
    ----------
    layer : napari.layers.Labels
        The result; its colours are not changed here, see `result_layer.recolour`.
    shown : Shown
        From now on.
    """
    _chosen[layer] = shown


def shown_of(layer: Labels, about: Mapping[str, Any]) -> Shown:
    """What of a result is shown.

    Parameters
    ----------
    layer : napari.layers.Labels
        The result.
    about : mapping
        What the layer knows about itself; see `layers.metadata`.

    Returns
    -------
    Shown
        As chosen; at first the object alone, and where there is none, the groups.
    """
    first = Shown.OBJECT if about["foreground"] else Shown.GROUPS
    return _chosen.get(layer, first)


def groups_of(about: Mapping[str, Any]) -> tuple[Group, ...]:
    """Sort a result's labels into the groups that are shown.

    Parameters
    ----------
    about : mapping
        What its layer knows about itself.

    Returns
    -------
    tuple of Group
        At most four; see `group_labels`.
    """
    return group_labels(about["names"], about.get("meanings", {}), about["foreground"], about.get("object_name", ""))
