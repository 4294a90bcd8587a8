"""Settings that outlive the dock: what was changed of a preset, and which one was chosen for a kind of image."""

from __future__ import annotations

from qtpy.QtCore import QObject

from napari_s3net.errors import S3NetError
from napari_s3net.plugin.widgets.choosers import Choosers
from napari_s3net.plugin.widgets.own_presets import OWN, own_presets
from napari_s3net.plugin.widgets.remembered import recall, remember
from napari_s3net.settings import Settings


class SettingsMemory(QObject):
    """Remembers what is done with the choosers; changed settings are told by their line.

    Parameters
    ----------
    choosers : Choosers
        Gets the user's own presets.
    parent : QObject
        The dock.
    """

    def __init__(self, choosers: Choosers, parent: QObject) -> None:
        super().__init__(parent)
        self._choosers = choosers
        choosers.show_own_presets(own_presets())
        choosers.settings_edited.connect(self._remember)
        choosers.presets.taken.connect(self._take)
        choosers.presets.dropped.connect(self._drop)

    def chosen_for(self, suggested: str) -> str:
        """Which preset an image of some kind gets.

        Parameters
        ----------
        suggested : str
            The shipped preset that suits the image.

        Returns
        -------
        str
            The key of the user's own preset that was chosen for such an image last; without one, `suggested`.
        """
        key = str(recall(f"preset/{suggested}", suggested))
        return key if key in self._choosers.preset.choices else suggested

    def choose(self, suggested: str, key: str) -> None:
        """Remember a choice; a shipped preset is chosen for one image only.

        Parameters
        ----------
        suggested : str
            The shipped preset that suits the image; empty without an image.
        key : str
            What the user has chosen.
        """
        if suggested:
            remember(f"preset/{suggested}", key if key.startswith(OWN) else suggested)

    def settings_of_chosen(self) -> Settings:
        """The settings of the preset that is chosen, with what the user has changed of it.

        Returns
        -------
        Settings
            Without changes where they were remembered by another version, which knew other settings.
        """
        settings, changes = self._choosers.preset_settings(), recall(_name(self._choosers.preset_key), {})
        try:
            return settings.replace(**changes)
        except (S3NetError, TypeError):
            return settings

    def _remember(self) -> None:
        try:
            values = self._choosers.settings().to_dict()
        except S3NetError:
            return  # two fields contradict each other for now
        of_preset = self._choosers.preset_settings().to_dict()
        changes = {name: value for name, value in values.items() if value != of_preset[name]}
        remember(_name(self._choosers.preset_key), changes)

    def _take(self, name: str) -> None:
        """A preset was saved or imported: it is chosen, as it is."""
        remember(_name(self._choosers.preset_key), {})  # what was changed is in the new one now
        remember(_name(OWN + name), {})
        self._choosers.show_own_presets(own_presets())
        self._choosers.show_preset(OWN + name, "")
        self._choosers.preset_chosen.emit(OWN + name)

    def _drop(self) -> None:
        """The chosen preset was deleted: the one that it started from takes its place."""
        base = self._choosers.preset_name
        self._choosers.show_own_presets(own_presets())
        self._choosers.preset_chosen.emit(base)


def _name(key: str) -> str:
    return f"settings/{key}"
