"""The menu beside the list of presets: to name settings, delete them, and share them as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.widgets.own_presets import drop_preset, keep_preset, own_presets, write_preset
from napari_s3net.plugin.widgets.parts import more_button
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.preset_files import OwnPreset, read_preset
from napari_s3net.settings import Settings

FILTER = "Presets (*.json)"
FOLDER = "presets/folder"


class PresetMenu(QWidget):
    """A button "⋯" with what can be done with presets.

    Parameters
    ----------
    in_form : callable
        The shipped preset and the settings that the form holds now.

    Signals
    -------
    taken(str)
        There is a preset of that name now, and it is to be chosen.
    dropped()
        The chosen preset is not there any more.
    failed(str)
        Why something could not be done.
    """

    taken = Signal(str)
    dropped = Signal()
    failed = Signal(str)

    def __init__(self, in_form: Callable[[], tuple[str, Settings]]) -> None:
        super().__init__()
        self.hide()  # only its button is shown
        self._in_form = in_form
        self._chosen: OwnPreset | None = None
        self.button, self.menu = more_button(
            "Presets",
            "Name the settings as they are now, so that they can be chosen again; share them as a file.",
            save="Save as preset…",
            export="Export to a file…",
            take="Import from a file…",
            drop="Delete this preset",
        )
        self.menu.triggered.connect(self._do)
        self.show_chosen(None)

    def show_chosen(self, preset: OwnPreset | None) -> None:
        """Allow to delete what is chosen, where it is the user's own.

        Parameters
        ----------
        preset : OwnPreset or None
            The chosen one; None for a shipped one.
        """
        self._chosen = preset
        action = next(one for one in self.menu.actions() if one.objectName() == "drop")
        action.setEnabled(preset is not None)
        action.setText(f"Delete {preset.label}" if preset is not None else "Delete this preset")

    def keep(self, name: str) -> None:
        """Name the settings in the form, in the place of those of the same name.

        Parameters
        ----------
        name : str
            Of the preset.

        Raises
        ------
        S3NetError
            If the name is none, the settings contradict each other, or nothing can be written.
        """
        keep_preset(OwnPreset(name, *self._in_form()))
        self.taken.emit(name)

    def _do(self, action: object) -> None:
        try:
            getattr(self, f"_{action.objectName()}")()  # type: ignore[attr-defined]
        except (S3NetError, OSError) as error:
            self.failed.emit(str(error))

    def _save(self) -> None:
        before = self._chosen.label if self._chosen is not None else ""
        name, given = QInputDialog.getText(self.button, "Save as preset", "Name of the preset:", text=before)
        name = name.strip()
        if given and (name == before or self._may_replace(name)):
            self.keep(name)

    def _export(self) -> None:
        base, settings = self._in_form()
        preset = OwnPreset(self._chosen.label if self._chosen is not None else "Shared settings", base, settings)
        start = str(Path(recall(FOLDER, "")) / f"{preset.label}.json")
        path, _ = QFileDialog.getSaveFileName(self.button, "Export preset", start, FILTER)
        if path:
            write_preset(Path(path), preset)
            remember(FOLDER, str(Path(path).parent))

    def _take(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self.button, "Import preset", recall(FOLDER, ""), FILTER)
        if path:
            remember(FOLDER, str(Path(path).parent))
            preset = read_preset(Path(path))
            if self._may_replace(preset.label):
                keep_preset(preset)
                self.taken.emit(preset.label)

    def _drop(self) -> None:
        if self._chosen is not None:
            drop_preset(self._chosen.label)
            self.dropped.emit()

    def _may_replace(self, name: str) -> bool:
        """Ask before a preset of the same name is lost."""
        if name not in own_presets():
            return True
        question = f"There is a preset {name} already. Replace it?"
        return bool(QMessageBox.question(self.button, "Presets", question) == QMessageBox.StandardButton.Yes)
