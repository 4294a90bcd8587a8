"""Preset, settings and device, as several commands take them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import parse_value, presets, read_changes


def add_settings(parser: ArgumentParser) -> None:
    """Declare the flags."""
    add = parser.add_argument
    add("--preset", default="auto", metavar="NAME", help=f"{', '.join(presets)}; auto: by the image (default)")
    add("--seed", type=int, metavar="N", help="another seed, another start (default 0)")
    add("--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 or mps")
    add("--settings", type=Path, metavar="FILE", help="settings from a JSON file, such as an earlier result's")
    add("--set", nargs="+", action="extend", default=[], metavar="key=value", help="single settings, after the inputs")


def changes_of(options: Namespace) -> dict[str, Any]:
    """Settings unlike the preset's: from the file, from `--set`, from `--seed`; the later wins.

    Raises
    ------
    InvalidSettingsError
        If the file holds no settings, or `--set` no names and values.
    """
    changes = read_changes(options.settings) if options.settings else {}
    for text in options.set:
        key, equals, value = text.partition("=")
        if not equals:
            raise InvalidSettingsError(f"--set takes key=value; got {text!r}. Name the inputs before it.")
        changes[key] = parse_value(key, value)
    return changes if options.seed is None else {**changes, "seed": options.seed}
