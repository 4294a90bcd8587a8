"""Form fields made by magicgui, and what a narrow dock that scrolls asks of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from magicgui.widgets import CheckBox, create_widget
from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

#: Pixels that a style leaves beside the text of a list.
TEXT_MARGIN = 8


class QuietWheel(QObject):
    """Keeps a field from changing when the wheel scrolls the column past it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """For Qt: keep the wheel from a field without focus; True where it was kept.

        Parameters
        ----------
        watched : QObject
            The field.
        event : QEvent
            Of any kind; all but the wheel pass.
        """
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))


def make_field(value: Any, label: str, tip: str, *, unit: str = "", name: str = "", **options: Any) -> ValueWidget[Any]:
    """A field for a value, as wide as its form allows.

    Parameters
    ----------
    value : bool, int, float or str
        What the field shows at first; its type says which kind of field it is.
    label : str
        Stands before the field; of a tick, beside it.
    tip : str
        What the field does to the result.
    unit : str, optional
        Stands behind the label.
    name : str, optional
        By which code knows the field.
    **options
        Of magicgui: `choices` of texts or of (text, value); `min`, `max` and `step` of numbers. A number without a
        `max` would end at 999.

    Returns
    -------
    magicgui.widgets.bases.ValueWidget
        Its Qt widget is `native`.
    """
    title = f"{label} ({unit})" if unit else label
    field = create_widget(value=value, name=name or label, label=title, options={"tooltip": tip, **options})
    widget = field.native
    if isinstance(widget, QDoubleSpinBox):
        widget.setDecimals(decimals(options["step"], options["min"]))
        field.min, field.max, field.value = options["min"], options["max"], value
    if isinstance(widget, QAbstractSpinBox):
        widget.setKeyboardTracking(False)
        widget.setAlignment(Qt.AlignmentFlag.AlignRight)
    if not isinstance(field, CheckBox):
        # A long choice is no reason for a wide dock.
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    widget.setAccessibleName(title)
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(QuietWheel(widget))
    return field


def decimals(step: float, low: float) -> int:
    """Count the digits after the point that a field needs.

    Parameters
    ----------
    step : float
        By which the field's value moves.
    low : float
        The least value.

    Returns
    -------
    int
        Enough to show both: 2 for 0.05 and 0.
    """
    small = min((x for x in (step, abs(low)) if x > 0), default=1.0)
    return max(0, math.ceil(-math.log10(small) - 1e-9))


def form_layout(parent: QWidget | None = None) -> QFormLayout:
    """An empty form: labels on the left, fields as wide as there is room.

    Parameters
    ----------
    parent : qtpy.QtWidgets.QWidget, optional
        The widget that is laid out.

    Returns
    -------
    QFormLayout
        Of the parent, where there is one.
    """
    layout = QFormLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(6)
    layout.setVerticalSpacing(4)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    layout.setFormAlignment(Qt.AlignmentFlag.AlignLeft)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def add_row(layout: QFormLayout, label: str, widget: QWidget) -> None:
    """Add a row to a form.

    Parameters
    ----------
    layout : QFormLayout
        The form.
    label : str
        Stands before the widget and gets its tooltip; may be empty.
    widget : QWidget
        The field.
    """
    title = QLabel(label)
    title.setToolTip(widget.toolTip())
    title.setBuddy(widget)
    layout.addRow(title, widget)


def add_fields(layout: QFormLayout, fields: Sequence[ValueWidget[Any]]) -> None:
    """Add a row for each field to a form.

    Parameters
    ----------
    layout : QFormLayout
        The form.
    fields : sequence of magicgui.widgets.bases.ValueWidget
        As `make_field` makes them; the text beside a tick moves before it.
    """
    for field in fields:
        add_row(layout, field.label, field.native)
        if isinstance(field, CheckBox):
            field.text = ""  # said by the label


class Chooser(QComboBox):
    """A list of layers, whose names are shortened in the middle: the ends of file names tell them apart.

    Parameters
    ----------
    name : str
        What a screen reader calls it.
    tip : str
        Its tooltip.
    """

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.installEventFilter(QuietWheel(self))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.view().setTextElideMode(Qt.TextElideMode.ElideMiddle)

    def paintEvent(self, event: QPaintEvent) -> None:
        """For Qt: draw the chosen name, shortened in the middle."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        area = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self)
        width = area.width() - TEXT_MARGIN
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideMiddle, width)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
