import xml.etree.ElementTree as ET

from napari_s3net.benchmark.speed.plots import growth_plot


def test_a_panel_for_all_that_was_measured():
    points = [{"n": n, "seconds": 0.1 * n, "mib": 30.0} for n in (1, 10, 100)]
    unknown = [{"n": point["n"], "seconds": point["seconds"]} for point in points]
    root = ET.fromstring(growth_plot({"pixels": points, "a < b": unknown}))  # noqa: S314 - our own text
    titles = [text.text for text in root.iter() if text.attrib.get("font-weight")]
    assert titles == ["pixels: s", "a < b: s", "pixels: MiB"]
    assert len([dot for dot in root.iter() if dot.tag.endswith("circle")]) == 9
