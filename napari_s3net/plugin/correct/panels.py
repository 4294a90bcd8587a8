"""The parts of the Correct dock: what is painted, the tools, where to look next, and the session."""

from __future__ import annotations

from functools import partial
from typing import Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QGridLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QWidget,
)

from napari_s3net.plugin.correct.autosave import RecentSession
from napari_s3net.plugin.widgets.fields import make_field
from napari_s3net.plugin.widgets.parts import (
    button,
    caption,
    column,
    heading,
    menu_button,
    more_button,
    one_line,
    row,
    row_by_text,
)

#: Name, text and tip of what can be painted.
BRUSHES = (
    ("object", "Object", "Paint what belongs to the object (Shift-O)."),
    ("background", "Background", "Paint what does not belong to the object (Shift-B)."),
    ("label", "Label", "Paint the label that is selected in the list below (Shift-1 to Shift-9)."),
    ("erase", "Erase", "Take strokes away (Shift-E)."),
)
ScopeChoice = Literal["object", "selected", "all"]
#: Name, text and tip of what the tools act on.
SCOPES: tuple[tuple[ScopeChoice, str, str], ...] = (
    ("object", "object", "The object as one region."),
    ("selected", "selected", "Each of the labels that are selected in the list."),
    ("all", "all", "Every label, one after the other."),
)
#: Text and tip of each tool.
TOOLS = {
    "smooth": ("Smooth", "Round off the border."),
    "fill_holes": ("Fill holes", "Take in what is enclosed."),
    "keep_largest": ("Keep largest", "Drop all but the largest connected part."),
    "split_parts": ("Split parts", "Give each connected part of the selected labels a number of its own."),
    "remove_small": ("Remove <", "Drop connected parts smaller than this."),
    "grow": ("Grow", "Move the border outwards."),
    "shrink": ("Shrink", "Move the border inwards."),
    "swap_sides": (
        "Swap sides",
        "What is object becomes background, and the other way round; of a volume in every slice.",
    ),
    "cut": ("Split by clicks", "Two clicks in one part; it is cut where it is narrowest between them."),
    "assign": ("Give part", "A click gives the part under it to the label that is selected in the list."),
    "lock_part": ("Lock part", "A click locks the part under it as it is; a second one unlocks it."),
}


