"""The rows of the table of clusters, as Qt asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor

from napari_s3net.labels.groups import Group, join_clusters
from napari_s3net.plugin.layers.palette import group_colours, hex_colour
from napari_s3net.plugin.widgets.text import area_text, mean_text, share_text

COLOUR, NAME, SIZE, OBJECT = range(4)
HEADERS = ("", "Cluster", "Share", "Object")
HELP = (
    "Colour in the view; of a single cluster also its number",
    "Name, and mean intensity ± standard deviation. A double click or F2 renames it; a click paints with it.",
    "Share of the image, and area; of a stack, share of the slice and volume in all slices",
    "Ticked clusters together are the object: the mask.",
)
ROLE = Qt.ItemDataRole


@dataclass(frozen=True)
class ClusterRow:
    """A cluster as it is shown.

    Parameters
    ----------
    label : int
        Its id.
    name : str
        Its name, or "Cluster" with its id.
    mean : str
        Mean intensity ± standard deviation.
    share : str
        Of the image, in percent.
    area : str
        In mm², cm² or px.
    is_object : bool
        Whether it is ticked.
    volume : str
        In ml or voxels, of the whole stack; empty for a single plane.
    colour : str
        As in the view, "#rrggbb"; that of its id where none is given.
    group : tuple of int
        Of several labels that are shown as one: all of them. The row has the id of the largest.
    """

    label: int
    name: str
    mean: str
    share: str
    area: str
    is_object: bool
    volume: str = ""
    colour: str = ""
    group: tuple[int, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        """The labels that the row stands for."""
        return self.group or (self.label,)


def rows_of(
    clusters: Sequence[Any], kind: str | None, volumes: Mapping[int, str] = MappingProxyType({})
) -> tuple[ClusterRow, ...]:
    """Make the rows of the table.

    Parameters
    ----------
    clusters : sequence of Cluster
        As `labels.measure.measure_clusters` gives them.
    kind : str or None
        Of the image: means of "ct" are shown in HU.
    volumes : mapping of int to str, optional
        How large each label is in the whole stack, in words.

    Returns
    -------
    tuple of ClusterRow
        In order of id, so that rows keep their place.
    """
    return tuple(_row_of(c, kind, volumes.get(c.id, "")) for c in sorted(clusters, key=lambda c: c.id))


def group_rows(
    clusters: Sequence[Any], groups: Sequence[Group], kind: str | None, volumes: Mapping[Group, str]
) -> tuple[ClusterRow, ...]:
    """Make the rows of a table of groups.

    Parameters
    ----------
    clusters : sequence of Cluster
        Every label of the plane in view.
    groups : sequence of Group
        In their order; those that the plane lacks have no row.
    kind : str or None
        Of the image.
    volumes : mapping of Group to str
        How large each group is in the whole stack, in words; empty for a plane.

    Returns
    -------
    tuple of ClusterRow
        One a group, in the group's colour.
    """
    colours = group_colours(groups)
    joined = [(group, join_clusters(clusters, group)) for group in groups]
    return tuple(
        replace(_row_of(one, kind, volumes.get(group, "")), colour=colours[one.id], group=group.ids)
        for group, one in joined
        if one is not None
    )


def _row_of(c: Any, kind: str | None, volume: str) -> ClusterRow:
    return ClusterRow(
        label=c.id,
        name=c.name or f"Cluster {c.id}",
        mean=mean_text(c.mean, c.sd, kind),
        share=share_text(c.share),
        area=area_text(c.area, c.unit),
        is_object=c.is_object,
        volume=volume,
        colour=hex_colour(c.id, is_object=c.is_object),
    )


class ClusterModel(QAbstractTableModel):
    """Rows for the view. A tick or a new name is only asked for; it is shown once `show_rows` brings it back.

    Signals
    -------
    ticked(int, bool)
        The user makes the cluster of that id object, or background.
    renamed(int, str)
        The user gives it another name.
    """

    ticked = Signal(int, bool)
    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ClusterRow, ...] = ()

    def show_rows(self, rows: tuple[ClusterRow, ...]) -> None:
        """Replace the rows; when the clusters are the same ones, selection and scrolling stay.

        Parameters
        ----------
        rows : tuple of ClusterRow
            One a cluster, in the order of the table.
        """
        if [row.label for row in rows] == [row.label for row in self.rows]:
            self.rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, OBJECT))
        else:
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """For Qt: how many clusters there are.

        Returns
        -------
        int
            0 below a cell, as the table is no tree.
        """
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """For Qt: how many columns there are.

        Returns
        -------
        int
            4: colour, name, size, tick.
        """
        return len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole) -> Any:
        """For Qt: title, tooltip and alignment of a column.

        Parameters
        ----------
        section : int
            The column.
        orientation : Qt.Orientation
            Only the horizontal header says something.
        role : int
            What Qt asks for.

        Returns
        -------
        object
            None where there is nothing to say.
        """
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == ROLE.TextAlignmentRole and section != OBJECT:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return {ROLE.DisplayRole: HEADERS, ROLE.ToolTipRole: HELP}.get(role, (None,) * 4)[section]

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        """For Qt: what a cell shows.

        Parameters
        ----------
        index : QModelIndex
            The cell.
        role : int
            What Qt asks for: text, colour, tick, tooltip, or the name to edit.

        Returns
        -------
        object
            None where there is nothing to show. The two lines of a text stand on either side of a line break.
        """
        row, column = self.rows[index.row()], index.column()
        if role in (ROLE.DisplayRole, ROLE.AccessibleTextRole):
            return (
                "" if row.group else str(row.label),
                f"{row.name}\n{row.mean}",
                f"{row.share}\n{row.volume or row.area}",
                None,
            )[column]
        if role == ROLE.EditRole and column == NAME:
            return row.name
        if role == ROLE.DecorationRole and column == COLOUR:
            return QColor(row.colour)
        if role == ROLE.CheckStateRole and column == OBJECT:
            return Qt.CheckState.Checked if row.is_object else Qt.CheckState.Unchecked
        if role == ROLE.ToolTipRole:
            volume = f", {row.volume} in the whole stack" if row.volume else ""
            many = f" ({len(row.group)} clusters)" if len(row.group) > 1 else ""
            return f"{row.name}{many}: {row.share}, {row.area}{volume}, mean {row.mean}"
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """For Qt: what may be done with a cell.

        Returns
        -------
        Qt.ItemFlag
            Names can be edited, cells of the object column ticked, all selected.
        """
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == OBJECT:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def setData(self, index: QModelIndex, value: Any, role: int = ROLE.EditRole) -> bool:
        """For Qt: ask for a tick or a name; False where nothing is asked for.

        Parameters
        ----------
        index : QModelIndex
            The cell.
        value : Qt.CheckState or str
            The new tick or name; a name that is empty or the same asks for nothing.
        role : int
            Says which of the two it is.
        """
        row = self.rows[index.row()]
        if role == ROLE.CheckStateRole:
            self.ticked.emit(row.label, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role == ROLE.EditRole and (name := str(value).strip()) and name != row.name:
            self.renamed.emit(row.label, name)
            return True
        return False
