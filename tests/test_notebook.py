"""The notebook of examples/ runs from its first cell to its last, and segments what it says."""

import json
from pathlib import Path

import pytest

CELLS = json.loads((Path(__file__).parents[1] / "examples" / "photograph.ipynb").read_text(encoding="utf-8"))["cells"]


@pytest.mark.slow
def test_the_notebook_runs(capsys):
    names = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not kept in the file; the documentation shows them anew"
            exec("".join(cell["source"]), names)  # noqa: S102 - our own
    printed = capsys.readouterr().out
    assert "Lesion: " in printed
    assert "mole_labels.png mole_mask.png" in printed
    assert names["dice"](names["result"].mask, names["sample"].mask) > 0.9
    assert names["better"].mask[names["strokes"] > 0].all()
