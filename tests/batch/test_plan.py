from pathlib import Path

import pytest

from napari_s3net.batch.plan import Plan
from napari_s3net.errors import InvalidSettingsError
from napari_s3net.settings import presets

HERE = {"source": Path("in"), "output": Path("out")}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"preset": "skim"}, "skim"),
        ({"changes": {"colour": 1}}, "colour"),
        ({"changes": {"clusters": 1000}}, "clusters"),
        ({"write": ("labels", "videos")}, "videos"),
        ({"write": ()}, "nothing"),
        ({"fit": "all"}, "all"),
        ({"mode": "planes"}, "planes"),
    ],
)
def test_what_cannot_be_done_is_told_at_once(wrong, named):
    with pytest.raises(InvalidSettingsError, match=named):
        Plan(**HERE, **wrong)


def test_the_digest_is_that_of_what_images_get():
    plain = Plan(**HERE)
    assert plain.digest == Plan(source=Path("x"), output=Path("y"), write=("masks",), recursive=True).digest
    others = [Plan(**HERE, preset="skin"), Plan(**HERE, changes={"seed": 1}), Plan(**HERE, preset="mri")]
    others.append(Plan(**HERE, mode="slices"))
    assert len({plain.digest, *(plan.digest for plan in others)}) == 5
    assert Plan(**HERE, changes={"seed": 0}).digest == plain.digest


def test_settings_are_the_presets_with_changes():
    plan = Plan(**HERE, changes={"clusters": 9})
    assert plan.settings("skin") == presets["skin"].settings.replace(clusters=9)
