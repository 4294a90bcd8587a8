import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.phantom.synthetic_skin import SKIN_PARTS
from napari_s3net.training.synthetic import config_of
from napari_s3net.training.teach_settings import TeachSettings

ROWS = {row["name"]: row for row in TeachSettings.describe()}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_setting_is_explained_and_each_number_has_its_limits(row):
    assert row["help"].endswith(".")
    if row["low"] is not None:
        assert row["low"] <= row["default"] <= row["high"]
        for beyond in (row["low"] - row["step"], row["high"] * 2 + 1):
            with pytest.raises(InvalidSettingsError, match=f"{row['name']} lies between"):
                TeachSettings(**{row["name"]: beyond})


def test_every_kind_can_be_painted_and_another_one_is_refused():
    for kind in ROWS["kind"]["choices"]:
        assert config_of(kind).clusters > 1
    assert config_of("skin").clusters == len(SKIN_PARTS)
    with pytest.raises(InvalidSettingsError, match="skin, chest"):
        TeachSettings(kind="knee")
