"""What learning takes, as the page on learning says."""

import re
from pathlib import Path

from napari_s3net.learning.effort import EFFORTS
from napari_s3net.learning.settings import METHODS

PAGE = Path(__file__).parents[2] / "docs" / "learning.md"


def test_the_page_has_the_same_figures():
    table = PAGE.read_text(encoding="utf-8").partition("## Time and memory")[2]
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| (\d+) MB \|$", table, re.MULTILINE)
    assert {name.lower(): (float(s), int(mb)) for name, s, mb in rows} == {
        name: (effort.seconds, effort.megabytes) for name, effort in EFFORTS.items()
    }


def test_every_method_has_some():
    assert EFFORTS.keys() == METHODS.keys()
