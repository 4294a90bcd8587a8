"""What to run on and with: image, preset, device, and the settings. Shows and tells; decides nothing."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from napari_s3net.plugin.widgets.settings_form import QuietWheel, SettingsForm
from napari_s3net.plugin.widgets.text import device_label, device_text
from napari_s3net.runtime.memory import cores
from napari_s3net.settings import Settings, presets

#: Space that a style leaves beside the text of a list.
ROOM = 8


def quiet_label(text: str = "") -> QLabel:
    """A line of explanation under a field."""
    label = QLabel(text)
    label.setProperty("quiet", True)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


class Chooser(QComboBox):
    """A list whose long names are shortened in the middle: the ends of file names tell them apart."""

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
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width() - ROOM
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideMiddle, room)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class Fold(QWidget):
    """A title that unfolds what most people never change."""

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self.content = title, content
        self.button = QPushButton()
        self.button.setCheckable(True)
        self.button.setObjectName("fold")
        self.button.toggled.connect(self._fold)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.button)
        layout.addWidget(content)
        self._fold(False)

    def _fold(self, is_open: bool) -> None:
        self.button.setText(f"{'▾' if is_open else '▸'} {self._title}")
        self.content.setVisible(is_open)


class Choosers(QWidget):
    """The upper half of the dock; `form` is the part of it that gives way to a run's progress."""

    image_chosen = Signal(int)
    preset_chosen = Signal(str)
    settings_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image, self.image_line = Chooser("Image", "Which image layer is segmented."), quiet_label()
        self.preset, self.preset_line = Chooser("Preset", "Ready-made settings for a kind of image."), quiet_label()
        self.device, self.device_line = Chooser("Compute", "What the run computes on."), quiet_label()
        self.basic, self.advanced = SettingsForm(basic=True), SettingsForm(basic=False)
        self.reset = QPushButton("Back to the preset")
        self.reset.setToolTip("Give every setting the value that its preset has.")
        self._fill()
        self._lay_out()
        self.image.activated.connect(self.image_chosen)
        self.preset.activated.connect(lambda i: self.preset_chosen.emit(self.preset.itemData(i)))
        self.device.currentIndexChanged.connect(self._say_device)
        for form in (self.basic, self.advanced):
            form.changed.connect(self._settings_changed)
        self.reset.clicked.connect(lambda: self.show_settings(presets[self.preset_name].settings))

    @property
    def preset_name(self) -> str:
        """Of the preset that is chosen."""
        return str(self.preset.currentData())

    @property
    def device_name(self) -> str:
        """As `iter_segment` takes it."""
        return str(self.device.currentData())

    def settings(self) -> Settings:
        """What the fields hold; raises `InvalidSettingsError` where two of them contradict each other."""
        return Settings(**self.basic.values(), **self.advanced.values())

    def show_images(self, names: list[str], current: int) -> None:
        """List the image layers."""
        self.image.clear()
        for name in names:
            self.image.addItem(name)
            self.image.setItemData(self.image.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.image.setCurrentIndex(current)
        self.image.setToolTip(names[current] if names else "")

    def show_preset(self, name: str, line: str) -> None:
        """Choose a preset without filling in its settings."""
        self.preset.setCurrentIndex(self.preset.findData(name))
        self.preset.setToolTip(presets[name].help)
        self.preset_line.setText(line)

    def show_settings(self, settings: Settings) -> None:
        """Fill in settings."""
        for form in (self.basic, self.advanced):
            form.show_settings(settings)

    def show_devices(self, devices: tuple[str, ...], pace: str) -> None:
        """List the devices of this machine once they are known, and say how long a run takes."""
        self._devices, self._pace = devices, pace
        chosen = self.device_name
        names = ["auto", *(devices or ("cpu",))]
        if names != [self.device.itemData(i) for i in range(self.device.count())]:
            self.device.clear()
            for name in names:
                self.device.addItem(device_label(name), name)
            self.device.setCurrentIndex(max(0, self.device.findData(chosen)))
        self._say_device()

    def choose_device(self, name: str) -> None:
        """Choose what to compute on."""
        self.device.setCurrentIndex(max(0, self.device.findData(name)))

    def _fill(self) -> None:
        for name, preset in presets.items():
            self.preset.addItem(preset.label, name)
            self.preset.setItemData(self.preset.count() - 1, preset.help, Qt.ItemDataRole.ToolTipRole)
        self.show_devices((), "")
        self.show_settings(presets["generic"].settings)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setVerticalSpacing(3)
        grid.setHorizontalSpacing(4)
        grid.setColumnStretch(1, 1)
        lines = {self.image: self.image_line, self.preset: self.preset_line, self.device: self.device_line}
        for n, (combo, line) in enumerate(lines.items()):
            label = QLabel(combo.accessibleName())
            label.setBuddy(combo)
            grid.addWidget(label, 2 * n, 0)
            grid.addWidget(combo, 2 * n, 1)
            grid.addWidget(line, 2 * n + 1, 1)
        folded = QWidget()
        inside = QVBoxLayout(folded)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.advanced)
        inside.addWidget(self.reset)
        self.fold = Fold("Advanced", folded)
        self.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        self.form = QWidget()
        layout = QVBoxLayout(self.form)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.basic)
        layout.addWidget(self.fold)

    def _say_device(self, *_: Any) -> None:
        if self.device.count():
            self.device_line.setText(device_text(self.device_name, self._devices, cores()) + self._pace)

    def _settings_changed(self) -> None:
        values = {**self.basic.values(), **self.advanced.values()}
        base = presets[self.preset_name].settings.to_dict()
        self.reset.setEnabled(values != base)
        self.settings_changed.emit()
