"""The rows of a result's table: each cluster, or groups of them, with the names and object that the result knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_s3net.labels.measure import Cluster
from napari_s3net.plugin.layers.metadata import Metadata
from napari_s3net.plugin.layers.shown import Shown, groups_of
from napari_s3net.plugin.widgets.cluster_model import ClusterRow, group_rows, rows_of
from napari_s3net.plugin.widgets.volume_text import amount_text


def named_clusters(clusters: Sequence[Cluster], about: Metadata, kind: str | None) -> list[Cluster]:
    """Give what was measured the result's names and object.

    Parameters
    ----------
    clusters : sequence of Cluster
        Of the plane in view.
    about : dict
        The result's metadata.
    kind : str or None
        Of the image: in CT a cluster without a name is called by its tissue.

    Returns
    -------
    list of Cluster
        In the same order.
    """
    names, foreground = about["names"], about["foreground"]
    return [
        replace(c, name=names.get(c.id) or (c.name if kind == "ct" else ""), is_object=c.id in foreground)
        for c in clusters
    ]


def result_rows(
    clusters: Sequence[Cluster], about: Metadata, kind: str | None, shown: Shown, voxels: Mapping[int, int]
) -> tuple[ClusterRow, ...]:
    """Make the table's rows.

    Parameters
    ----------
    clusters : sequence of Cluster
        Of the plane in view, as `named_clusters` gives them.
    about : dict
        The result's metadata.
    kind : str or None
        Of the image.
    shown : Shown
        Each cluster, or groups.
    voxels : mapping of int to int
        How many voxels of the stack each label has; empty for a plane.

    Returns
    -------
    tuple of ClusterRow
        In the colours that the user chose, where there are some.
    """
    geometry = about["geometry"]
    if shown is Shown.EACH:
        rows = rows_of(clusters, kind, {label: amount_text(n, geometry) for label, n in voxels.items()})
    else:
        groups = groups_of(about)
        volumes = {g: amount_text(sum(voxels.get(i, 0) for i in g.ids), geometry) for g in groups}
        rows = group_rows(clusters, groups, kind, volumes if voxels else {})
    own = about.get("colours", {})
    return tuple(replace(row, colour=own.get(row.label, row.colour)) for row in rows)
