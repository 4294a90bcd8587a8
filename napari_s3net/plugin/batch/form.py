"""What a batch is asked to do, as a form. Shows and tells; decides nothing."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_s3net.batch import KINDS, Plan
from napari_s3net.batch.plan import USUAL
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.plugin.widgets.choosers import Chooser, Fold, quiet_label
from napari_s3net.plugin.widgets.settings_form import QuietWheel
from napari_s3net.plugin.widgets.text import device_label
from napari_s3net.runtime.memory import cores
from napari_s3net.settings import presets, read_changes

AUTO, FROM_FILE = "auto", "file"


class FolderField(QWidget):
    """A path that can be typed, dropped or chosen."""

    changed = Signal()

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.edit = QLineEdit()
        self.edit.setAccessibleName(name)
        self.edit.setPlaceholderText("Choose a folder")
        self.edit.setToolTip(tip)
        self.edit.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button = QToolButton()
        self.button.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon))
        self.button.setToolTip("Choose a folder…")
        self.button.setAccessibleName(f"Choose the folder for {name}")
        self.button.clicked.connect(self._choose)
        self.edit.editingFinished.connect(self.changed)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 0, 0)
        layout.addWidget(self.button, 0, 1)

    @property
    def path(self) -> Path | None:
        """The folder; None while the field is empty."""
        text = self.edit.text().strip().removeprefix("file://")
        return Path(text).expanduser() if text else None

    def show_path(self, path: Path) -> None:
        """Fill in a folder."""
        self.edit.setText(str(path))
        self.changed.emit()

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self._name, self.edit.text())
        if chosen:
            self.show_path(Path(chosen))


class BatchForm(QWidget):
    """The upper half of the dock."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = FolderField("Input", "The folder with the images, or with DICOM series.")
        self.output = FolderField("Output", "The folder for the results. Chosen again, the batch goes on where it was.")
        self.source_line, self.output_line = quiet_label(), quiet_label()
        self.preset = Chooser("Settings", "Ready-made settings, or those of a file such as an earlier result's.")
        self.preset.addItem("Auto: by the image", AUTO)
        for name, one in presets.items():
            self.preset.addItem(one.label, name)
        self.preset.addItem("From a file…", FROM_FILE)
        self.preset_line = quiet_label()
        self.preset_line.hide()
        self._file: Path | None = None
        self.fit = Chooser("Model", "Image by image, or one model that learns what the images have in common.")
        for name, text in (("image", "One for each image"), ("folder", "One for all images")):
            self.fit.addItem(text, name)
        self.recursive = QCheckBox("Folders within as well")
        texts = {
            "labels": ("Labels", "Every cluster with its number."),
            "masks": ("Masks", "The object alone."),
            "overlays": ("Overlays", "The image with the object's outline."),
            "measurements": ("Table", "measurements.csv: sizes, shapes and colours, a row a region."),
        }
        self.kinds = {kind: QCheckBox(texts[kind][0]) for kind in KINDS}
        for kind, box in self.kinds.items():
            box.setChecked(kind in USUAL)
            tip = texts[kind][1]
            box.setToolTip(tip)
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("all images")
        self.pattern.setToolTip('Only files whose name matches, such as "*.jpg" or "IMD*".')
        self.jobs, self.scheduler = self._jobs_field(), self._scheduler_field()
        self.device = Chooser("Compute", "What the work is done on.")
        for name in ("auto", "cpu"):
            self.device.addItem(device_label(name), name)
        self.restart = QCheckBox("Begin anew")
        self.restart.setToolTip("Forget what was done before. Corrected labels stay.")
        self._lay_out()
        self._connect()

    def plan(self) -> Plan | None:
        """What was asked for; None while a folder is missing.

        Raises
        ------
        InvalidSettingsError
            If the settings cannot be used.
        """
        if self.source.path is None or self.output.path is None:
            return None
        preset, changes = str(self.preset.currentData()), dict[str, Any]()
        if preset == FROM_FILE:
            if self._file is None:
                raise InvalidSettingsError("Choose a settings file, or a preset.")
            preset, changes = "generic", read_changes(self._file)
        return Plan(
            source=self.source.path,
            output=self.output.path,
            preset=preset,
            changes=changes,
            pattern=self.pattern.text().strip(),
            recursive=self.recursive.isChecked(),
            write=tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
            fit=str(self.fit.currentData()),
            device=str(self.device.currentData()),
        )

    def show_settings_file(self, path: Path) -> None:
        """Take the settings of a file."""
        self._file = path
        self.preset.setCurrentIndex(self.preset.findData(FROM_FILE))
        self.preset_line.setText(path.name)
        self.preset_line.setVisible(True)
        self.changed.emit()

    @property
    def scheduler_address(self) -> str:
        """Of the cluster that is to do the work; empty for this machine."""
        return self.scheduler.text().strip() if self.scheduler.isEnabled() else ""

    def _jobs_field(self) -> QSpinBox:
        field = QSpinBox()
        field.setRange(1, max(2, cores()))
        field.setAccessibleName("At once")
        field.installEventFilter(QuietWheel(field))
        _with_dask(field, "How many files are worked on at once. One core each.")
        return field

    def _scheduler_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText("this computer")
        field.setAccessibleName("Cluster")
        _with_dask(field, "Address of a running Dask scheduler, such as tcp://host:8786, whose workers do the work.")
        return field

    def _lay_out(self) -> None:
        grid = _grid()
        lines = [
            ("Input", self.source),
            ("", self.source_line),
            ("", self.recursive),
            ("Output", self.output),
            ("", self.output_line),
            ("Settings", self.preset),
            ("", self.preset_line),
            ("Model", self.fit),
            ("Write", self._kinds()),
        ]
        _fill(grid, lines)
        folded = QWidget()
        inner = _grid(folded)
        lines = [("Files", self.pattern), ("At once", self.jobs), ("Cluster", self.scheduler)]
        _fill(inner, [*lines, ("Compute", self.device), ("Again", self.restart)])
        self.fold = Fold("Advanced", folded)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(grid)
        layout.addWidget(self.fold)

    def _kinds(self) -> QWidget:
        """What may be written, two by two."""
        widget = QWidget()
        grid = _grid(widget)
        for n, box in enumerate(self.kinds.values()):
            grid.addWidget(box, n // 2, n % 2)
        return widget

    def _connect(self) -> None:
        for field in (self.source, self.output):
            field.changed.connect(self.changed)
        for box in (self.recursive, *self.kinds.values()):
            box.toggled.connect(self._tell)
        self.pattern.editingFinished.connect(self.changed)
        self.scheduler.textChanged.connect(lambda text: self.jobs.setEnabled(not text.strip()))
        self.preset.activated.connect(self._choose_preset)
        self.fit.activated.connect(self._tell)

    def _choose_preset(self, _: int) -> None:
        self.preset_line.hide()
        if self.preset.currentData() == FROM_FILE:
            path, _filter = QFileDialog.getOpenFileName(self, "Settings", "", "Settings (*.json)")
            if path:
                self.show_settings_file(Path(path))
                return
            self.preset.setCurrentIndex(0)
        self.changed.emit()

    def _tell(self, *_: Any) -> None:
        self.changed.emit()


def _with_dask(field: QWidget, tip: str) -> None:
    """A field that needs Dask, or says so."""
    there = find_spec("distributed") is not None
    field.setEnabled(there)
    field.setToolTip(tip if there else "Several workers need Dask: pip install 'napari-s3net[cluster]'")


def _grid(parent: QWidget | None = None) -> QGridLayout:
    grid = QGridLayout(parent) if parent is not None else QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setVerticalSpacing(3)
    grid.setHorizontalSpacing(6)
    grid.setColumnStretch(1, 1)
    return grid


def _fill(grid: QGridLayout, lines: list[tuple[str, QWidget]]) -> None:
    for n, (name, field) in enumerate(lines):
        if name:
            label = QLabel(name)
            label.setBuddy(field)
            grid.addWidget(label, n, 0)
        grid.addWidget(field, n, 1)
