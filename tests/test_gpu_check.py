"""The prepared check of a card runs anywhere, with nothing but what it says it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).resolve().parents[1] / "scripts" / "gpu_check.py"
BARE = """
import sys, runpy
for name in ("psutil", "SimpleITK", "pydicom", "nibabel", "napari", "qtpy", "tqdm", "jinja2", "filelock", "sklearn"):
    sys.modules[name] = None
sys.argv = ["gpu_check.py", *{arguments!r}]
runpy.run_path({check!r}, run_name="__main__")
"""


def check(tmp_path, *arguments):
    """The figures of a check on the CPU from a fresh interpreter that has only what the check needs."""
    given = ["--device", "cpu", "--images", "1", "--output", str(tmp_path / "g.json"), *arguments]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    code = BARE.format(arguments=given, check=str(CHECK))
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=tmp_path, env=environment, timeout=200)
    return json.loads((tmp_path / "g.json").read_text(encoding="utf-8"))


def test_it_needs_only_what_it_says_and_tells_what_it_skips(tmp_path):
    page = tmp_path / "g.md"
    found = check(tmp_path, "--page", str(page), "--parts", "machine", "parity", "side_by_side", "out_of_memory")
    assert found["parity"]["dice_mean"] == found["parity"]["labels_agree_mean"] == 1
    assert found["side_by_side"]["clusters_agree_1"] == 1
    assert "skipped_8" in found["side_by_side"]
    assert "not filled on purpose" in found["out_of_memory"]["skipped"]
    assert "Not measured yet: no card was at hand." in page.read_text(encoding="utf-8")
