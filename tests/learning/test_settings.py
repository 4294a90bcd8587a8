import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.learning.settings import METHODS, SIZES, LearnSettings, learn_settings


def test_ready_made_sizes_and_methods_are_valid():
    for size in SIZES:
        for method in METHODS:
            assert learn_settings(size, method=method).method == method
    assert learn_settings("standard").width > learn_settings("small").width


@pytest.mark.parametrize("row", LearnSettings.describe(), ids=lambda row: row["name"])
def test_each_setting_is_explained_and_each_number_has_its_limits(row):
    assert row["label"]
    assert row["help"].endswith(".")
    assert LearnSettings.parse(row["name"], str(row["default"])) == row["default"]
    if row["low"] is not None:
        assert row["low"] <= row["default"] <= row["high"]
        for beyond in (row["low"] - row["step"], row["high"] * 2 + 1):
            with pytest.raises(InvalidSettingsError, match=f"{row['name']} lies between"):
                LearnSettings(**{row["name"]: beyond})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "magic"}, "magic"),
        ({"backbone": "vgg"}, "vgg"),
        ({"size": 100}, "multiple of 16"),
        ({"nonsense": 1}, "nonsense"),
        ({"steps": "many"}, "many"),
    ],
)
def test_what_cannot_be_is_told(changes, words):
    with pytest.raises(InvalidSettingsError, match=words):
        LearnSettings().replace(**changes)
    with pytest.raises(InvalidSettingsError, match="size"):
        learn_settings("huge")
