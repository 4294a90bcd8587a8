import pytest

from napari_s3net.plugin.widgets import device_text as words


@pytest.mark.parametrize(
    ("choice", "devices", "text"),
    [
        ("auto", (), "CPU, 2 cores."),
        ("auto", ("cpu",), "CPU, 2 cores."),
        ("cpu", (), "CPU, 2 cores."),
        ("auto", ("cuda:0", "cpu"), "The graphics card cuda:0."),
        ("cuda:1", ("cuda:0", "cuda:1", "cpu"), "The graphics card cuda:1."),
        ("auto", ("mps", "cpu"), "The graphics chip (Metal)."),
    ],
)
def test_device(choice, devices, text):
    assert words.device_text(choice, devices, 2) == text


def test_a_card_is_called_by_its_name():
    assert words.device_text("auto", ("cuda:0", "cpu"), 2, "NVIDIA H100") == "The graphics card NVIDIA H100 (cuda:0)."


def test_before_the_network_library_is_there_a_card_is_a_guess():
    assert words.device_text("auto", (), 2, may_have_card=True) == "The graphics card."
