"""The table of clusters: colour and id, name over mean intensity, share over area, and whether it is the object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_s3net.plugin.layers.palette import hex_colour
from napari_s3net.plugin.widgets.text import NARROW, area_text, mean_text, share_text

COLOUR, NAME, SIZE, OBJECT = range(4)
HEADERS = ("", "Cluster", "Share", "Object")
HELP = (
    "Colour in the view, and the label's number",
    "Name, and mean intensity ± standard deviation. Double-click to rename; a click selects the label for painting.",
    "Share of the image, and area",
    "Ticked clusters together are the object: the mask.",
)
ROLE = Qt.ItemDataRole
#: Space around what a cell shows.
PAD = 4
#: Text that fits to the pixel is cut all the same.
SLACK = 3
#: Below this lightness a ticked box gets a white tick.
DARK = 120


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
    """

    label: int
    name: str
    mean: str
    share: str
    area: str
    is_object: bool

    @property
    def colour(self) -> str:
        """As in the view."""
        return hex_colour(self.label, is_object=self.is_object)


def rows_of(clusters: Sequence[Any], kind: str | None) -> tuple[ClusterRow, ...]:
    """Make the rows of the table.

    Parameters
    ----------
    clusters : sequence of Cluster
        As `labels.measure.measure_clusters` gives them.
    kind : str or None
        Of the image: means of "ct" are shown in HU.

    Returns
    -------
    tuple of ClusterRow
        In order of id, so that rows keep their place.
    """
    return tuple(
        ClusterRow(
            label=c.id,
            name=c.name or f"Cluster {c.id}",
            mean=mean_text(c.mean, c.sd, kind),
            share=share_text(c.share),
            area=area_text(c.area, c.unit),
            is_object=c.is_object,
        )
        for c in sorted(clusters, key=lambda c: c.id)
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
        """Replace the rows; when the clusters are the same ones, selection and scrolling stay."""
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
            return (str(row.label), f"{row.name}\n{row.mean}", f"{row.share}\n{row.area}", None)[column]
        if role == ROLE.EditRole and column == NAME:
            return row.name
        if role == ROLE.DecorationRole and column == COLOUR:
            return QColor(row.colour)
        if role == ROLE.CheckStateRole and column == OBJECT:
            return Qt.CheckState.Checked if row.is_object else Qt.CheckState.Unchecked
        if role == ROLE.ToolTipRole:
            return f"{row.label} {row.name}: {row.share}, {row.area}, mean {row.mean}"
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


class CellPainter(QStyledItemDelegate):
    """Two lines to a cell, the second one quieter; the colour as a square; the tick in the middle."""

    hovered_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """For Qt: the size that a cell needs.

        Parameters
        ----------
        option : QStyleOptionViewItem
            Has the font.
        index : QModelIndex
            The cell.

        Returns
        -------
        QSize
            Pixels: two lines high, and wide enough for the longer one and the square of the colour.
        """
        lines = str(index.data() or "").split("\n")
        metrics = option.fontMetrics
        square = metrics.height() + PAD if index.column() == COLOUR else 0
        return QSize(
            max(map(metrics.horizontalAdvance, lines)) + square + 2 * PAD + SLACK, 2 * metrics.height() + 2 * PAD
        )

    def editorEvent(self, event: QEvent, model: Any, option: Any, index: QModelIndex) -> bool:
        """For Qt: a click or the space key anywhere in an object cell ticks it.

        Parameters
        ----------
        event : QEvent
            Of mouse or keyboard.
        model : ClusterModel
            Is asked for the tick.
        option : QStyleOptionViewItem
            Of no use here.
        index : QModelIndex
            The cell.
        """
        space = event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)
        if index.column() == OBJECT and (space or event.type() == QEvent.Type.MouseButtonRelease):
            ticked = index.data(ROLE.CheckStateRole) == Qt.CheckState.Checked
            wanted = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
            return bool(model.setData(index, wanted, ROLE.CheckStateRole))
        return bool(super().editorEvent(event, model, option, index))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """For Qt: draw a cell; a selected row and the one under the mouse are lit.

        Parameters
        ----------
        painter : QPainter
            Comes back as it was.
        option : QStyleOptionViewItem
            Place, font and state of the cell.
        index : QModelIndex
            The cell.
        """
        painter.save()
        text = option.palette.color(QPalette.ColorRole.Text)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or index.row() == self.hovered_row:
            lit = QColor(text)
            lit.setAlpha(40 if selected else 20)
            painter.fillRect(option.rect, lit)
        if index.column() == OBJECT:
            _paint_tick(painter, option.rect, index, text)
        else:
            _paint_text(painter, option, index, text)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(text)
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.restore()


