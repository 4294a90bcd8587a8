"""What is to be learned, as a form. Shows and tells; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_s3net.learning.effort import EFFORTS
from napari_s3net.learning.label_scan import Labelled
from napari_s3net.learning.recommended import Recommendation, are_photographs, recommend
from napari_s3net.learning.settings import METHODS, SIZES, LearnSettings, learn_settings
from napari_s3net.plugin.batch.form import folder_field, folder_in, recall_folder, remember_folder
from napari_s3net.plugin.learn.class_table import ClassTable
from napari_s3net.plugin.widgets.fields import add_fields, add_row, form_layout, make_field
from napari_s3net.plugin.widgets.parts import button, caption, column, fold, one_line
from napari_s3net.plugin.widgets.settings_form import setting_field
from napari_s3net.plugin.widgets.text import plural

RECOMMENDED = "recommended"
IN_VIEW = "In view"
START_TEXTS = {"taught": "Taught network", "random": "Nothing"}
START_HELP = (
    "From what the first model of photographs in colour is learned: from a network that synthetic photographs have "
    "taught what lesions look like, or from nothing. All other images, and KAF, always start from nothing."
)
SIZE_TEXTS = {"small": "Small, for a CPU", "standard": "Standard, for a graphics card"}


def remarks_text(remarks: Sequence[str]) -> str:
    """Say what is not certain of labels.

    Parameters
    ----------
    remarks : sequence of str
        Each with the name of its file.

    Returns
    -------
    str
        The first of them, and how many there are.
    """
    return f"{plural(len(remarks), 'remark')} on labels: {remarks[0]}" if remarks else ""


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
        #: Images of the folder, and those of them that have labels.
        self.files: tuple[Path, ...] = ()
        self.corrected: tuple[Path, ...] = ()
        self._make_sources()
        self._make_ways()
        self._lay_out()
        self._connect()
        self._recall_folders()
        self.folders_changed.connect(self._remember_folders)
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
        asked = str(self.method.value)
        return self._recommended.method if asked == RECOMMENDED else asked

    @property
    def _recommended(self) -> Recommendation:
        return recommend(len(self.corrected), photographs=self._are_photographs)

    @property
    def _are_photographs(self) -> bool:
        return are_photographs(self.corrected or self.files)

    @property
    def previewed(self) -> str:
        """The image layer that is previewed on; empty for the one in view."""
        return "" if self.preview.value == IN_VIEW else str(self.preview.value)

    def show_found(self, found: Labelled) -> None:
        """Show what lies in the folders: how many are corrected, and the classes.

        Parameters
        ----------
        found : Labelled
            From a look at them.
        """
        parts = f", {found.partly} in part" if found.partly else ""
        self.found.setText(f"{plural(len(found.pairs), 'image')}, {found.whole} corrected{parts}")
        self.remarks.setText(remarks_text(found.remarks))
        self.remarks.setToolTip("\n\n".join(found.remarks))
        self.remarks.setVisible(bool(found.remarks))
        self.classes.show_classes(found.values, found.names, found.colours)
        self.files, self.corrected = tuple(pair.image for pair in found.pairs), found.corrected
        self._show_effort()
        self.effort.show()

    def show_layers(self, names: Sequence[str]) -> None:
        """Offer images to preview on.

        Parameters
        ----------
        names : sequence of str
            Of the open image layers; the one that was chosen stays while it is among them.
        """
        chosen = self.preview.value
        self.preview.choices = [IN_VIEW, *dict.fromkeys(names)]
        self.preview.value = chosen if chosen in names else IN_VIEW

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
        return learn_settings(
            str(self.size.value), method=self.chosen_method, steps=int(self.steps.value), start=str(self.start.value)
        )

    def class_names(self) -> dict[int, str]:
        """Return the classes that were named.

        Returns
        -------
        dict of int to str
            By their values; empty while no labels are known.
        """
        return self.classes.names()

    def _make_sources(self) -> None:
        self.images = folder_field("Images", "The folder with the images; folders within count.")
        self.labels = folder_field(
            "Labels", "Where corrected labels lie, named like their images; or the output of a batch."
        )
        self._folders = {"learn/images": self.images, "learn/labels": self.labels}
        self.found, self.remarks = one_line(), caption()
        self.remarks.hide()
        self.layers_button = button(
            "Take labels of open layers",
            "Write labels that lie on open images of the folder into the folder of labels.",
        )
        self.classes = ClassTable()

    def _make_ways(self) -> None:
        self.preview = make_field(
            IN_VIEW, "Preview", "The image on which the network's answer is shown while it learns.", choices=[IN_VIEW]
        )
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
        self.effort.hide()  # until there are images it could be about
        self.steps = setting_field(described["steps"])
        self.start = setting_field(
            {**described["start"], "help": START_HELP}, choices=[(text, name) for name, text in START_TEXTS.items()]
        )
        self.again = make_field(True, "Go on from before", "Start from the model that was learned before.")

    def _lay_out(self) -> None:
        form, advanced = QWidget(), QWidget()
        layout = form_layout(form)
        add_row(layout, "Images", self.images.native)
        add_row(layout, "Labels", self.labels.native)
        layout.addRow("", self.found)
        layout.addRow("", self.layers_button)
        layout.addRow(self.classes)
        add_fields(layout, [self.method, self.size])
        add_fields(form_layout(advanced), [self.preview, self.steps, self.start, self.again])
        # Of lines that break, a form lays its rows over each other where it grows and shrinks in one moment.
        column(self, form, self.remarks, self.effort, fold("Advanced", "How long, and from what.", advanced))

    def _connect(self) -> None:
        for folder in (self.images, self.labels):
            folder.line_edit.native.editingFinished.connect(self.folders_changed)
            folder.choose_btn.changed.connect(self._tell_folders)
        for field in (self.method, self.size, self.steps, self.start, self.again):
            field.changed.connect(self._tell)
        self.size.changed.connect(self._take_steps)

    def _recall_folders(self) -> None:
        """Fill in the folders of last time; else those of the last batch, whose results were reviewed."""
        for name, folder in self._folders.items():
            recall_folder(name, folder)
        if self.image_folder is None and self.label_folder is None:
            recall_folder("batch/input", self.images)
            recall_folder("batch/output", self.labels)

    def _take_steps(self, size: str) -> None:
        self.steps.value = learn_settings(size).steps

    def _tell(self, _: Any) -> None:
        self._show_effort()
        self.changed.emit()

    def _remember_folders(self) -> None:
        for name, folder in self._folders.items():
            remember_folder(name, folder)

    def _tell_folders(self, _: Any) -> None:
        self.folders_changed.emit()

    def _show_effort(self) -> None:
        """Say beforehand how long it takes and how much memory."""
        method, size = self.chosen_method, str(self.size.value)
        self.effort.setToolTip(self._recommended.reason if self.method.value == RECOMMENDED else "")
        if size != "small":
            self.effort.setText(f"{METHODS[method]}. Needs a graphics card; hours on a CPU.")
            return
        effort = EFFORTS[method]
        seconds = effort.seconds * int(self.steps.value)
        length = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
        closer = "" if self._are_photographs else ", of volumes up to three times as long"
        self.effort.setText(f"{METHODS[method]}. About {length} on a CPU core{closer}; {effort.megabytes} MB.")
