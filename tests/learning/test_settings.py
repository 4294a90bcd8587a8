import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.learning.settings import LIMITS, METHODS, SIZES, LearnSettings, learn_settings


def test_ready_made_sizes_and_methods_are_valid():
    for size in SIZES:
        for method in METHODS:
            assert learn_settings(size, method=method).method == method
    assert learn_settings("standard").width > learn_settings("small").width


@pytest.mark.parametrize("name", LIMITS)
def test_each_number_has_its_limits(name):
    low, high = LIMITS[name]
    assert low <= getattr(LearnSettings(), name) <= high
    with pytest.raises(InvalidSettingsError, match=name):
        LearnSettings(**{name: high * 2 + 1})


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
