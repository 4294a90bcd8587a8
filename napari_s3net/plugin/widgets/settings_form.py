"""A form for settings, made from their own metadata: ranges, steps, units, and help as tooltips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magicgui.widgets.bases import ValueWidget
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_s3net.plugin.widgets.fields import add_fields, form_layout, make_field
from napari_s3net.plugin.widgets.text import unit_text
from napari_s3net.settings import Settings


def setting_field(setting: Mapping[str, Any], **options: Any) -> ValueWidget[Any]:
    """Make the field of a setting: a number, a choice or a tick.

    Parameters
    ----------
    setting : mapping
        As `describe` of a settings class gives it.
    **options
        Of `make_field`, in the place of the setting's own.

    Returns
    -------
    magicgui.widgets.bases.ValueWidget
        With the setting's default, limits, step, unit and help.
    """
    own: dict[str, Any] = {}
    if setting["choices"]:
        own = {"choices": list(setting["choices"])}
    elif setting["type"] in ("int", "float"):
        own = {"min": setting["low"], "max": setting["high"], "step": setting["step"]}
        own["unit"] = unit_text(setting["unit"], setting["label"])
    return make_field(
        setting["default"], setting["label"], setting["help"], **{"name": setting["name"], **own, **options}
    )


class SettingsForm(QWidget):
    """Fields for some of the settings, made when they are first needed: those that are folded take long, unseen.

    Parameters
    ----------
    basic : bool
        Those that most people see, or all the others.

    Signals
    -------
    changed()
        A field holds something else.
    """

    changed = Signal()

    def __init__(self, *, basic: bool) -> None:
        super().__init__()
        self._described = [one for one in Settings.describe() if one["basic"] == basic]
        self._layout = form_layout(self)
        self._fields: dict[str, ValueWidget[Any]] = {}
        #: What each field showed when it was filled, None while there is none, and the value that it was filled with.
        self._filled: dict[str, tuple[Any, Any]] = {one["name"]: (None, one["default"]) for one in self._described}

    @property
    def fields(self) -> dict[str, ValueWidget[Any]]:
        """The fields by the settings' names."""
        self.make()
        return self._fields

    @property
    def labels(self) -> dict[str, str]:
        """What the fields are called, by the settings' names."""
        return {one["name"]: one["label"] for one in self._described}

    def make(self, _: bool = True) -> None:
        """Make the fields, unless they are there."""
        if self._fields:
            return
        self._fields = {one["name"]: setting_field(one) for one in self._described}
        add_fields(self._layout, list(self._fields.values()))
        for name, (_shown, exact) in self._filled.items():
            self._fill(name, exact)
            self._fields[name].changed.connect(self._tell)

    def values(self) -> dict[str, Any]:
        """What the fields hold.

        Returns
        -------
        dict
            By the settings' names. A value that was filled in and not changed is exact, even where it is shown rounded.
        """
        fields = self._fields
        return {
            name: exact if name not in fields or fields[name].value == shown else fields[name].value
            for name, (shown, exact) in self._filled.items()
        }

    def show_settings(self, settings: Settings) -> None:
        """Fill the fields; `changed` is emitted once.

        Parameters
        ----------
        settings : Settings
            All of them.
        """
        for name in self._filled:
            self._fill(name, getattr(settings, name))
        self.changed.emit()

    def _fill(self, name: str, exact: Any) -> None:
        shown = None
        if (field := self._fields.get(name)) is not None:
            with field.changed.blocked():
                field.value = exact
            shown = field.value
        self._filled[name] = shown, exact

    def _tell(self, _: Any) -> None:
        self.changed.emit()
