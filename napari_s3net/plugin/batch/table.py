"""The table of a batch: a row a file, its state, its object and how certain that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from napari_s3net.batch import FileRow
from napari_s3net.io.validation.headers import stem
from napari_s3net.plugin.widgets.text import NARROW, seconds_text, share_text

FILE, STATE, SHARE, SURE = range(4)
HEADERS = ("File", "State", "Object", "Sure")
HELP = (
    "Path below the input folder. A double click opens image and labels.",
    "Waiting, running, done, failed with the reason, or what you decided about it.",
    "Share of the image that is object; of a result that you have corrected, as you left it.",
    "sure; look: check the outline first; no clear object. Sorted by the confidence behind it.",
)
ROLE = Qt.ItemDataRole
SORT = ROLE.UserRole


class FileModel(QAbstractTableModel):
    """Files by their number, with what is known of each."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.files: list[str] = []
        self.rows: list[FileRow | None] = []
        self.decisions: dict[str, str] = {}
        #: Of corrected results the share of the image that is object; the rows have that of the batch.
        self.shares: dict[str, float] = {}
        self._place: dict[str, int] = {}
        #: What all names end in, such as ".nii.gz", which tells none of them apart; empty where they differ.
        self.ending = ""

    def show_files(
        self,
        files: Sequence[str],
        rows: Mapping[str, FileRow],
        decisions: Mapping[str, str],
        shares: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Begin a table anew.

        Parameters
        ----------
        files : sequence of str
            Paths below the input folder, in the table's order.
        rows : mapping of str to FileRow
            What is known of some of them, by file.
        decisions : mapping of str to str
            What the user has decided, by file.
        shares : mapping of str to float, optional
            How much of the image is object in what the user has corrected, by file.
        """
        self.beginResetModel()
        self.files = list(files)
        self.rows = [rows.get(file) for file in files]
        self.decisions, self.shares = dict(decisions), dict(shares)
        self._place = {file: n for n, file in enumerate(files)}
        endings = {Path(file).name.removeprefix(stem(Path(file))) for file in files}
        self.ending = endings.pop() if len(endings) == 1 else ""
        self.endResetModel()

    def update(self, row: FileRow) -> None:
        """Show what has become of a file; one that is not in the table is left out.

        Parameters
        ----------
        row : FileRow
            Its newest row in the report.
        """
        n = self._place.get(row.file)
        if n is not None:
            self.rows[n] = row
            self.dataChanged.emit(self.index(n, 0), self.index(n, len(HEADERS) - 1))

    def decide(self, file: str, decision: str, share: float | None = None) -> None:
        """Show what the user has decided about a file.

        Parameters
        ----------
        file : str
            Path below the input folder.
        decision : str
            "accepted", "corrected" or "rejected"; empty for none.
        share : float, optional
            How much of the image is object in what was corrected.
        """
        self.decisions[file] = decision
        self.shares.pop(file, None)
        if share is not None:
            self.shares[file] = share
        n = self._place.get(file)
        if n is not None:
            self.dataChanged.emit(self.index(n, 0), self.index(n, len(HEADERS) - 1))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """For Qt: how many files there are.

        Returns
        -------
        int
            0 below a cell, as the table is no tree.
        """
        return 0 if parent.isValid() else len(self.files)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """For Qt: how many columns there are.

        Returns
        -------
        int
            4: file, state, object, how sure; 0 below a cell.
        """
        return 0 if parent.isValid() else len(HEADERS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole) -> Any:
        """For Qt: title and tooltip of a column.

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
        return {ROLE.DisplayRole: HEADERS[section], ROLE.ToolTipRole: HELP[section]}.get(role)

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        """For Qt: what a cell shows.

        Parameters
        ----------
        index : QModelIndex
            The cell.
        role : int
            What Qt asks for: text, alignment or tooltip; `SORT` for the value to sort by.

        Returns
        -------
        object
            None where there is nothing to show. Shares and confidences are sorted as numbers, unknown ones as -1.
        """
        file, row, column = self.files[index.row()], self.rows[index.row()], index.column()
        if row is not None and file in self.shares:
            row = replace(row, share=self.shares[file])
        if role == ROLE.TextAlignmentRole and column in (SHARE, SURE):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == ROLE.ToolTipRole:
            return tip(file, row)
        if role == SORT and column in (SHARE, SURE):
            value = None if row is None else row.share if column == SHARE else row.confidence
            return -1.0 if value is None else value
        if role not in (ROLE.DisplayRole, SORT):
            return None
        if column == FILE:
            return file
        if column == STATE:
            return state_text(row, self.decisions.get(file, ""))
        if column == SURE and row is not None and row.certainty and role == ROLE.DisplayRole:
            return row.certainty
        value = None if row is None else row.share if column == SHARE else row.confidence
        if value is None:
            return ""
        return f"{100 * value:.0f}{NARROW}%"


def state_text(row: FileRow | None, decision: str = "") -> str:
    """A file's state in a few words.

    Parameters
    ----------
    row : FileRow or None
        What is known of the file; None while it waits.
    decision : str
        What the user has decided about a finished one; empty for nothing.

    Returns
    -------
    str
        "waiting", "running", "3 of 40" slices, "failed: …" with the reason, the decision, or "done".
    """
    if row is None:
        return "waiting"
    if row.status == "failed":
        return f"failed: {row.error}"
    if row.status == "running":
        return f"{row.slice} of {row.slices}" if row.slices else "running"
    return decision or ("done, see note" if row.note else "done")


def tip(file: str, row: FileRow | None) -> str:
    """Everything about a file, for its tooltip.

    Parameters
    ----------
    file : str
        Path below the input folder.
    row : FileRow or None
        What is known of it.

    Returns
    -------
    str
        Several lines: file, error, note, object, and time, device and version.
    """
    if row is None or row.status == "running":
        return f"{file}\nslice {row.slice} of {row.slices}" if row is not None and row.slices else file
    lines = [file, row.error, row.note]
    if row.status != "failed":
        lines.append(f"Object {share_text(row.share or 0)} of the image")
        lines.append(f"{seconds_text(row.seconds)} on {row.device}, version {row.version}")
    return "\n".join(line for line in lines if line)


class _Ends(QStyledItemDelegate):
    """Shortens a path at its beginning, for its end, less what all end in, tells files apart; other texts at their end.

    Why a file failed has the room of the columns behind it, which are empty then.
    """

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        if index.column() == STATE and not index.siblingAtColumn(SHARE).data() and option.widget is not None:
            option.rect.setRight(option.widget.viewport().rect().right())
        super().paint(painter, option, index)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        super().initStyleOption(option, index)
        mode = Qt.TextElideMode
        option.textElideMode = mode.ElideLeft if index.column() == FILE else mode.ElideRight
        if index.column() == FILE:
            option.text = option.text.removesuffix(index.model().sourceModel().ending)


class FileTable(QTableView):
    """The table of the files.

    Signals
    -------
    opened(str)
        The user asks for the result of that file.
    """

    opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.files = FileModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self.files)
        self._sorted.setSortRole(SORT)
        # A running table does not jump: it is sorted when its header is clicked.
        self._sorted.setDynamicSortFilter(False)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setItemDelegate(_Ends(self))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setMinimumHeight(180)
        self.setAccessibleName("Files")
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, mode in enumerate(("Stretch", "Interactive", "Fixed", "Fixed")):
            header.setSectionResizeMode(column, getattr(QHeaderView.ResizeMode, mode))
        for column, longest in ((STATE, "corrected"), (SHARE, "Object"), (SURE, "100 %")):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(longest) + 12)
        self.activated.connect(self._open)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.files.files[self._sorted.mapToSource(index).row()])

    def pick(self, file: str) -> None:
        """Select a file and bring it into view.

        Parameters
        ----------
        file : str
            As the report names it; one that is not in the table is left.
        """
        if file in self.files.files:
            index = self._sorted.mapFromSource(self.files.index(self.files.files.index(file), 0))
            self.selectRow(index.row())
            self.scrollTo(index)
