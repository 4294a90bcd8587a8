"""What the documentation tells a reader to type is there: commands and their flags, scripts, make targets, Python."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from napari_s3net.batch.tables import HEADER
from napari_s3net.cli import _parser
from napari_s3net.training.taught import load_shipped

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
}
(COMMANDS,) = (action.choices for action in _parser()._actions if action.choices)
TUTORIALS = ("photograph", "ct-slice", "correct", "ct-volume", "folder", "learn")


def fenced(text: str, *languages: str) -> list[str]:
    """The blocks of code of a page that are in one of these languages, without what they are indented by."""
    return [
        body for language, body in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.S | re.M) if language in languages
    ]


def typed(text: str) -> list[str]:
    """Every line that a page shows to be typed: of its blocks, and in the midst of a sentence."""
    lines = [line for block in fenced(text, "bash", "") for line in block.splitlines()]
    lines += re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.S))
    return [" ".join(re.sub(r"^[\w-]+\$ ", "", line.strip()).split("#")[0].split()) for line in lines]


def starting(word: str) -> list[tuple[str, str]]:
    """Every line that begins so, with its page; where only the word itself stands, it is a name and no line."""
    return sorted({(page, line) for page, text in PAGES.items() for line in typed(text) if line.startswith(word + " ")})


@pytest.mark.parametrize(("page", "line"), starting("napari-s3net"))
def test_command_lines_parse(page, line):
    # "IMAGE…" is one or more, "ideal|kaf" either of both
    words = [word.replace("…", "").split("|")[0] for word in line.split()[1:]]
    assert words[0] in COMMANDS, "no such command"
    if len(words) == 1:  # named in a sentence
        return
    assert callable(_parser().parse_args(words).run)


@pytest.mark.parametrize(("page", "line"), starting("python"))
def test_scripts_and_their_flags_exist(page, line):
    name = line.split()[1]
    if not name.startswith("scripts/"):
        return
    source = (ROOT / name).read_text(encoding="utf-8")
    assert all(f'"{flag}"' in source for flag in re.findall(r" (--[a-z-]+)", line))


@pytest.mark.parametrize(("page", "line"), starting("make"))
def test_make_targets_exist(page, line):
    target = next(word for word in line.split()[1:] if "=" not in word)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if fenced(text, "python")])
def test_what_python_blocks_import_exists(page):
    for block in fenced(PAGES[page], "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("napari_s3net"):
                for name in node.names:
                    assert hasattr(import_module(node.module), name.name) or import_module(f"{node.module}.{name.name}")


def test_every_flag_and_column_of_a_batch_is_told():
    page = PAGES["docs/batch.md"]
    flags = {action.option_strings[-1] for action in COMMANDS["batch"]._actions if action.option_strings}
    assert not {flag for flag in flags - {"--help"} if f"`{flag}" not in page}
    told = re.findall(r"`([a-z_0-9…]+)`", page[page.index("## What the columns mean") :])
    patterns = [re.compile(name.replace("…", "[a-z]+")) for name in told]
    assert not [column for column in HEADER if not any(pattern.fullmatch(column) for pattern in patterns)]


@pytest.mark.parametrize("kind", ["skin", "skin-64"])
def test_the_size_of_networks_is_told(kind):
    network, card = load_shipped(kind)
    page = PAGES["docs/weights.md"]
    about = page[page.index(f"weights/{kind}.safetensors") :].split("\n\n")[1]
    assert f"{sum(p.numel() for p in network.parameters()):,} parameters" in about
    assert f"{card.taught['synthetic images']:,} synthetic" in about
    assert f"{card.taught['done']:,} updates of {card.taught['batch']} " in about


@pytest.mark.slow
def test_the_tutorials_can_be_followed(tmp_path):
    """Every block of Python and every command of the tutorials, one after the other in one folder."""
    for tutorial in TUTORIALS:
        for block in re.findall(r"```(?:python|bash)\n.*?```", PAGES[f"docs/tutorials/{tutorial}.md"], re.S):
            language, _, body = block.strip("`").partition("\n")
            calls = [["-c", body]] if language == "python" else [line.split() for line in body.splitlines()]
            for call in calls:
                words = call if language == "python" else ["-m", "napari_s3net", *call[1:]]
                done = subprocess.run(
                    [sys.executable, *words], capture_output=True, encoding="utf-8", cwd=tmp_path, check=False
                )
                assert done.returncode == 0, f"{tutorial}: {' '.join(call)}\n{done.stderr}"
    for made in ("out/dermoscopy_mask.png", "better/dermoscopy_mask.png", "out/chest.stl", "results/report.html"):
        assert (tmp_path / made).stat().st_size > 0
    assert (tmp_path / "predicted" / "photo00_mask.png").stat().st_size > 0
