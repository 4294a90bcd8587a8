"""What all settings share: fields that carry range, step, unit, label and help, and the checks made from these.

Four readers use the metadata: validation here, the forms in the docks, `--set` of the command line, and the table that
`napari-s3net settings` prints.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from typing import Any, Self

from napari_s3net.errors import InvalidSettingsError


def setting(
    default: Any,
    label: str,
    help: str,  # noqa: A002
    *,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    unit: str = "",
    choices: tuple[str, ...] = (),
    basic: bool = False,
) -> Any:
    """Make a dataclass field with what its readers need.

    Parameters
    ----------
    default : bool, int, float or str
        Its type is that of the setting.
    label, help : str
        A few words, and a sentence.
    low, high, step : float, optional
        Of a number: the ends of its range, and by how much a form moves it.
    unit : str, optional
        Of a number.
    choices : tuple of str, optional
        Of a word: what it may be.
    basic : bool
        Shown unfolded in the dock.

    Returns
    -------
    dataclasses.Field
        With all of this in its metadata.
    """
    metadata = {
        "label": label,
        "help": help,
        "low": low,
        "high": high,
        "step": step,
        "unit": unit,
        "choices": choices,
        "basic": basic,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class CheckedSettings:
    """Base of the frozen dataclasses whose fields are made by `setting`.

    `replace` returns a changed copy. A value of a wrong type or out of range raises `InvalidSettingsError`.
    """

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, _checked(f.name, getattr(self, f.name), f.default, f.metadata))
        self.check_together()

    def check_together(self) -> None:
        """Check what one field alone cannot tell; nothing, where a class does not say otherwise."""

    @classmethod
    def describe(cls) -> list[dict[str, Any]]:
        """Describe the settings for forms, flags and tables.

        Returns
        -------
        list of dict
            One for each setting: "name", "type", "default", and its metadata: label, help, range, step, unit, choices.
        """
        return [
            {"name": f.name, "type": type(f.default).__name__, "default": f.default, **f.metadata} for f in fields(cls)
        ]

    @classmethod
    def parse(cls, name: str, text: str) -> Any:
        """Turn the text of a command-line flag into the setting's own type; its range is not checked here.

        Parameters
        ----------
        name : str
            The setting.
        text : str
            As it was typed.

        Returns
        -------
        bool, int, float or str
            The value.

        Raises
        ------
        InvalidSettingsError
            If there is no such setting or the text is not a value of its type.
        """
        cls._check_names([name])
        default: Any = getattr(cls, name)
        if isinstance(default, bool):
            if text.lower() not in ("true", "false", "yes", "no", "1", "0", "on", "off"):
                raise InvalidSettingsError(f"{name} is yes or no; got {text!r}.")
            return text.lower() in ("true", "yes", "1", "on")
        if isinstance(default, str):
            return text
        try:
            return type(default)(text)
        except ValueError:
            kind = "a whole number" if isinstance(default, int) else "a number"
            raise InvalidSettingsError(f"{name} is {kind}; got {text!r}.") from None

    @classmethod
    def parse_changes(cls, texts: Iterable[str]) -> dict[str, Any]:
        """Read what follows `--set` on a command line.

        Parameters
        ----------
        texts : iterable of str
            Each `key=value`.

        Returns
        -------
        dict of str to Any
            Values by name, in the settings' own types; their ranges are not checked here.

        Raises
        ------
        InvalidSettingsError
            If one has no equals sign, no setting's name, or no value of its type.
        """
        changes: dict[str, Any] = {}
        for text in texts:
            key, equals, value = text.partition("=")
            if not equals:
                raise InvalidSettingsError(f"--set takes key=value; got {text!r}. Name the inputs before it.")
            changes[key] = cls.parse(key, value)
        return changes

    def replace(self, **changes: Any) -> Self:
        """Copy the settings with some changed.

        Parameters
        ----------
        **changes
            Names with their new values.

        Returns
        -------
        Self
            Checked as a whole.

        Raises
        ------
        InvalidSettingsError
            If there is no setting of a name, or a value has a wrong type or is out of range.
        """
        self._check_names(changes)
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values, ready for JSON.

        Returns
        -------
        dict of str to Any
            Every setting by its name.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave.

        Parameters
        ----------
        values : mapping of str to Any
            What is missing takes its default.

        Returns
        -------
        Self
            Checked as a whole.

        Raises
        ------
        InvalidSettingsError
            If it is no mapping, there is no setting of a name, or a value has a wrong type or is out of range.
        """
        if not isinstance(values, Mapping):
            raise InvalidSettingsError(f"Expected settings as names with values; got {type(values).__name__}.")
        return cls().replace(**values)

    @classmethod
    def _check_names(cls, names: Iterable[str]) -> None:
        known = {f.name for f in fields(cls)}
        for name in names:
            if name not in known:
                raise InvalidSettingsError(f"There is no setting {name!r}. Settings are: {', '.join(sorted(known))}.")


def _checked(name: str, value: Any, default: Any, metadata: Mapping[str, Any]) -> Any:
    """The value in its setting's type, or `InvalidSettingsError`."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise InvalidSettingsError(f"{name} is true or false; got {value!r}.")
        return value
    if isinstance(default, str):
        if value not in metadata["choices"]:
            raise InvalidSettingsError(f"{name} is one of {', '.join(metadata['choices'])}; got {value!r}.")
        return value
    whole, kind = isinstance(default, int), "a whole number" if isinstance(default, int) else "a number"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidSettingsError(f"{name} is {kind}; got {value!r}.")
    number = float(value)
    if not math.isfinite(number) or (whole and not number.is_integer()):
        raise InvalidSettingsError(f"{name} is {kind}; got {value!r}.")
    low, high, unit = metadata["low"], metadata["high"], metadata["unit"]
    if not low <= number <= high:
        raise InvalidSettingsError(f"{name} lies between {low:g} and {high:g} {unit}".rstrip() + f"; got {number:g}.")
    return int(number) if whole else number
