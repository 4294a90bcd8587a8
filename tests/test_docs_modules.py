"""The page that lists the package's files is that of the code."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_file_has_its_line():
    made = runpy.run_path(str(ROOT / "scripts" / "draw_rooms.py"))["list_modules"]()
    found = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    changed = set(made.splitlines()) ^ set(found.splitlines())
    assert made == found, f"run `python scripts/draw_rooms.py`, because of {sorted(changed)}"
