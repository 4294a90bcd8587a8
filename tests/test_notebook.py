"""The notebook of examples/ runs from its first cell to its last, and segments what it says."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CELLS = json.loads((ROOT / "examples" / "photograph.ipynb").read_text(encoding="utf-8"))["cells"]


def words_of(printed):
    """What was printed without its measured figures, in the last place of which machines may differ."""
    return re.sub(r"\d+\.\d+", "…", printed).split()


def test_the_notebook_runs(capsys):
    names = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not kept in the file; the documentation shows them anew"
            exec("".join(cell["source"]), names)  # noqa: S102 - our own
    printed = capsys.readouterr().out
    shown = sorted((ROOT / "docs" / "pictures").glob("notebook-*.txt"), key=lambda path: int(path.stem.split("-")[1]))
    assert words_of(printed) == words_of("\n".join(path.read_text(encoding="utf-8") for path in shown))
    assert "Lesion: " in printed
    assert "mole_labels.png mole_mask.png" in printed
    assert names["dice"](names["result"].mask, names["sample"].mask) > 0.9
    assert names["better"].mask[names["strokes"] > 0].all()
