"""The table of clusters: colour and id, name over mean intensity, share over area, and whether it is the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QModelIndex, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFocusEvent, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from napari_s3net.plugin.widgets.cluster_model import COLOUR, HEADERS, NAME, OBJECT, ROLE, ClusterModel, ClusterRow
from napari_s3net.plugin.widgets.text import NARROW

#: Space around what a cell shows.
PAD = 4
#: Text that fits to the pixel is cut all the same.
SLACK = 3
#: Below this lightness a ticked box gets a white tick.
DARK = 120


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
    """Shorten a line where there is no room for all of it: the unit goes first, then the deviation, then the mean.

    Parameters
    ----------
    line : str
        Such as "−820 ± 45 HU", or "2 shades darker · −820 ± 45 HU".
    fits : callable
        Whether a text has room.

    Returns
    -------
    str
        The longest form that fits; the whole line where none does.
    """
    shorter = (line, line.rpartition(NARROW)[0], line.partition(" ±")[0], line.rpartition(" · ")[0])
    return next((words for words in shorter if words and fits(words)), line)


def divided(lines: list[str], fits: Callable[[str], bool]) -> list[str]:
    """Divide a name that has no room at its comma: what comes behind it stands before the mean.

    Parameters
    ----------
    lines : list of str
        The lines of a cell.
    fits : callable
        Whether a text has room.

    Returns
    -------
    list of str
        Such as "Skin" and "2 shades darker · 160 ± 14"; as they were where the first one fits.
    """
    first, *rest = lines
    tissue, comma, shade = first.partition(", ")
    return [tissue, " · ".join((shade, *rest))] if comma and not fits(first) else lines


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

    def fits(words: str) -> bool:
        return bool(metrics.horizontalAdvance(words) <= area.width())

    lines = divided(str(index.data()).split("\n"), fits)
    top = area.center().y() + 1 - height * len(lines) // 2
    for n, line in enumerate(lines):
        text.setAlpha(165 if n else 255)
        painter.setPen(text)
        place = QRect(area.left(), top + n * height, area.width(), height)
        shown = metrics.elidedText(shortened(line, fits), Qt.TextElideMode.ElideMiddle, area.width())
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

    def __init__(self) -> None:
        super().__init__()
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
        chosen = (self.clusters.rows[index.row()] for index in self.selectionModel().selectedRows())
        return sorted(label for row in chosen for label in row.ids)

    def _choose(self) -> None:
        self.chosen.emit(len(self.selectionModel().selectedRows()))

    def show_rows(self, rows: tuple[ClusterRow, ...]) -> None:
        """Show these clusters.

        Parameters
        ----------
        rows : tuple of ClusterRow
            One a cluster, in the order of the table.
        """
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
