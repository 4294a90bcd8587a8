from dataclasses import dataclass

import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.setting_fields import CheckedSettings, setting


@dataclass(frozen=True, kw_only=True)
class Some(CheckedSettings):
    least: int = setting(1, "Least", "A number.", low=0, high=9, step=1, unit="mm")
    most: float = setting(2.0, "Most", "A number.", low=0.0, high=9.0, step=0.5)
    way: str = setting("short", "Way", "A word.", choices=("short", "long"))
    on: bool = setting(True, "On", "A tick.", basic=True)

    def check_together(self):
        if self.least > self.most:
            raise InvalidSettingsError("least is above most.")


def test_the_metadata_is_told_in_the_order_of_the_fields():
    rows = Some.describe()
    assert [row["name"] for row in rows] == ["least", "most", "way", "on"]
    assert [row["type"] for row in rows] == ["int", "float", "str", "bool"]
    assert (rows[0]["low"], rows[0]["high"], rows[0]["unit"]) == (0, 9, "mm")
    assert rows[3]["basic"]


def test_text_becomes_values_of_the_settings_own_types():
    changes = Some.parse_changes(["least=3", "most=4", "way=long", "on=no"])
    assert changes == {"least": 3, "most": 4.0, "way": "long", "on": False}
    assert isinstance(changes["most"], float)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("least", "key=value"),
        ("other=1", "Settings are: least"),
        ("least=x", "whole number"),
        ("on=maybe", "yes or no"),
    ],
)
def test_text_that_cannot_be_read_is_told(text, words):
    with pytest.raises(InvalidSettingsError, match=words):
        Some.parse_changes([text])


def test_what_one_field_alone_cannot_tell_is_checked_on_every_way_in():
    for make in (lambda: Some(least=5), lambda: Some().replace(least=5), lambda: Some.from_dict({"least": 5})):
        with pytest.raises(InvalidSettingsError, match="above most"):
            make()
