"""Tables in Markdown."""

import json

import pytest

from napari_s3net.benchmark.interactive import summarise_corrections as summarise_strokes
from napari_s3net.benchmark.page import results_page, section
from napari_s3net.benchmark.summary import summarise
from napari_s3net.errors import ReadError
from tests.benchmark.test_summary import rows_of


@pytest.fixture
def summary(tmp_path):
    rows = [*rows_of("otsu", [0.5, 0.7]), *rows_of("s3net", [0.8, 1.0]), *rows_of("s3net:no-spatial", [0.6, 0.8])]
    return summarise(rows, tmp_path, "ph2")


def test_views_are_never_in_one_table(summary):
    text = section(summary)
    headings = [line for line in text.splitlines() if line.startswith("###")]
    assert headings == [
        "### Label-free",
        "### Best clusters chosen with the mask: an upper bound",
        "### Published clipping: not a segmentation score",
        "### One model for the folder, or one idea left out, label-free",
        "### The same, best clusters chosen with the mask",
        "### The two halves of the set, label-free Dice",
    ]
    assert text.startswith("## PH2, dermoscopy")


def test_figures_stand_in_their_rows(summary):
    lines = section(summary).splitlines()
    otsu = next(line for line in lines if line.startswith("| otsu |"))
    assert "| 0.600 [0.500, 0.700] | 0.600 | 0.0 % |" in otsu
    assert "-0.300 [-0.300, -0.300]" in otsu
    ablation = [line for line in lines if line.startswith("| s3net:no-spatial |")]
    assert "-0.200" in ablation[0]
    assert "| 0.700 [0.600, 0.800] |" in ablation[1]
    assert ablation[2].endswith("| 0.600 [0.600, 0.600] | 0.800 [0.800, 0.800] |")


def test_every_row_of_a_table_has_as_many_cells_as_its_head(summary):
    for block in section(summary).split("\n\n"):
        rows = [line.count("|") for line in block.splitlines() if line.startswith("|")]
        assert len(set(rows)) <= 1


def test_the_page_holds_every_set_and_no_picture(summary, tmp_path):
    for name in ("ph2", "mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(json.dumps(summary | {"set": name}), encoding="utf-8")
    text = results_page([tmp_path / "ph2", tmp_path / "mine"])
    assert text.startswith("# Benchmark")
    assert "\n## PH2, dermoscopy (Mendonça et al. 2013)\n" in text
    assert "\n## mine\n" in text
    assert "![" not in text
    assert "<img" not in text


def corrections(half_b):
    known = {"image": "1", "version": "1"}
    rows = [
        {**known, "method": "random-walker", "half": "a", "dice": [0.8, 0.9], "lost": [0.01], "seconds": [0.1]},
        {**known, "method": "s3net", "half": half_b, "dice": [0.8, 0.96], "lost": [0.002], "seconds": [0.3]},
    ]
    return {"set": "ph2", "interactive_from_s3net": summarise_strokes(rows)}


def test_a_page_of_corrections_alone_says_what_they_are(tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps(corrections("a")), encoding="utf-8")
    text = results_page([tmp_path])
    assert "**Corrections by a simulated user**" in text
    assert "Three views" not in text
    assert "### Corrections by a simulated user, from our label-free result" in text
    assert "1 images, all of half a." in text
    row = next(line for line in text.splitlines() if line.startswith("| s3net |"))
    assert "| 0.800 | 1.0 | 1.0 [1.0, 1.0] | – | 0 % |" in row
    assert "| 0.800 | 1.0 | 20.0 [20.0, 20.0] | +19.0 [+19.0, +19.0] | 100 % |" in text
    assert "half a |" not in text


def test_halves_stand_apart_where_both_were_measured(summary):
    text = section(summary | corrections("b"))
    assert "| random-walker, half a |" in text
    assert "| s3net, half b |" in text
    assert "### Label-free" in text


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(ReadError, match=r"summary\.json"):
        results_page([tmp_path])
