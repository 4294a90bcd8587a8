"""What a batch is asked to do, as a form. Shows and tells; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from magicgui.widgets import FileEdit
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QGridLayout, QSizePolicy, QStyle, QWidget

from napari_s3net.batch import KINDS, Plan
from napari_s3net.batch.plan import FURTHER, USUAL
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.plugin.widgets.device_text import device_label
from napari_s3net.plugin.widgets.fields import add_fields, add_row, form_layout, make_field
from napari_s3net.plugin.widgets.own_presets import OWN, own_presets, preset_choices
from napari_s3net.plugin.widgets.parts import column, fold, one_line
from napari_s3net.plugin.widgets.preset_menu import FOLDER as PRESETS
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.preset_files import read_changes
from napari_s3net.runtime.machine import cores

AUTO, FROM_FILE = "auto", "file"


#: Text and tip of what may be written.
WRITTEN = {
    "labels": ("Labels", "Every cluster with its number."),
    "masks": ("Masks", "The object alone."),
    "overlays": ("Overlays", "The image with the object's outline."),
    "measurements": ("Table", "measurements.csv: sizes, shapes and colours, a row a region."),
}
#: The same of further formats, and the package that writes it; empty for none.
FURTHER_WRITTEN = {
    "dicom-seg": ("DICOM-SEG", "Of DICOM series: a segmentation that refers to its series.", "highdicom"),
    "rtstruct": ("RTSTRUCT", "Of DICOM series: contours of the object, for radiotherapy.", "plastimatch"),
    "seg.nrrd": ("3D Slicer", "A segmentation (.seg.nrrd) with names and colours.", ""),
    "coco": ("COCO", "Run-length codes as JSON.", ""),
    "stl": ("STL surface", "Of volumes: the object's surface in mm.", ""),
    "ply": ("PLY surface", "Of volumes: the object's surface in mm.", ""),
}


class BatchForm(QWidget):
    """The upper half of the dock.

    Signals
    -------
    changed()
        What is in the folders, or what is done with it, may be another thing now.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._settings_file: Path | None = None
        self.source = folder_field("Input", "The folder with the images, or with DICOM series.")
        self.output = folder_field(
            "Output", "The folder for the results. Chosen again, the batch goes on where it was."
        )
        self._folders = {"batch/input": self.source, "batch/output": self.output}
        self.source_line, self.output_line, self.preset_line = one_line(), one_line(), one_line()
        self.preset_line.hide()
        self.recursive = make_field(False, "Folders within as well", "Segment the images of folders within as well.")
        self._own = own_presets()
        self.preset = make_field(
            AUTO,
            "Settings",
            "Ready-made settings, your own presets, or those of a file such as an earlier result's.",
            choices=[("Auto: by the image", AUTO), *preset_choices(self._own), ("From a file…", FROM_FILE)],
        )
        self.fit = make_field(
            "image",
            "Model",
            "Image by image, or one model that learns what the images have in common.",
            choices=[("One for each image", "image"), ("One for all images", "folder")],
        )
        self.kinds = {kind: make_field(kind in USUAL, *WRITTEN[kind]) for kind in KINDS}
        self._make_advanced()
        self._lay_out()
        self._connect()
        for name, folder in self._folders.items():
            recall_folder(name, folder)

    def plan(self) -> Plan | None:
        """What was asked for.

        Returns
        -------
        Plan or None
            None while a folder is missing.

        Raises
        ------
        InvalidSettingsError
            If a settings file is asked for and none is chosen, or the settings cannot be used.
        """
        source, output = folder_in(self.source), folder_in(self.output)
        if source is None or output is None:
            return None
        preset, changes = str(self.preset.value), dict[str, Any]()
        if preset == FROM_FILE:
            if self._settings_file is None:
                raise InvalidSettingsError("Choose a settings file, or a preset.")
            preset, changes = "generic", read_changes(self._settings_file)
        elif preset.startswith(OWN):
            own = self._own[preset.removeprefix(OWN)]
            preset, changes = own.base, own.settings.to_dict()
        for name, folder in self._folders.items():
            remember_folder(name, folder)
        return Plan(
            source=source,
            output=output,
            preset=preset,
            changes=changes,
            pattern=str(self.pattern.value).strip(),
            recursive=bool(self.recursive.value),
            write=tuple(kind for kind, tick in (self.kinds | self.further).items() if tick.value),
            fit=str(self.fit.value),
            device=str(self.device.value),
        )

    def show_settings_file(self, path: Path) -> None:
        """Take the settings of a file.

        Parameters
        ----------
        path : Path
            A JSON file of settings.
        """
        self._settings_file = path
        self.preset.value = FROM_FILE
        self.preset_line.setText(path.name)
        self.preset_line.setVisible(True)
        self.changed.emit()

    def take_source(self, folder: Path) -> None:
        """Take another folder of images; the results of an earlier one have a folder of their own.

        Parameters
        ----------
        folder : Path
            With images.
        """
        if folder_in(self.source) != folder:
            self.output.line_edit.value = ""
        self.source.value = folder
        self._tell_folder()

    def take_results(self, folder: Path, output: Path) -> None:
        """Take a folder of images, with those within it, whose results are there already.

        Parameters
        ----------
        folder : Path
            With images.
        output : Path
            With their results.
        """
        self.source.value, self.output.value = folder, output
        self.recursive.value = True
        self._tell_folder()

    def shows(self, folder: Path, output: Path) -> bool:
        """Whether folders are those that are filled in.

        Parameters
        ----------
        folder, output : Path
            Of images and of results.

        Returns
        -------
        bool
            Whether they are.
        """
        return (folder_in(self.source), folder_in(self.output)) == (folder, output)

    @property
    def has_folders(self) -> bool:
        """Whether both folders are filled in."""
        return folder_in(self.source) is not None and folder_in(self.output) is not None

    @property
    def scheduler_address(self) -> str:
        """Of the cluster that is to do the work; empty for this machine."""
        return str(self.scheduler.value).strip() if self.scheduler.enabled else ""

    def _make_advanced(self) -> None:
        self.pattern = make_field("", "Files", 'Only files whose name matches, such as "*.jpg" or "IMD*".')
        self.pattern.native.setPlaceholderText("all images")
        most = max(2, cores())
        self.jobs = make_field(1, "At once", "How many files are worked on at once. One core each.", min=1, max=most)
        self.scheduler = make_field(
            "", "Cluster", "Address of a running Dask scheduler, such as tcp://host:8786, whose workers do the work."
        )
        self.scheduler.native.setPlaceholderText("this computer")
        if find_spec("distributed") is None:
            self.scheduler.enabled = False
            self.scheduler.tooltip = "A cluster needs Dask: pip install 'napari-s3net[cluster]'"
        devices = [(device_label(name), name) for name in ("auto", "cpu")]
        self.device = make_field("auto", "Compute", "What the work is done on.", choices=devices)
        self.further = {}
        for name in FURTHER:
            text, tip, package = FURTHER_WRITTEN[name]
            self.further[name] = make_field(False, text, tip)
            if package and find_spec(package) is None:
                self.further[name].enabled = False
                self.further[name].tooltip = f"This needs {package}: pip install {package}"
        self.restart = make_field(False, "Begin anew", "Forget what was done before. Corrected labels stay.")

    def _lay_out(self) -> None:
        form, advanced = QWidget(), QWidget()
        layout = form_layout(form)
        add_row(layout, "Input", self.source.native)
        layout.addRow("", self.source_line)
        layout.addRow("", self.recursive.native)
        add_row(layout, "Output", self.output.native)
        layout.addRow("", self.output_line)
        add_row(layout, "Settings", self.preset.native)
        layout.addRow("", self.preset_line)
        add_fields(layout, [self.fit])
        layout.addRow("Write", _two_by_two(self.kinds.values()))
        folded = form_layout(advanced)
        folded.addRow("Write also", _two_by_two(self.further.values()))
        add_fields(folded, [self.pattern, self.jobs, self.scheduler, self.device, self.restart])
        tip = "Further formats, which files, how many at once, where, and from the beginning."
        self.fold = fold("Advanced", tip, advanced)
        column(self, form, self.fold)

    def _connect(self) -> None:
        for folder in (self.source, self.output):
            folder.line_edit.native.editingFinished.connect(self._tell_folder)
            folder.choose_btn.changed.connect(self._tell_folder)
        for field in (self.recursive, *self.kinds.values(), *self.further.values(), self.fit):
            field.changed.connect(self._tell)
        self.pattern.native.editingFinished.connect(self.changed)
        self.scheduler.changed.connect(self._show_workers)
        self.preset.native.activated.connect(self._choose_preset)

    def _choose_preset(self, _: int) -> None:
        self.preset_line.hide()
        if self.preset.value == FROM_FILE:
            last = str(recall(PRESETS, ""))
            path, _filter = QFileDialog.getOpenFileName(self, "Settings", last, "Settings (*.json)")
            if path:
                remember(PRESETS, str(Path(path).parent))
                self.show_settings_file(Path(path))
                return
            self.preset.value = AUTO
        self.changed.emit()

    def _show_workers(self, address: str) -> None:
        """A cluster has workers of its own."""
        self.jobs.enabled = not address.strip()

    def suggest_output(self) -> None:
        """Propose a folder beside the images for the results, where none is given."""
        source = folder_in(self.source)
        if source is not None and source.is_dir() and folder_in(self.output) is None:
            self.output.value = source.absolute().with_name(f"{source.name}-labels")

    def _tell_folder(self, _: Any = None) -> None:
        self.suggest_output()
        self.changed.emit()

    def _tell(self, _: Any) -> None:
        self.changed.emit()