def shortened(line: str, fits: Callable[[str], bool]) -> str:
    """Shorten a line where there is no room for all of it: the unit goes first, then the standard deviation.

    Parameters
    ----------
    line : str
        Such as "−820 ± 45 HU".
    fits : callable
        Whether a text has room.

    Returns
    -------
    str
        The longest form that fits; the whole line where none does.
    """
    shorter = (line, line.rpartition(NARROW)[0], line.partition(" ±")[0])
    return next((words for words in shorter if words and fits(words)), line)


def _paint_text(painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, text: QColor) -> None:
    """The colour, if the cell has one, and one or two lines of text."""
    metrics, area = option.fontMetrics, option.rect.adjusted(PAD, 0, -PAD, 0)
    height = metrics.height()
    if (colour := index.data(ROLE.DecorationRole)) is not None:
        side = height - 2
        text.setAlpha(90)
        painter.setPen(text)
        painter.setBrush(colour)
        painter.drawRect(QRect(area.left(), area.center().y() - side // 2, side, side))
        area.setLeft(area.left() + side + PAD)
    lines = str(index.data()).split("\n")
    top = area.center().y() + 1 - height * len(lines) // 2
    for n, line in enumerate(lines):
        text.setAlpha(165 if n else 255)
        painter.setPen(text)
        place = QRect(area.left(), top + n * height, area.width(), height)
        fitting = shortened(line, lambda words: metrics.horizontalAdvance(words) <= area.width())
        shown = metrics.elidedText(fitting, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_tick(painter: QPainter, cell: QRect, index: QModelIndex, text: QColor) -> None:
    """A box in the middle of the cell; ticked, it has the cluster's colour."""
    box = QRectF(0, 0, 15, 15)
    box.moveCenter(QRectF(cell).center())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(text)
    ticked = index.data(ROLE.CheckStateRole) == Qt.CheckState.Checked
    if ticked:
        painter.setBrush(index.sibling(index.row(), COLOUR).data(ROLE.DecorationRole))
    painter.drawRoundedRect(box, 3, 3)
    if ticked:
        painter.setPen(QPen(QColor("white" if painter.brush().color().lightness() < DARK else "black"), 2))
        corners = ((0.22, 0.52), (0.43, 0.73), (0.8, 0.3))
        painter.drawPolyline(QPolygonF([QPointF(box.x() + x * 15, box.y() + y * 15) for x, y in corners]))


class ClusterTable(QTableView):
    """The table; as high as its rows, so that the dock scrolls as one column.

    Signals
    -------
    hovered(int or None)
        Id of the cluster under the mouse or the keyboard's focus; None where there is none.
    picked(int)
        The row of that cluster was clicked, outside its tick.
    chosen(int)
        So many rows are selected now.
    """

    hovered = Signal(object)
    picked = Signal(int)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clusters = ClusterModel(self)
        self._cells = CellPainter(self)
        self.setModel(self.clusters)
        self.setItemDelegate(self._cells)
        self.setAccessibleName("Clusters")
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(20)
        for column in range(len(HEADERS)):
            mode = QHeaderView.ResizeMode.Stretch if column == NAME else QHeaderView.ResizeMode.ResizeToContents
            header.setSectionResizeMode(column, mode)
        self.selectionModel().selectionChanged.connect(self._choose)
        self.clusters.modelReset.connect(self._choose)
        self.entered.connect(self._hover)
        self.clicked.connect(self._pick)
        self.activated.connect(self._pick)
        self.doubleClicked.connect(self._rename)

    @property
    def selected(self) -> list[int]:
        """The clusters whose rows are selected, in ascending order."""
        return sorted(self.clusters.rows[index.row()].label for index in self.selectionModel().selectedRows())

    def _choose(self) -> None:
        self.chosen.emit(len(self.selected))

    def show_rows(self, rows: tuple[ClusterRow, ...]) -> None:
        """Show these clusters."""
        self.clusters.show_rows(rows)
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + sum(self.rowHeight(i) for i in range(len(rows)))
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:
        """For Qt: the cluster under the keyboard's focus counts as one under the mouse.

        Parameters
        ----------
        current, previous : QModelIndex
            The cell that has the focus, and the one that had it.
        """
        super().currentChanged(current, previous)
        if self.hasFocus():
            self._hover(current)

    def leaveEvent(self, event: QEvent) -> None:
        """For Qt: the mouse is on no row any more."""
        super().leaveEvent(event)
        self._hover(QModelIndex())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """For Qt: the keyboard is on no row any more."""
        super().focusOutEvent(event)
        self._hover(QModelIndex())

    def _hover(self, index: QModelIndex) -> None:
        if index.row() != self._cells.hovered_row:
            self._cells.hovered_row = index.row()
            self.viewport().update()
            self.hovered.emit(self.clusters.rows[index.row()].label if index.isValid() else None)

    def _pick(self, index: QModelIndex) -> None:
        if index.column() != OBJECT:
            self.picked.emit(self.clusters.rows[index.row()].label)

    def _rename(self, index: QModelIndex) -> None:
        if index.column() != OBJECT:
            self.edit(index.sibling(index.row(), NAME))
