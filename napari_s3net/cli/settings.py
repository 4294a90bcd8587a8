"""List every setting with its value, range, unit and help."""

from __future__ import annotations

import json
import shutil
import textwrap
from argparse import ArgumentParser, Namespace
from typing import Any

from napari_s3net.cli.output import write_out
from napari_s3net.learning.settings import SIZES, learn_settings
from napari_s3net.setting_fields import CheckedSettings
from napari_s3net.settings import Settings, preset_settings, presets


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what `run` reads."""
    names = ", ".join(f"{name} ({p.label})" for name, p in presets.items())
    parser.add_argument("--of", choices=("segment", "learn"), default="segment", help="of which command (segment)")
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help=f"values of this preset: {names}; of learn: {', '.join(SIZES)}; else the defaults",
    )
    parser.add_argument("--json", action="store_true", help="only names and values, as `segment --settings` reads them")


def run(options: Namespace) -> int:
    """Print the settings to stdout, as a table or as JSON.

    Returns
    -------
    int
        0.

    Raises
    ------
    InvalidSettingsError
        If there is no such preset.
    """
    settings = settings_of(options.of, options.preset)
    values = settings.to_dict()
    if options.json:
        write_out(json.dumps(values, indent=2) + "\n")
        return 0
    heads = ("setting", "value", "range")
    rows = [(row["name"], _text(values[row["name"]]), _range(row), row["help"]) for row in settings.describe()]
    widths = [max(map(len, (head, *column))) + 2 for head, column in zip(heads, zip(*rows, strict=True), strict=False)]
    indent = " " * sum(widths)
    room = max(30, shutil.get_terminal_size((120, 24)).columns - len(indent))
    lines = []
    for *cells, text in ((*heads, "meaning"), *rows):
        start = "".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        lines.append(textwrap.indent("\n".join(textwrap.wrap(text, room)), indent).replace(indent, start, 1) + "\n")
    write_out("".join(lines))
    return 0


def settings_of(command: str, preset: str | None) -> CheckedSettings:
    """Look up the settings of a command.

    Parameters
    ----------
    command : {"segment", "learn"}
        Whose settings.
    preset : str or None
        A preset's name, or one of the ready-made sizes of learning; None for the defaults.

    Returns
    -------
    CheckedSettings
        Of the command's own kind.

    Raises
    ------
    InvalidSettingsError
        If there is no such preset or size.
    """
    if command == "learn":
        return learn_settings(preset or "small")
    return preset_settings(preset) if preset else Settings()


def _text(value: Any) -> str:
    """A value as it is typed after `--set NAME=`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _range(row: dict[str, Any]) -> str:
    """What a setting may be, with its unit."""
    if row["type"] == "bool":
        return "yes, no"
    if row["choices"]:
        return ", ".join(row["choices"])
    return f"{row['low']:.10g} to {row['high']:.10g} {row['unit']}".rstrip()