def folder_in(field: FileEdit) -> Path | None:
    """Read a field for a folder.

    Parameters
    ----------
    field : magicgui.widgets.FileEdit
        From `folder_field`.

    Returns
    -------
    Path or None
        What was typed, dropped or chosen, with "~" spelled out; None while the field is empty.
    """
    text = str(field.line_edit.value).strip().removeprefix("file://")
    return Path(text).expanduser() if text else None


def recall_folder(name: str, field: FileEdit) -> None:
    """Fill in the folder that was used last.

    Parameters
    ----------
    name : str
        Under which it is remembered.
    field : magicgui.widgets.FileEdit
        Stays empty where there was none, or it is not there any more.
    """
    folder = str(recall(name, ""))
    if folder and Path(folder).is_dir():
        field.line_edit.value = folder


def remember_folder(name: str, field: FileEdit) -> None:
    """Remember a folder for the next time.

    Parameters
    ----------
    name : str
        Under which `recall_folder` finds it.
    field : magicgui.widgets.FileEdit
        With a folder; an empty one is not remembered.
    """
    if (folder := folder_in(field)) is not None:
        remember(name, str(folder.absolute()))


def folder_field(name: str, tip: str) -> FileEdit:
    """Make a field for a folder with a button that looks for it.

    Parameters
    ----------
    name : str
        What a screen reader calls it.
    tip : str
        Its tooltip.

    Returns
    -------
    magicgui.widgets.FileEdit
        Empty; `folder_in` reads it.
    """
    field = FileEdit(mode="d", nullable=True, label=name, tooltip=tip)
    edit, button = field.line_edit.native, field.choose_btn.native
    edit.setAccessibleName(name)
    edit.setPlaceholderText("Choose a folder")
    edit.setToolTip(tip)
    edit.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    button.setText("")
    button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    button.setIcon(button.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon))
    button.setToolTip("Choose a folder…")
    button.setAccessibleName(f"Choose the folder for {name}")
    return field


def _two_by_two(ticks: Iterable[Any]) -> QWidget:
    """Ticks in two columns."""
    widget = QWidget()
    grid = QGridLayout(widget)
    grid.setContentsMargins(0, 0, 0, 0)
    for n, tick in enumerate(ticks):
        grid.addWidget(tick.native, n // 2, n % 2)
    return widget
