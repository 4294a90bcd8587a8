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
    """Fields for some of the settings.

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

    def __init__(self, *, basic: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields = {one["name"]: setting_field(one) for one in Settings.describe() if one["basic"] == basic}
        #: What each field showed when it was filled, and the value that it was filled with.
        self._filled: dict[str, tuple[Any, Any]] = {}
        add_fields(form_layout(self), list(self.fields.values()))
        for field in self.fields.values():
            field.changed.connect(self._tell)

    def values(self) -> dict[str, Any]:
        """What the fields hold.

        Returns
        -------
        dict
            By the settings' names. A value that was filled in and not changed is exact, even where it is shown rounded.
        """
        values = {}
        for name, field in self.fields.items():
            shown, exact = self._filled.get(name, (None, None))
            values[name] = exact if field.value == shown else field.value
        return values

    def show_settings(self, settings: Settings) -> None:
        """Fill the fields; `changed` is emitted once.

        Parameters
        ----------
        settings : Settings
            All of them.
        """
        for name, field in self.fields.items():
            exact = getattr(settings, name)
            with field.changed.blocked():
                field.value = exact
            self._filled[name] = field.value, exact
        self.changed.emit()

    def _tell(self, _: Any) -> None:
        self.changed.emit()
