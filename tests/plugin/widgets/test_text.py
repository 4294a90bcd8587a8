import pytest

from napari_s3net.plugin.widgets import text as words
from napari_s3net.settings import presets


def flat(text):
    """With ordinary spaces, which are easier to read."""
    return text.replace(words.NARROW, " ")


def about(**changes):
    settings = presets["skin"].settings.replace(seed=3, max_iter=55, remove_hair=False)
    return {
        "source": "IMD042",
        "axis": None,
        "slice": None,
        "kind": "rgb",
        "preset": "skin",
        "settings": settings.to_dict(),
        "version": "0.1.0",
        "device": "cpu",
        "seconds": 1.94,
        "iterations": 40,
        "stopped": False,
        "foreground": [1, 2],
        "object_name": "Lesion",
        "names": {1: "Lesion", 2: "Lesion rim", 3: "Skin"},
        **changes,
    }


@pytest.mark.parametrize(
    ("share", "text"), [(0.214, "21.4 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (0.0001, "< 0.1 %"), (0.0005, "0.1 %")]
)
def test_share(share, text):
    assert flat(words.share_text(share)) == text


@pytest.mark.parametrize(
    ("area", "unit", "text"),
    [(38.24, "mm²", "38.2 mm²"), (123456.0, "mm²", "1,234.6 cm²"), (12345.0, "px", "12,345 px")],
)
def test_area(area, unit, text):
    assert flat(words.area_text(area, unit)) == text


@pytest.mark.parametrize(
    ("mean", "sd", "kind", "text"),
    [
        (117.6, 22.4, "rgb", "118 ± 22"),
        (-820.2, 45.0, "ct", "−820 ± 45 HU"),
        (-0.3, 136.0, "ct", "0 ± 136 HU"),
        (0.1234, 0.0567, "grey", "0.123 ± 0.057"),
    ],
)
def test_mean(mean, sd, kind, text):
    assert flat(words.mean_text(mean, sd, kind)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (14.2, "14 s"), (125.4, "2 min 5 s"), (119.7, "2 min 0 s"), (99.6, "1 min 40 s")],
)
def test_seconds(seconds, text):
    assert flat(words.seconds_text(seconds)) == text


def test_progress():
    assert flat(words.progress_text(18, 40, 1.1, 6)) == "18 of 40 · about 1.1 s left · 6 clusters"
    assert words.progress_text(1, 40, None, 1) == "1 of 40 · 1 cluster"
    assert words.progress_text(40, 40, 0.0, 3) == "40 of 40 · 3 clusters"


def test_time_left_waits_for_a_pace():
    assert words.time_left(1, 39, 0.1) is None
    assert words.time_left(10, 30, 2.0) == pytest.approx(6.0)


def test_outcome():
    assert flat(words.outcome_text(about(), 0.214, "38.2 mm²")) == "Lesion 38.2 mm² (21 % of the image)"
    assert (
        flat(words.outcome_text(about(certainty="look"), 0.0214, "9 px")) == "Lesion 9 px (2.1 % of the image) · look"
    )
    assert words.outcome_text(about(foreground=[], certainty="no clear object"), 0.0, "") == "No clear object"
    assert flat(words.outcome_text(about(slice=3), 0.214, "9 px")).endswith("of the slice)")
    assert words.outcome_text(about(names={1: "Lesion, darker", 2: "Lesion"}), 0.2, "9 px").startswith("Lesion 9 px")
    assert words.outcome_text(about(object_name="Object"), 0.2, "9 px").startswith("Object 9 px")
    assert words.outcome_text(about(foreground=[]), 0.0, "") == "No object proposed"
    assert "0.93" in words.certainty_tip(about(certainty="sure", confidence=0.93))
    assert words.certainty_tip(about(confidence=0.93)) == ""
    assert flat(words.effort_text(about())) == "40 iterations · 1.9 s · CPU"
    assert flat(words.effort_text(about(stopped=True, iterations=1))) == "stopped after 1 · 1.9 s · CPU"


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


@pytest.mark.parametrize(("kind", "ending"), [("rgb", ".png"), ("ct", ".nii.gz"), ("grey", ".tif"), (None, ".tif")])
def test_format_to_save_in(kind, ending):
    assert words.save_ending(kind) == ending


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (89, "89 s"), (91, "2 min"), (1620, "27 min"), (12000, "3 h 20 min")]
)
def test_long_times_are_said_roughly(seconds, text):
    assert words.long_text(seconds).replace("\u00a0", " ") == text


def test_how_far_a_batch_is():
    said = words.batch_text(412, 1204, 3, 1620, paused=False)
    assert said.replace("\u00a0", " ") == "412 of 1,204 · 3 failed · about 27 min left"
    assert words.batch_text(4, 4, 0, 0.0, paused=False) == "4 of 4"
    assert words.batch_text(2, 4, 0, 5.0, paused=True) == "2 of 4 · paused"
