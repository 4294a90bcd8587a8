"""A form for settings, made from their own metadata: ranges, steps, units, and help as tooltips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QSizePolicy, QSpinBox, QWidget

from napari_s3net.plugin.widgets.text import suffix
from napari_s3net.settings import Settings, describe


def decimals(step: float, low: float) -> int:
    """Digits after the point that a field needs to show its step and its lower end."""
    small = min(x for x in (step, abs(low)) if x > 0)
    return max(0, math.ceil(-math.log10(small) - 1e-9))


class Decimal(QDoubleSpinBox):
    """A number without the zeros that say nothing."""

    def textFromValue(self, value: float) -> str:
        return self.locale().toString(value, "g", 8)


class QuietWheel(QObject):
    """Keeps a field from changing when the wheel scrolls the column past it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def make_field(row: Mapping[str, Any]) -> QWidget:
    """The widget that fits a setting: a number, a choice or a tick."""
    if row["type"] == "bool":
        field: QWidget = QCheckBox()
    elif row["type"] == "str":
        field = QComboBox()
        field.addItems(row["choices"])
    else:
        field = QSpinBox() if row["type"] == "int" else Decimal()
        if row["type"] == "float":
            field.setDecimals(decimals(row["step"], row["low"]))
        field.setRange(*(type(row["default"])(row[end]) for end in ("low", "high")))
        field.setSingleStep(type(row["default"])(row["step"]))
        field.setSuffix(suffix(row["unit"], row["label"]))
        field.setKeyboardTracking(False)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
    field.setToolTip(row["help"])
    field.setAccessibleName(row["label"])
    field.setObjectName(row["name"])
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if row["type"] != "bool":
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return field


class SettingsForm(QWidget):
    """Fields for some of the settings.

    Parameters
    ----------
    basic : bool
        Those that most people see, or all the others.
    """

    changed = Signal()

    def __init__(self, *, basic: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(2)
        layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        layout.setFormAlignment(Qt.AlignmentFlag.AlignLeft)
        layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._quiet = QuietWheel(self)
        self.fields: dict[str, QWidget] = {}
        self._exact: dict[str, tuple[Any, Any]] = {}
        for row in describe():
            if row["basic"] == basic:
                self._add(layout, row)

    def values(self) -> dict[str, Any]:
        """What the fields hold, by the settings' names; a value that is only shown rounded stays exact."""
        held = {name: _value(field) for name, field in self.fields.items()}
        return {
            name: exact if value == shown else value
            for name, value in held.items()
            for shown, exact in [self._exact.get(name, (value, value))]
        }

    def show_settings(self, settings: Settings) -> None:
        """Fill the fields; says `changed` no more than once."""
        for name, field in self.fields.items():
            blocked = field.blockSignals(True)
            _set_value(field, getattr(settings, name))
            field.blockSignals(blocked)
            self._exact[name] = (_value(field), getattr(settings, name))
        self.changed.emit()

    def _add(self, layout: QFormLayout, row: Mapping[str, Any]) -> None:
        field = make_field(row)
        field.installEventFilter(self._quiet)
        label = QLabel(row["label"])
        label.setToolTip(row["help"])
        label.setBuddy(field)
        layout.addRow(label, field)
        self.fields[row["name"]] = field
        signal = {QCheckBox: "toggled", QComboBox: "currentTextChanged"}.get(type(field), "valueChanged")
        getattr(field, signal).connect(self._tell)

    def _tell(self, *_: Any) -> None:
        self.changed.emit()


def _value(field: QWidget) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QComboBox):
        return field.currentText()
    return field.value()


def _set_value(field: QWidget, value: Any) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(value)
    elif isinstance(field, QComboBox):
        field.setCurrentText(value)
    else:
        field.setValue(value)
