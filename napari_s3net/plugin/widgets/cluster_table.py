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
    """A cluster as it is shown."""

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
    """Make rows from measured clusters (see `labels.measure`), in order of id so that rows keep their place."""
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
    """Rows for the view; asks for a tick or a name and shows it when it comes back with new rows."""

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
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == ROLE.TextAlignmentRole and section != OBJECT:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return {ROLE.DisplayRole: HEADERS, ROLE.ToolTipRole: HELP}.get(role, (None,) * 4)[section]

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
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
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == OBJECT:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == NAME else flags

    def setData(self, index: QModelIndex, value: Any, role: int = ROLE.EditRole) -> bool:
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
        lines = str(index.data() or "").split("\n")
        metrics = option.fontMetrics
        square = metrics.height() + PAD if index.column() == COLOUR else 0
        return QSize(
            max(map(metrics.horizontalAdvance, lines)) + square + 2 * PAD + SLACK, 2 * metrics.height() + 2 * PAD
        )

    def editorEvent(self, event: QEvent, model: Any, option: Any, index: QModelIndex) -> bool:
        space = event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)
        if index.column() == OBJECT and (space or event.type() == QEvent.Type.MouseButtonRelease):
            ticked = index.data(ROLE.CheckStateRole) == Qt.CheckState.Checked
            wanted = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
            return bool(model.setData(index, wanted, ROLE.CheckStateRole))
        return bool(super().editorEvent(event, model, option, index))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
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
    """What to show where there is no room for all: digits matter more than the unit, the mean more than its spread."""
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
    """The table; as high as its rows, so that the dock scrolls as one column."""

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
        super().currentChanged(current, previous)
        if self.hasFocus():
            self._hover(current)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(QModelIndex())

    def focusOutEvent(self, event: QFocusEvent) -> None:
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
