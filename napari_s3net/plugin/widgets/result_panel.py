"""The result in the Segment dock: the object in one line, the way on, and its clusters one click away."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QPushButton, QSizePolicy, QWidget

from napari_s3net.plugin.layers.shown import Shown
from napari_s3net.plugin.widgets.cluster_model import ClusterRow
from napari_s3net.plugin.widgets.cluster_table import ClusterTable
from napari_s3net.plugin.widgets.fields import make_field
from napari_s3net.plugin.widgets.measures_panel import MeasuresPanel
from napari_s3net.plugin.widgets.parts import button, caption, column, heading, more_button, one_line, row


class ResultPanel(QWidget):
    """What a run found; asks for changes and shows them when they come back.

    Signals
    -------
    asked(str)
        What a button or a menu asks for, by its name.
    shown_chosen(Shown)
        The user wants the object alone, groups of clusters, or each cluster.
    unfolded(QWidget)
        The user has asked for a part that was hidden.
    """

    asked = Signal(str)
    shown_chosen = Signal(object)
    unfolded = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.line, self.effort, self.hint = heading(""), caption(), caption()
        #: Whether the result has changed since it was saved.
        self.saved = one_line()
        menus = self._make_ways_on()
        self._make_views()
        self._lay_out()
        self._connect(*menus)

    def show_result(self, line: str, effort: str, rows: tuple[ClusterRow, ...], shown: Shown = Shown.OBJECT) -> None:
        """Show a result, or that the slice in view has none.

        Parameters
        ----------
        line : str
            What was found.
        effort : str
            How it was made; hidden where it is empty.
        rows : tuple of ClusterRow
            The table; where there are none, there is nothing to show of clusters.
        shown : Shown
            What of the result is in view; the object alone needs no table.
        """
        self.line.setText(line)
        self.effort.setText(effort)
        self.effort.setVisible(bool(effort))
        has_table = bool(rows) and shown is not Shown.OBJECT
        for tick, on in ((self.clusters, shown is not Shown.OBJECT), (self.each, shown is Shown.EACH)):
            with tick.changed.blocked():
                tick.value = on
        self.clusters.native.setVisible(bool(rows))
        self.measures.setVisible(bool(rows))
        self.each.native.setVisible(has_table)
        self.table.setVisible(has_table)
        self.merge.setVisible(has_table and shown is Shown.EACH)
        self.table.show_rows(rows if has_table else ())

    def show_pixel_size(self, *, is_missing: bool, is_own: bool = False) -> None:
        """Offer to set the pixel size, or to set it anew.

        Parameters
        ----------
        is_missing : bool
            Whether the image does not know it.
        is_own : bool
            Whether the user has given it.
        """
        self.pixel_size.setText("Change pixel size…" if is_own else "Set pixel size…")
        self.pixel_size.setVisible(is_missing or is_own)

    def show_hint(self, words: str) -> None:
        """Say what to click in the image.

        Parameters
        ----------
        words : str
            One or two sentences; hidden where there are none.
        """
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    def _make_ways_on(self) -> tuple[QMenu, QMenu]:
        """The buttons that lead on; returns the menus beside Save and of "More"."""
        self.pixel_size = button(
            "Set pixel size…", "Say how large a pixel is, so that areas are told and saved in millimetres."
        )
        self.pixel_size.setObjectName("fold")
        self.correct = button("Correct…", "Open the Correct dock: draw where the result is wrong, and run again.")
        self.save = button("Save", "Write the result beside the image, in the format that you used last.")
        self.save_as, saving = more_button(
            "Save in another way",
            "Choose file and format: the object's mask, or the labels of all clusters.",
            save_mask="Object mask as…",
            save_labels="All clusters as…",
        )
        self.save_as.setText("▾")
        self.more, more = more_button(
            "More",
            "Run again beside this result, make a layer of the object, or tell how the result was made.",
            run_new="Run as new layer",
            object_layer="Object as a layer of its own",
            show_3d="Show in 3-D",
            copy_python="Copy as Python",
            copy_command="Copy as command",
            show_settings="Show settings",
        )
        #: Stands beside Run, as an image can be left without a result.
        self.next = button("Next image ▸", "Open the next image of the folder in place of this one. Your work is kept.")
        self.next.hide()
        return saving, more

    def _make_views(self) -> None:
        """What shows the result, and what may be asked of it."""
        self.measures = MeasuresPanel()
        self.clusters = make_field(
            False,
            "Show clusters",
            "Show what else was told apart, in at most four groups. Only the view changes, not the labels.",
        )
        self.each = make_field(False, "Each of them", "Show every cluster by itself, in a colour of its own.")
        self.table = ClusterTable()
        self.merge = button(
            "Merge rows",
            "Make one cluster of the selected rows: that of the lowest number. Ctrl or Shift selects several; "
            "Ctrl-Z undoes it.",
        )

    def _lay_out(self) -> None:
        self.merge.setEnabled(False)
        self.pixel_size.hide()
        ways = row(self.correct, self.save, self.save_as, self.more)
        ticks = row(self.clusters.native, self.each.native)
        self.hint.hide()
        about = row(self.effort, self.pixel_size)
        about.layout().setStretch(1, 0)
        self.pixel_size.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        column(self, self.line, self.hint, ways, self.saved, about)
        self.layout().addWidget(self.measures)
        for part in (ticks, self.table, self.merge):
            self.layout().addWidget(part)

    def _connect(self, *menus: object) -> None:
        asking: dict[str, QPushButton] = {
            "merge": self.merge,
            "correct": self.correct,
            "save": self.save,
            "next_image": self.next,
            "pixel_size": self.pixel_size,
        }
        for name, made in asking.items():
            made.clicked.connect(partial(self._ask, name))
        for menu in menus:
            menu.triggered.connect(self._ask_action)  # type: ignore[attr-defined]
        self.table.chosen.connect(self._allow_merging)
        self.measures.opened.connect(partial(self.unfolded.emit, self.measures))
        for tick in (self.clusters, self.each):
            tick.changed.connect(self._choose)

    def _ask(self, what: str, _: bool = False) -> None:
        self.asked.emit(what)

    def _ask_action(self, action: object) -> None:
        self.asked.emit(action.objectName())  # type: ignore[attr-defined]

    def _choose(self, _: object = None) -> None:
        shown = Shown.EACH if self.each.value else Shown.GROUPS
        self.shown_chosen.emit(shown if self.clusters.value else Shown.OBJECT)
        self.unfolded.emit(self.table)

    def _allow_merging(self, selected: int) -> None:
        self.merge.setEnabled(selected > 1)
