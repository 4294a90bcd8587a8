"""Growth and its plots."""

import xml.etree.ElementTree as ET

import pytest

from napari_s3net.benchmark.speed.growth import photograph, slope
from napari_s3net.benchmark.speed.plots import growth_plot


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_slope_is_the_power(power):
    points = [{"n": n, "seconds": 0.3 * n**power} for n in (1, 2, 4, 9)]
    assert slope(points, "seconds") == pytest.approx(power)


def test_photographs_have_the_size_that_was_asked_for():
    assert photograph(64, 96).array.shape == (64, 96, 3)
    assert photograph(900, 1200).array.shape == (900, 1200, 3)


def test_a_panel_for_all_that_was_measured():
    points = [{"n": n, "seconds": 0.1 * n, "mib": 30.0} for n in (1, 10, 100)]
    unknown = [{"n": point["n"], "seconds": point["seconds"]} for point in points]
    root = ET.fromstring(growth_plot({"pixels": points, "a < b": unknown}))  # noqa: S314 - our own text
    titles = [text.text for text in root.iter() if text.attrib.get("font-weight")]
    assert titles == ["pixels: s", "a < b: s", "pixels: MiB"]
    assert len([dot for dot in root.iter() if dot.tag.endswith("circle")]) == 9
