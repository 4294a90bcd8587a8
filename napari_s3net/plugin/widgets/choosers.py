"""What to run on and with: image, preset, device, and the settings. Shows and tells; decides nothing."""

from __future__ import annotations

from typing import Any

from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_s3net.plugin.widgets.device_text import device_label, device_text
from napari_s3net.plugin.widgets.fields import Chooser, add_row, form_layout, make_field
from napari_s3net.plugin.widgets.own_presets import OWN, preset_choices
from napari_s3net.plugin.widgets.parts import column, fold, one_line, row
from napari_s3net.plugin.widgets.preset_menu import PresetMenu
from napari_s3net.plugin.widgets.settings_form import SettingsForm
from napari_s3net.preset_files import OwnPreset
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
        The user takes the preset of that key in the list.
    device_chosen()
        The user takes another device.
    settings_changed()
        A setting has changed, by the user or with a preset.
    settings_edited()
        The user has changed a setting, or gone back to the preset.
    """

    image_chosen = Signal(int)
    preset_chosen = Signal(str)
    device_chosen = Signal()
    settings_changed = Signal()
    settings_edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._devices: tuple[str, ...] = ()
        self._pace = self._memory = ""
        self.image = Chooser("Image", "Which image layer is segmented.")
        self._own: dict[str, OwnPreset] = {}
        self._line = ""
        self._is_filling = False
        tip = "Ready-made settings for a kind of image."
        self.preset = make_field("generic", "Preset", tip, choices=preset_choices(()))
        self.presets = PresetMenu(self._in_form)
        self.device = make_field("auto", "Compute", "What the run computes on.", choices=[("Auto", "auto")])
        self.image_line, self.preset_line, self.device_line = one_line(), one_line(), one_line()
        self.basic, self.advanced = SettingsForm(basic=True), SettingsForm(basic=False)
        self.reset = QPushButton("Back to the preset")
        self.reset.setToolTip("Give every setting the value that its preset has.")
        self._lay_out()
        self.show_own_presets({})
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
    def preset_key(self) -> str:
        """Of what is chosen in the list: a shipped preset's name, or `OWN` and the name of one of the user's own."""
        return str(self.preset.value)

    @property
    def preset_name(self) -> str:
        """Of the shipped preset that is chosen, or that the user's own started from."""
        own = self.own_preset
        return self.preset_key if own is None else own.base

    @property
    def own_preset(self) -> OwnPreset | None:
        """The user's own preset that is chosen; None for a shipped one."""
        return self._own.get(self.preset_key.removeprefix(OWN))

    @property
    def fields(self) -> dict[str, ValueWidget[Any]]:
        """The fields of all settings, by their names."""
        return {**self.basic.fields, **self.advanced.fields}

    def preset_settings(self) -> Settings:
        """Look up the settings of the preset that is chosen.

        Returns
        -------
        Settings
            Whatever the fields hold.
        """
        own = self.own_preset
        return presets[self.preset_name].settings if own is None else own.settings

    def show_own_presets(self, own: dict[str, OwnPreset]) -> None:
        """List the user's own presets below the shipped ones; the choice stays where it can.

        Parameters
        ----------
        own : dict of str to OwnPreset
            By their names.
        """
        chosen, base = self.preset_key, self.preset_name
        self._own = own
        choices = preset_choices(own)
        self.preset.choices = []  # magicgui keeps those that stay where they are
        self.preset.choices = choices
        self.preset.value = chosen if chosen in [key for _, key in choices] else base
        for n, (_, key) in enumerate(choices):
            self.preset.native.setItemData(n, self._help(key), Qt.ItemDataRole.ToolTipRole)
        self.presets.show_chosen(self.own_preset)

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
            Its key in the list.
        line : str
            Shown below, such as why it was chosen, behind the number of settings that differ.
        """
        self.preset.value = name
        self.preset.tooltip = self._help(name)
        self._line = line
        self.presets.show_chosen(self.own_preset)
        self._show_line()

    def show_settings(self, settings: Settings) -> None:
        """Fill all fields with the values of these settings.

        Parameters
        ----------
        settings : Settings
            What the fields get.
        """
        self._is_filling = True
        for form in (self.basic, self.advanced):
            form.show_settings(settings)
        self._is_filling = False

    def set_working_size(self, size: int) -> None:
        """Fill in another working size.

        Parameters
        ----------
        size : int
            Longer side in pixels.
        """
        self.basic.fields["working_size"].value = size

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
            beside = row(field, self.presets.button) if field is self.preset.native else field
            beside.setToolTip(field.toolTip())
            if beside is not field:
                beside.setFocusProxy(field)
            add_row(layout, field.accessibleName(), beside)
            layout.addRow("", line)
        self.fold = fold("More settings", "Settings that most people never change.", self.advanced, self.reset)
        self.form = QWidget()
        self.basic.make()
        self.fold.toggled.connect(self.advanced.make)
        column(self.form, self.basic, self.fold)

    def _values(self) -> dict[str, Any]:
        return {**self.basic.values(), **self.advanced.values()}

    def _choose_preset(self, _: int) -> None:
        self.preset_chosen.emit(self.preset_key)

    def _choose_device(self, _: int) -> None:
        self.device_chosen.emit()

    def _show_device(self, _: Any = None) -> None:
        # Only once the devices are known is the network library there, which knows what a card is called.
        used = self._devices[0] if self._devices and self.device_name == "auto" else self.device_name
        card = card_name(used) if self._devices else ""
        words = device_text(self.device_name, self._devices, cores(), card, may_have_card=may_have_card())
        memory = f" {self._memory}" if self._memory and used not in ("auto", "cpu") else ""
        self.device_line.setText(words + self._pace + memory)
        self.device_line.setToolTip(f"{words}{self._pace} {self._memory}".strip())

    def _settings_changed(self) -> None:
        self.reset.setEnabled(bool(self._differing()))
        self._show_line()
        self.settings_changed.emit()
        if not self._is_filling:
            self.settings_edited.emit()

    def _differing(self) -> list[str]:
        """Names of the settings that are not those of the preset."""
        of_preset = self.preset_settings().to_dict()
        return [name for name, value in self._values().items() if value != of_preset[name]]

    def _show_line(self) -> None:
        """Say how the settings differ from their preset, and why that was chosen."""
        known = {**self.basic.labels, **self.advanced.labels}
        labels = [known[name] for name in self._differing()]
        changed = f"{labels[0]} changed" if len(labels) == 1 else f"{len(labels)} settings changed" if labels else ""
        self.preset_line.setText(" · ".join(words for words in (changed, self._line) if words))
        self.preset_line.setToolTip(", ".join(labels))
        self.preset_line.setVisible(bool(self.preset_line.text()))

    def _help(self, key: str) -> str:
        """What a preset of the list is for."""
        if key in presets:
            return presets[key].help
        return f"Your own, from {presets[self._own[key.removeprefix(OWN)].base].label}."

    def _in_form(self) -> tuple[str, Settings]:
        return self.preset_name, self.settings()

    def _reset(self) -> None:
        self.show_settings(self.preset_settings())
        self.settings_edited.emit()
