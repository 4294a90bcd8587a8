"""Small parts that every dock is made of: titles, captions, buttons, folds, and how they stand beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible, QElidingLabel


def heading(text: str) -> QLabel:
    """The title of a part.

    Parameters
    ----------
    text : str
        The title.

    Returns
    -------
    QLabel
        In bold, on as many lines as it needs.
    """
    label = QLabel(text)
    label.setProperty("heading", True)
    label.setWordWrap(True)
    return label


def caption(text: str = "") -> QLabel:
    """A few explaining words.

    Parameters
    ----------
    text : str, optional
        The words; empty at first where they come later.

    Returns
    -------
    QLabel
        In a quieter colour, on as many lines as it needs; plain text.
    """
    label = QLabel(text)
    label.setProperty("caption", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def message_box() -> QLabel:
    """A place for what went wrong, beside the control that caused it.

    Returns
    -------
    QLabel
        Hidden as yet; its text can be selected.
    """
    label = QLabel()
    label.setObjectName("message")
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


class OneLine(QElidingLabel):
    """superqt's shortened label, whose own `clear` leaves the text behind: it comes back with the next resize."""

    def clear(self) -> None:
        """Show nothing."""
        self.setText("")


def one_line(text: str = "") -> OneLine:
    """A caption of a single line.

    Parameters
    ----------
    text : str, optional
        The words; shortened where there is no room.

    Returns
    -------
    OneLine
        Shortened where there is no room for it; plain text.
    """
    label = OneLine(text)
    label.setProperty("caption", True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return label


def button(text: str, tip: str) -> QPushButton:
    """A button that shrinks with the dock.

    Parameters
    ----------
    text : str
        On the button.
    tip : str
        Its tooltip.

    Returns
    -------
    QPushButton
        Not connected to anything.
    """
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return made


def show_primary(first: QPushButton, among: Iterable[QPushButton]) -> None:
    """Let one button be the first that there is to do.

    Parameters
    ----------
    first : QPushButton
        The one.
    among : iterable of QPushButton
        All that may be, with it.
    """
    for one in among:
        if bool(one.property("primary")) != (one is first):
            one.setProperty("primary", one is first)
            one.style().unpolish(one)
            one.style().polish(one)


def menu_button(text: str, tip: str, **actions: str) -> tuple[QPushButton, QMenu]:
    """A button that opens a menu.

    Parameters
    ----------
    text : str
        On the button.
    tip : str
        Its tooltip.
    **actions : str
        The texts of the menu, by the name that each action gets as its `objectName`.

    Returns
    -------
    button : QPushButton
    menu : QMenu
        Its `triggered` hands over the action.
    """
    made = QPushButton(text)
    made.setObjectName("menu")
    made.setToolTip(tip)
    menu = QMenu(made)
    for name, words in actions.items():
        menu.addAction(words).setObjectName(name)
    made.setMenu(menu)
    return made, menu


def more_button(name: str, tip: str, **actions: str) -> tuple[QToolButton, QMenu]:
    """A small button "⋯" that opens a menu.

    Parameters
    ----------
    name : str
        What a screen reader says in the place of the dots.
    tip : str
        Its tooltip.
    **actions : str
        The texts of the menu, by the name that each action gets as its `objectName`.

    Returns
    -------
    button : QToolButton
    menu : QMenu
        Its `triggered` hands over the action.
    """
    made = QToolButton()
    made.setText("⋯")
    made.setAccessibleName(name)
    made.setToolTip(tip)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(made)
    for action, words in actions.items():
        menu.addAction(words).setObjectName(action)
    made.setMenu(menu)
    return made, menu


def fold(title: str, tip: str, *parts: QWidget) -> QCollapsible:
    """A title that unfolds what most people never change; closed at first.

    Parameters
    ----------
    title : str
        Stays in view.
    tip : str
        The title's tooltip.
    *parts : QWidget
        What is folded, one below the other.

    Returns
    -------
    superqt.QCollapsible
        Its `toggled` tells when it is opened or closed.
    """
    nothing = QPixmap(1, 1)
    nothing.fill(Qt.GlobalColor.transparent)
    made = QCollapsible(title, None, QIcon(nothing), QIcon(nothing))  # a null icon is no icon to PySide
    made.setDuration(0)
    made.layout().setContentsMargins(0, 0, 0, 0)
    inside = made.content().layout()
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(4)
    for part in parts:
        made.addWidget(part)
    opener = made.toggleButton()
    opener.setObjectName("fold")
    opener.setStyleSheet("")
    opener.setToolTip(tip)
    made.toggled.connect(partial(_unfold, made, title))
    _unfold(made, title, False)
    return made


def _unfold(made: QCollapsible, title: str, is_open: bool) -> None:
    """Arrows are text, which has the theme's colour; and no key reaches what is folded."""
    made.setText(f"{'▾' if is_open else '▸'} {title}")
    made.content().setVisible(is_open)


def column(widget: QWidget, *parts: QWidget) -> QVBoxLayout:
    """Put parts one below the other, flush with the edges.

    Parameters
    ----------
    widget : QWidget
        Gets the layout.
    *parts : QWidget
        From top to bottom.

    Returns
    -------
    QVBoxLayout
        The widget's layout, without a stretch at its end.
    """
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for part in parts:
        layout.addWidget(part)
    return layout


class _RowByText(QWidget):
    """Shares its width by what its parts ask for, as their style and their words are now."""

    def event(self, event: QEvent) -> bool:
        """For Qt: a part has another text, style, or has come into view."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.LayoutRequest):
            self.share()
        return bool(super().event(event))

    def share(self) -> None:
        """Give each part its share."""
        layout = self.layout()
        assert isinstance(layout, QHBoxLayout)  # noqa: S101 - as `row_by_text` made it
        for n in range(layout.count()):
            part = layout.itemAt(n).widget()
            part.ensurePolished()
            wanted = 0 if isinstance(part, QToolButton) else part.minimumWidth() or part.sizeHint().width()
            if wanted != layout.stretch(n):
                layout.setStretch(n, wanted)


def row_by_text(*parts: QWidget) -> QWidget:
    """Put buttons side by side, each as wide as its text asks for; what is left is shared in the same way.

    A part that says its least width, such as a number, asks for that.

    Returns
    -------
    QWidget
        Holds the parts; tool buttons stay as narrow as they are.
    """
    widget = _RowByText()
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for part in parts:
        layout.addWidget(part)
    widget.share()
    return widget


def row(*parts: QWidget) -> QWidget:
    """Put parts side by side.

    Returns
    -------
    QWidget
        Holds the parts, which share its width; tool buttons stay as narrow as they are.
    """
    widget = QWidget()
    layout = QHBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for part in parts:
        layout.addWidget(part, 0 if isinstance(part, QToolButton) else 1)
    return widget
