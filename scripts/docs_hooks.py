"""Pages of the documentation that are made from the program while the site is built: `mkdocs.yml` names this file.

Settings, commands and the API are told where they are defined, so that no page of them can be out of date.
"""

from __future__ import annotations

import json
import textwrap
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import napari_s3net
from napari_s3net.cli import _parser
from napari_s3net.cli.settings import _range, _text
from napari_s3net.learning.settings import SIZES, LearnSettings, learn_settings
from napari_s3net.setting_fields import CheckedSettings
from napari_s3net.settings import Settings, presets
from napari_s3net.training.teach_settings import TeachSettings

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "photograph.ipynb"
#: What belongs to the API beside the names that the package itself has: page by page, in the order of work.
FURTHER = {
    "Files": ("napari_s3net.io.read_labels", "napari_s3net.io.series_in"),
    "Tools on labels": ("napari_s3net.labels.edit", "napari_s3net.labels.measure", "napari_s3net.labels.metrics"),
    "Folders": ("napari_s3net.batch.Plan", "napari_s3net.batch.iter_batch", "napari_s3net.batch.FileRow"),
    "Synthetic images": ("napari_s3net.phantom.dermoscopy", "napari_s3net.phantom.chest_ct"),
    "Errors": ("napari_s3net.errors",),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, and the icon."""
    pages = {
        "reference/settings.md": settings_page(),
        "reference/commands.md": commands_page(),
        "reference/api.md": api_page(),
        "tutorials/notebook.md": notebook_page(),
        "contributing.md": of_the_project("CONTRIBUTING.md"),
        "security.md": of_the_project("SECURITY.md"),
        "changelog.md": of_the_project("CHANGELOG.md"),
        "pictures/icon.svg": (ROOT / "napari_s3net" / "icon.svg").read_text(encoding="utf-8"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def of_the_project(name: str) -> str:
    """A page that lies beside the README, with its links as they are from here."""
    return (ROOT / name).read_text(encoding="utf-8").replace("(docs/", "(")


# -- settings


def settings_page() -> str:
    """Every setting of every command, with its range and what it does."""
    columns = {name: preset.settings for name, preset in presets.items()}
    labels = "\n".join(f"| `{name}` | {preset.label} | {preset.help} |" for name, preset in presets.items())
    sizes = {name: learn_settings(name) for name in SIZES}
    return f"""# Settings

Made from the program. On the command line each is given as `--set NAME=VALUE`. `napari-s3net settings` prints those of
a segmentation, `napari-s3net settings --of learn` those of learning, and `napari-s3net settings --json` a file for
`--settings`. In the Segment dock those of a segmentation stand above *Run*, most of them under *More settings*.

## Presets

| name | for | what |
|---|---|---|
{labels}

## Of a segmentation

{settings_table(Settings, columns)}

## Of learning from corrections

`napari-s3net learn --size small` (the default) or `standard`; `--set NAME=VALUE` changes one.

{settings_table(LearnSettings, sizes)}

## Of teaching on synthetic images

Of `napari-s3net teach`, which makes the weights that come with the program anew. It has no `--set`, but
[flags](commands.md#teach) for some of them.

{settings_table(TeachSettings, {"default": TeachSettings()})}
"""


def settings_table(kind: type[CheckedSettings], columns: dict[str, Any]) -> str:
    """One kind of settings: a row a setting, a column a preset where it is not the same in all."""
    values = {name: settings.to_dict() for name, settings in columns.items()}
    lines = ["| setting | value | range | what it does |", "|---|---|---|---|"]
    for row in kind.describe():
        name = row["name"]
        of_all = {preset: _text(of_one[name]) for preset, of_one in values.items()}
        usual = _text(row["default"])
        other = "".join(f"<br>{preset}: {value}" for preset, value in of_all.items() if value != usual)
        lines.append(f"| `{name}` | {usual}{other} | {cell(_range(row))} | {cell(row['help'])} |")
    return "\n".join(lines)


def cell(words: str) -> str:
    """Words that a cell of a table can hold."""
    return words.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


# -- commands


def commands_page() -> str:
    """Every command with its flags, as its own help says."""
    (commands,) = (action for action in _parser()._actions if isinstance(action, _SubParsersAction))
    parts = [
        "# Commands",
        (
            "Made from the program: `napari-s3net COMMAND --help` says the same. The exit code is 0 when all is done, "
            "1 when some inputs failed (each says why in one line), 2 for wrong use, and 130 after Ctrl-C."
        ),
    ]
    parts += [command_section(name, parser) for name, parser in commands.choices.items()]
    return "\n\n".join(parts) + "\n"


def command_section(name: str, parser: ArgumentParser) -> str:
    """What a command does, how it is called, and its flags."""
    formatter = parser._get_formatter()
    lines = ["| flag | what |", "|---|---|"]
    for action in parser._actions:
        if action.dest == "help":
            continue
        given = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
        word = " ".join(filter(None, (", ".join(action.option_strings), given)))
        told = formatter._expand_help(action) if action.help else ""
        missing = [str(value) for value in action.choices or () if str(value) not in told]
        values = f" ({', '.join(map(str, action.choices))})" if action.choices and missing else ""
        lines.append(f"| `{word}` | {cell(told + values)} |")
    usage = textwrap.fill(" ".join(parser.format_usage().removeprefix("usage: ").split()), 96, subsequent_indent="    ")
    return f"## {name}\n\n{parser.description}\n\n```text\n{usage}\n```\n\n" + "\n".join(lines)


# -- API


def api_page() -> str:
    """The public names of the package, then what is further of use."""
    parts = [
        "# From Python",
        (
            "Made from the docstrings. `from napari_s3net import segment` and the other names of this first part are "
            "the way in; arrays are (H, W), (H, W, 3) or (Z, H, W), spacing is z, y, x in mm."
        ),
    ]
    parts += [entry(f"napari_s3net.{home}.{name}") for name, home in napari_s3net._HOMES.items()]
    for title, names in FURTHER.items():
        parts += [f"## {title}", *(entry(name, level=3) for name in names)]
    return "\n\n".join(parts) + "\n"


def entry(name: str, level: int = 2) -> str:
    """What mkdocstrings puts the docstring of a name in the place of."""
    return f"::: {name}\n    options:\n      heading_level: {level}"


# -- the notebook


def notebook_page() -> str:
    """The notebook of `examples`, cell by cell, with what its cells print and show."""
    parts = []
    for number, one in enumerate(json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]):
        text = "".join(one["source"]).replace("(../docs/", "(../")
        if one["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        picture, printed = (ROOT / "docs" / "pictures" / f"notebook-{number}.{kind}" for kind in ("png", "txt"))
        if printed.is_file():
            parts.append(f"```text\n{printed.read_text(encoding='utf-8').strip()}\n```")
        if picture.is_file():
            parts.append(f"![What the cell shows](../pictures/{picture.name})")
    return "\n\n".join(parts) + "\n"
