"""What to run on and with: image, preset, device, and the settings. Shows and tells; decides nothing."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_s3net.plugin.widgets.fields import Chooser, add_row, form_layout, make_field
from napari_s3net.plugin.widgets.parts import caption, column, fold, one_line
from napari_s3net.plugin.widgets.settings_form import SettingsForm
from napari_s3net.plugin.widgets.text import device_label, device_text
from napari_s3net.runtime.machine import cores, may_have_card
from napari_s3net.runtime.memory import card_name
from napari_s3net.settings import Settings, presets


class Choosers(QWidget):
    """The upper half of the Segment dock; `form` is the part of it that gives way to a run's progress.

    Signals
    -------
    image_chosen(int)
        The user takes the image of that number in the list.
    preset_chosen(str)
        The user takes the preset of that name.
    device_chosen()
        The user takes another device.
    settings_changed()
        A setting has changed, by the user or with a preset.
    """

    image_chosen = Signal(int)
    preset_chosen = Signal(str)
    device_chosen = Signal()
    settings_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices: tuple[str, ...] = ()
        self._pace = self._memory = ""
        self.image = Chooser("Image", "Which image layer is segmented.")
        names = [(preset.label, name) for name, preset in presets.items()]
        self.preset = make_field("generic", "Preset", "Ready-made settings for a kind of image.", choices=names)
        self.device = make_field("auto", "Compute", "What the run computes on.", choices=[("Auto", "auto")])
        self.image_line, self.preset_line, self.device_line = one_line(), one_line(), caption()
        self.basic, self.advanced = SettingsForm(basic=True), SettingsForm(basic=False)
        self.reset = QPushButton("Back to the preset")
        self.reset.setToolTip("Give every setting the value that its preset has.")
        self._lay_out()
        for n, preset in enumerate(presets.values()):
            self.preset.native.setItemData(n, preset.help, Qt.ItemDataRole.ToolTipRole)
        self.image.activated.connect(self.image_chosen)
        self.preset.native.activated.connect(self._choose_preset)
        self.device.native.activated.connect(self._choose_device)
        self.device.changed.connect(self._show_device)
        for form in (self.basic, self.advanced):
            form.changed.connect(self._settings_changed)
        self.reset.clicked.connect(self._reset)
        self.show_devices((), "")
        self.show_settings(presets["generic"].settings)

    @property
    def preset_name(self) -> str:
        """Of the preset that is chosen."""
        return str(self.preset.value)

    @property
    def device_name(self) -> str:
        """As `iter_segment` takes it."""
        return str(self.device.value)

    def settings(self) -> Settings:
        """What the fields hold.

        Returns
        -------
        Settings
            Of the basic and the advanced fields together.

        Raises
        ------
        InvalidSettingsError
            If two fields contradict each other.
        """
        return Settings(**self._values())

    def show_images(self, names: list[str], current: int) -> None:
        """List the image layers.

        Parameters
        ----------
        names : list of str
            What they are called, in the order of the layer list.
        current : int
            Which of them is chosen, from 0; -1 for none.
        """
        self.image.clear()
        for name in names:
            self.image.addItem(name)
            self.image.setItemData(self.image.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.image.setCurrentIndex(current)
        self.image.setToolTip(names[current] if names else "Which image layer is segmented.")

    def show_preset(self, name: str, line: str) -> None:
        """Choose a preset without filling in its settings.

        Parameters
        ----------
        name : str
            Of the preset.
        line : str
            Shown below, such as why it was chosen; hidden where it is empty.
        """
        self.preset.value = name
        self.preset.tooltip = presets[name].help
        self.preset_line.setText(line)
        self.preset_line.setVisible(bool(line))

    def show_settings(self, settings: Settings) -> None:
        """Fill all fields with the values of these settings.

        Parameters
        ----------
        settings : Settings
            What the fields get.
        """
        for form in (self.basic, self.advanced):
            form.show_settings(settings)

    def set_working_size(self, size: int) -> None:
        """Fill in another working size.

        Parameters
        ----------
        size : int
            Longer side in pixels.
        """
        self.advanced.fields["working_size"].value = size

    def show_devices(self, devices: tuple[str, ...], pace: str, memory: str = "") -> None:
        """List the devices of this machine, and say how long a run takes.

        Parameters
        ----------
        devices : tuple of str
            Such as ("cuda:0", "cpu"), the automatic choice first; empty while they are not known.
        pace : str
            An estimate of the time, shown behind the device.
        memory : str, optional
            What a run takes of memory: a tooltip, and on a graphics card, which has less, in the line itself.
        """
        self._devices, self._pace, self._memory = devices, pace, memory
        self.device_line.setToolTip(memory)
        names = ("auto", *(devices or ("cpu",)))
        if names != self.device.choices:
            chosen = self.device_name
            with self.device.changed.blocked():
                self.device.choices = []  # magicgui keeps those that stay where they are
                self.device.choices = [(device_label(name), name) for name in names]
                self.device.value = chosen if chosen in names else "auto"
        self._show_device()

    def choose_device(self, name: str) -> None:
        """Choose what to compute on; automatically where there is no such device.

        Parameters
        ----------
        name : str
            As torch calls it, such as "cuda:0".
        """
        self.device.value = name if name in self.device.choices else "auto"

    def _lay_out(self) -> None:
        layout = form_layout(self)
        for field, line in (
            (self.image, self.image_line),
            (self.preset.native, self.preset_line),
            (self.device.native, self.device_line),
        ):
            add_row(layout, field.accessibleName(), field)
            layout.addRow("", line)
        parts = (self.basic, self.advanced, self.reset)
        self.fold = fold("Settings", "Settings that most people never change.", *parts)
        self.form = QWidget()
        column(self.form, self.fold)

    def _values(self) -> dict[str, Any]:
        return {**self.basic.values(), **self.advanced.values()}

    def _choose_preset(self, _: int) -> None:
        self.preset_chosen.emit(self.preset_name)

    def _choose_device(self, _: int) -> None:
        self.device_chosen.emit()

    def _show_device(self, _: Any = None) -> None:
        # Only once the devices are known is the network library there, which knows what a card is called.
        used = self._devices[0] if self._devices and self.device_name == "auto" else self.device_name
        card = card_name(used) if self._devices else ""
        words = device_text(self.device_name, self._devices, cores(), card, may_have_card=may_have_card())
        memory = f" {self._memory}" if self._memory and used not in ("auto", "cpu") else ""
        self.device_line.setText(words + self._pace + memory)

    def _settings_changed(self) -> None:
        self.reset.setEnabled(self._values() != presets[self.preset_name].settings.to_dict())
        self.settings_changed.emit()

    def _reset(self) -> None:
        self.show_settings(presets[self.preset_name].settings)
