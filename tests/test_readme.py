"""Every Python block of the README runs, and every command in it is one that exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr


def test_command_lines_run(tmp_path):
    commands = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("napari-s3net ")]
    assert len(commands) >= 4
    for command in commands:
        words = [sys.executable, "-m", "napari_s3net", *command.split()[1:]]
        done = subprocess.run(words, capture_output=True, encoding="utf-8", cwd=tmp_path, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    assert (tmp_path / "out" / "dermoscopy_mask.png").stat().st_size > 0


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for block in blocks("bash"):
        for target in re.findall(r"^make (\S+)", block, re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
