import pytest

from napari_s3net.plugin.widgets import text as words


def flat(text):
    """With ordinary spaces, which are easier to read."""
    return text.replace(words.NARROW, " ")


@pytest.mark.parametrize(
    ("share", "text"), [(0.214, "21.4 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (0.0001, "< 0.1 %"), (0.0005, "0.1 %")]
)
def test_share(share, text):
    assert flat(words.share_text(share)) == text


@pytest.mark.parametrize(
    ("area", "unit", "text"),
    [
        (38.24, "mm²", "38.2 mm²"),
        (123456.0, "mm²", "1,234.6 cm²"),
        (12345.0, "px", "12,345 px"),
        (0.0002503, "mm²", "250 µm²"),
        (2.5e-6, "mm²", "2.5 µm²"),
        (0.0, "mm²", "0 mm²"),
    ],
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


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (89, "89 s"), (91, "2 min"), (1620, "27 min"), (12000, "3 h 20 min")]
)
def test_long_times_are_said_roughly(seconds, text):
    assert words.long_text(seconds).replace("\u00a0", " ") == text