class PaintPanel(QWidget):
    """What the brush paints, and the button that runs again."""

    brush_chosen = Signal(str)
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.brushes = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, tip in BRUSHES:
            made = button(text, tip)
            made.setCheckable(True)
            made.clicked.connect(lambda _, name=name: self.brush_chosen.emit(name))
            self.brushes.addButton(made)
            self.buttons[name] = made
        tip = "Spread what you painted: similar pixels follow, the rest stays (Shift-R)."
        self.rerun = button("Re-run with strokes", tip)
        self.rerun.setProperty("primary", True)
        self.rerun.clicked.connect(lambda: self.asked.emit("rerun"))
        self.by_itself = make_field(False, "after each", "Run by itself, half a second after a stroke.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName("Progress")
        self.bar.hide()
        self.count = one_line()
        self.more, menu = menu_button(
            "Strokes…",
            "Strokes stay until they are erased or cleared; every re-run obeys all of them.",
            hide="Hide or show (Shift-H)",
            clear="Clear",
            save="Save…",
            load="Load…",
        )
        menu.triggered.connect(lambda action: self.asked.emit(action.objectName()))
        self.more.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        #: Stands beside the list of labels.
        self.save = button("Save", "Write the corrected result beside the image, in the format that you used last.")
        self.save.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.save.clicked.connect(lambda: self.asked.emit("save result"))
        run, title = row(self.rerun, self.by_itself.native), row(heading("Paint"), self.count, self.more)
        for line, narrow in ((run, 1), (title, 0), (title, 2)):
            line.layout().setStretch(narrow, 0)
        column(self, title, row_by_text(*self.buttons.values()), run, self.bar)

    def show_brush(self, name: str) -> None:
        """Mark the button of what is painted; none where the name is empty, as the brush is elsewhere.

        Parameters
        ----------
        name : str
            "object", "background", "label", "erase", or nothing.
        """
        self.brushes.setExclusive(bool(name))
        for other, made in self.buttons.items():
            made.setChecked(other == name)

    def show_count(self, objects: int, backgrounds: int, others: int) -> None:
        """Say how many strokes there are; without any there is nothing to run again.

        Parameters
        ----------
        objects, backgrounds, others : int
            Strokes of object, of background and of labels; see `Strokes.count`.
        """
        parts = ((objects, "object"), (backgrounds, "background"), (others, "of a label"))
        which = ", ".join(f"{n} {word}" for n, word in parts if n)
        self.count.setText(which or "paint what is wrong")
        self.count.setToolTip(f"Strokes in view: {which or 'none yet'}")
        self.rerun.setEnabled(bool(which))


class ToolsPanel(QWidget):
    """Tools, each one step that Ctrl-Z takes back.

    Signals
    -------
    asked(str)
        The tool of that name is to be used.
    """

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.scopes = {name: QRadioButton(text) for name, text, _ in SCOPES}
        for scope, _, tip in SCOPES:
            self.scopes[scope].setToolTip(tip)
        self.choose_scope("object")
        self.smallest = make_field(
            50.0, "Smallest part", "Size below which Remove takes parts away.", min=0.0, max=1e9, step=1.0
        )
        self.in_3d = QCheckBox("3-D")
        self.in_3d.setToolTip("Fill holes, Keep largest and Remove take all slices as one body; sizes are in mm³.")
        self.in_3d.toggled.connect(self._write_unit)
        self.in_3d.hide()
        self._unit = "px"
        self.pixels = make_field(
            1.0, "Width", "How far Grow and Shrink move the border, in pixels.", min=1.0, max=200.0, step=1.0
        )
        self.pixels.native.setSuffix(" px")
        self.buttons = {name: button(text, tip) for name, (text, tip) in TOOLS.items()}
        for name, made in self.buttons.items():
            made.clicked.connect(partial(self._ask, name))
        self.hint = caption()
        self.hint.hide()
        scopes = row(heading("Tools"), *self.scopes.values())
        scopes.setToolTip("What the tools act on.")
        column(self, scopes, self._lay_out(), self.hint)

    @property
    def scope(self) -> ScopeChoice:
        """What the tools act on: "object", "selected" or "all"."""
        return next(name for name, choice in self.scopes.items() if choice.isChecked())

    def choose_scope(self, scope: ScopeChoice) -> None:
        """Choose what the tools act on.

        Parameters
        ----------
        scope : str
            One of the choices of the list.
        """
        self.scopes[scope].setChecked(True)

    @property
    def is_in_3d(self) -> bool:
        """Whether the tools that can take all slices as one body do so."""
        return not self.in_3d.isHidden() and self.in_3d.isChecked()

    def show_unit(self, unit: str, *, is_stack: bool = False) -> None:
        """Show the unit of the smallest part's size, and the choice of the whole volume where there is one.

        Parameters
        ----------
        unit : str
            "mm²" or "px", that of the layer in view; of a volume "mm³" is shown for the first.
        is_stack : bool
            Whether there are slices.
        """
        self._unit = unit
        self.in_3d.setVisible(is_stack)
        shares = (2, 3) if is_stack else (1, 1)  # beside 3-D the size with its unit needs more room than the button
        for part, share in enumerate(shares):
            self._remove.layout().setStretch(part, share)
        self._write_unit()

    def _write_unit(self) -> None:
        unit = {"mm²": "mm³"}.get(self._unit, self._unit) if self.is_in_3d else self._unit
        self.smallest.native.setSuffix(f" {unit}")

    def show_hint(self, words: str) -> None:
        """Show what to click next, or what came of a tool; hidden where it is empty.

        Parameters
        ----------
        words : str
            One sentence, or nothing.
        """
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    def _ask(self, name: str, _: bool = False) -> None:
        self.asked.emit(name)

    def _lay_out(self) -> QWidget:
        widget = QWidget()
        grid = QGridLayout(widget)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        b = self.buttons
        # 3-D stands below the other two tools that take a volume as one body.
        self._remove = row(b["remove_small"], self.smallest.native, self.in_3d)
        self._remove.layout().setStretch(2, 0)
        lines = (
            (b["smooth"], b["split_parts"]),
            (b["fill_holes"], b["keep_largest"]),
            (self._remove,),
            (row(b["grow"], b["shrink"]), self.pixels.native),
            (b["swap_sides"], b["cut"]),
            (b["assign"], b["lock_part"]),
        )
        for n, parts in enumerate(lines):
            for side, part in enumerate(parts):
                grid.addWidget(part, n, side, 1, 3 - len(parts))
        for side in (0, 1):
            grid.setColumnStretch(side, 1)
        return widget


class UncertaintyPanel(QWidget):
    """Where to look next."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.next = button(
            "Next uncertain",
            "Move the view to where a stroke is worth most, with a brush that fits the place (Shift-N).",
        )
        self.next.clicked.connect(lambda: self.asked.emit("next"))
        self.show_layer, menu = more_button(
            "Uncertainty",
            "Show how sure each pixel is, as a layer.",
            probabilities="Uncertainty of this result",
            transformations="Uncertainty over transformations",
            seeds="Uncertainty over seeds (four more runs)",
        )
        menu.triggered.connect(lambda action: self.asked.emit(action.objectName()))
        self.line = caption()
        self.line.hide()
        column(self, row(self.next, self.show_layer), self.line)

    def show_line(self, words: str) -> None:
        """Say where the view is now, or what there is to know.

        Parameters
        ----------
        words : str
            One or two sentences; hidden where there are none.
        """
        self.line.setText(words)
        self.line.setVisible(bool(words))


class SessionPanel(QWidget):
    """Back to the last run, the keys, and when the session was saved."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.revert = button("Revert to last run", "Put the labels back to what the last run made; Ctrl-Z undoes it.")
        self.revert_volume = button("Revert volume", "Put every slice back to what the run made; Ctrl-Z undoes it.")
        self.sheet = button("Keys…", "The keys of this dock (Shift-?).")
        self.line = one_line("The session is saved every minute.")
        buttons = (("revert", self.revert), ("revert volume", self.revert_volume), ("sheet", self.sheet))
        for name, made in buttons:
            made.clicked.connect(lambda _, name=name: self.asked.emit(name))
        column(self, row_by_text(self.revert, self.revert_volume, self.sheet), self.line)

    def show_stack(self, *, is_stack: bool) -> None:
        """Say whether there are other slices to put back.

        Parameters
        ----------
        is_stack : bool
            Whether there are.
        """
        self.revert.setText("Revert slice" if is_stack else "Revert to last run")
        self.revert_volume.setVisible(is_stack)


class NoLabels(QWidget):
    """What to do first."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.segment = QPushButton("Open Segment")
        self.segment.setProperty("primary", True)
        self.segment.setToolTip("The dock that makes labels.")
        self.segment.clicked.connect(lambda: self.asked.emit("segment"))
        self.reopen = QPushButton("Reopen a session")
        self.reopen.setObjectName("menu")
        self.reopen.setToolTip("Image, labels and strokes as they were when they were last saved.")
        self.reopen.setMenu(QMenu(self.reopen))
        self.reopen.menu().triggered.connect(lambda action: self.asked.emit(action.objectName()))
        words = caption("Any labels layer that lies on an image can be corrected, wherever it was made.")
        column(self, heading("Segment an image first, or open labels"), words, self.segment, self.reopen)

    def show_recent(self, sessions: list[RecentSession]) -> None:
        """List the sessions that can be reopened.

        Parameters
        ----------
        sessions : list of RecentSession
            The newest first; without any, the button is hidden.
        """
        self.reopen.setVisible(bool(sessions))
        menu = self.reopen.menu()
        menu.clear()
        for one in sessions:
            menu.addAction(f"{one.image}  ·  {one.when:%d %b %H:%M}").setObjectName(f"reopen {one.file}")
