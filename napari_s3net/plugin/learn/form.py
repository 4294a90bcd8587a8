"""What is to be learned, as a form. Shows and tells; decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_s3net.learning.examples import parse_classes
from napari_s3net.learning.settings import METHODS, SIZES, LearnSettings, learn_settings
from napari_s3net.plugin.batch.form import folder_field, folder_in
from napari_s3net.plugin.widgets.fields import add_fields, add_row, form_layout, make_field
from napari_s3net.plugin.widgets.parts import caption, column, fold, one_line
from napari_s3net.plugin.widgets.settings_form import setting_field

RECOMMENDED = "recommended"
#: What is recommended, whatever the number of images: the table in docs/benchmark-semi.md has not shown more than this.
BEST = "plain"
SIZE_TEXTS = {"small": "Small, for a CPU", "standard": "Standard, for a graphics card"}
#: Seconds of a step, and memory in MB, at the small size: measured on one core of a busy machine, on 16 colour planes.
SECONDS_A_STEP = {"plain": 0.9, "self-training": 1.8, "ideal": 2.7, "kaf": 2.1}
MEGABYTES = {"plain": 520, "self-training": 620, "ideal": 900, "kaf": 760}


class LearnForm(QWidget):
    """The upper half of the dock.

    Signals
    -------
    folders_changed()
        Images or labels may be others now.
    changed()
        What is done with them may be another thing now.
    """

    folders_changed = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.images = folder_field("Images", "The folder with the images; folders within count.")
        self.labels = folder_field(
            "Labels", "Where corrected labels lie, named like their images; or the output of a batch."
        )
        self.found = one_line()
        self.classes = make_field("", "Classes", 'The values of labels with their names: "1=Lesion,2=Hair".')
        self.classes.native.setPlaceholderText("1=Lesion")
        methods = [("Recommended", RECOMMENDED), *((text, name) for name, text in METHODS.items())]
        described = {one["name"]: one for one in LearnSettings.describe()}
        self.method = setting_field({**described["method"], "default": RECOMMENDED}, choices=methods)
        self.size = make_field(
            "small",
            "Size",
            "How large the network is, and what it sees of an image.",
            choices=[(SIZE_TEXTS[name], name) for name in SIZES],
        )
        self.effort = caption()
        self.steps = setting_field(described["steps"])
        self.again = make_field(True, "Go on from before", "Start from the model that was learned before.")
        self._lay_out()
        for folder in (self.images, self.labels):
            folder.line_edit.native.editingFinished.connect(self.folders_changed)
            folder.choose_btn.changed.connect(self._tell_folders)
        for field in (self.method, self.size, self.steps, self.again):
            field.changed.connect(self._tell)
        self.size.changed.connect(self._take_steps)
        self._show_effort()

    @property
    def image_folder(self) -> Path | None:
        """The folder of images; None while the field is empty."""
        return folder_in(self.images)

    @property
    def label_folder(self) -> Path | None:
        """The folder of labels; None while the field is empty."""
        return folder_in(self.labels)

    @property
    def model(self) -> Path | None:
        """Where the model lies: beside the labels."""
        return None if self.label_folder is None else self.label_folder / "model.safetensors"

    @property
    def chosen_method(self) -> str:
        """One of `METHODS`."""
        return BEST if self.method.value == RECOMMENDED else str(self.method.value)

    def settings(self) -> LearnSettings:
        """Return what was asked for.

        Returns
        -------
        LearnSettings
            Checked.

        Raises
        ------
        InvalidSettingsError
            If a value is out of range.
        """
        return learn_settings(str(self.size.value), method=self.chosen_method, steps=int(self.steps.value))

    def class_names(self) -> dict[int, str]:
        """Return the classes that were named.

        Returns
        -------
        dict of int to str
            Empty where none was.

        Raises
        ------
        InvalidImageError
            If the text holds something else.
        """
        return parse_classes(str(self.classes.value))

    def _lay_out(self) -> None:
        form, advanced = QWidget(), QWidget()
        layout = form_layout(form)
        add_row(layout, "Images", self.images.native)
        add_row(layout, "Labels", self.labels.native)
        layout.addRow("", self.found)
        add_fields(layout, [self.classes, self.method, self.size])
        layout.addRow("", self.effort)
        add_fields(form_layout(advanced), [self.steps, self.again])
        column(self, form, fold("Advanced", "How long, and from what.", advanced))

    def _take_steps(self, size: str) -> None:
        self.steps.value = learn_settings(size).steps

    def _tell(self, _: Any) -> None:
        self._show_effort()
        self.changed.emit()

    def _tell_folders(self, _: Any) -> None:
        self.folders_changed.emit()

    def _show_effort(self) -> None:
        """Say beforehand how long it takes and how much memory."""
        method, size = self.chosen_method, str(self.size.value)
        if size != "small":
            self.effort.setText(f"{METHODS[method]}. Needs a graphics card; hours on a CPU.")
            return
        seconds = SECONDS_A_STEP[method] * int(self.steps.value)
        length = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
        self.effort.setText(f"{METHODS[method]}. About {length} on a CPU core, {MEGABYTES[method]} MB")
