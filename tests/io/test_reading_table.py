from __future__ import annotations

import numpy as np
import pytest
import tifffile

from scripts import reading_table
from tests.io.made_files import hounsfield, make_dicom, make_slice, phantom


@pytest.mark.filterwarnings("ignore")
def test_a_row_says_what_became_of_a_file(tmp_path):
    make_slice(tmp_path / "a.dcm", hounsfield(), RescaleSlope=2, RescaleIntercept=-7)
    make_dicom(tmp_path / "b.dcm", phantom((24, 20), np.uint16), PhotometricInterpretation="MONOCHROME1", Modality="DX")
    tifffile.imwrite(tmp_path / "c.tif", phantom(), photometric="minisblack")
    for name in ("a.dcm", "b.dcm", "c.tif"):
        assert reading_table.row_of("here", tmp_path / name).outcome == "equal"
    (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[:-9])
    row = reading_table.row_of("here", tmp_path / "a.dcm")
    assert row.outcome == "refused"
    assert row.words.startswith("the header promises")


def test_other_values_are_seen(tmp_path, monkeypatch):
    make_slice(tmp_path / "a.dcm", hounsfield())
    monkeypatch.setattr(reading_table, "independent", lambda _: hounsfield() + 1)
    assert reading_table.row_of("here", tmp_path / "a.dcm").outcome == "different"


def test_the_page_has_a_table_without_differences():
    page = reading_table.PAGE.read_text(encoding="utf-8")
    made = page.partition(reading_table.BEGIN)[2].partition(reading_table.END)[0]
    assert "; 0 different." in made
    assert made.count("| equal |") > 90
