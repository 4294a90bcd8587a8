import shlex

import pytest

from napari_s3net.plugin.widgets.settings_text import as_command, as_python, settings_rows
from napari_s3net.settings import presets
from tests.plugin.widgets.test_text import about, flat

PATH = "/data/a b/IMD042.png"


def test_the_python_is_python_and_gives_the_same_settings(monkeypatch):
    import napari_s3net

    seen = {}
    monkeypatch.setitem(napari_s3net.__dict__, "read_image", lambda path: seen.update(path=path) or "image")
    result = type("Result", (), {"labels": 1, "mask": 2})
    monkeypatch.setitem(napari_s3net.__dict__, "segment", lambda image, **kwargs: seen.update(kwargs) or result)
    exec(as_python(about(), PATH, "cpu"), {})  # noqa: S102 - the text under test
    assert seen["path"] == PATH
    assert seen["device"] == "cpu"
    assert seen["settings"].to_dict() == about()["settings"]


def test_the_python_names_the_slice():
    assert "image.slice(7)" in as_python(about(axis=0, slice=7), None, "auto")
    assert "image.array.take(7, axis=1)" in as_python(about(axis=1, slice=7), None, "auto")


def test_a_volume_of_a_time_series_is_named_and_its_slices_are_counted_in_it():
    of_series = about(axis=1, slice=7, time=3)
    assert "time=3)\n" in as_python(of_series, None, "auto")
    assert "image.slice(7)" in as_python(of_series, None, "auto")
    assert "--slice 7 --time 3" in as_command(of_series, None, "auto")
    whole = {**about(axis=1, slice=7), "slices": [{"time": 3}], "span": (0, 19, 20), "kind": "ct"}
    assert "--time 3" in as_command(whole, None, "auto")


def test_a_whole_volume_is_no_slice_of_it():
    whole = {**about(axis=0, slice=7), "span": (0, 19, 20), "kind": "ct"}
    assert "--slice" not in as_command(whole, None, "auto")
    assert "result = segment_volume(image, settings" in as_python(whole, None, "auto")
    assert "import as_image, presets, read_image, segment_volume\n" in as_python(whole, None, "auto")
    assert "result = segment(image, " in as_python({**whole, "kind": "rgb"}, None, "auto")


@pytest.mark.parametrize("changes", [{"span": (2, 19, 20)}, {"axis": 1}])
def test_what_only_the_dock_can_do_is_not_made_up(changes):
    part = {**about(axis=0, slice=7), "span": (0, 19, 20), "kind": "ct", **changes}
    assert as_command(part, None, "auto").startswith("#")
    assert as_python(part, None, "auto").startswith("#")


def test_the_command_is_one_that_the_command_line_understands():
    from napari_s3net import cli
    from napari_s3net.cli.common_options import changed_settings

    text = as_command(about(axis=0, slice=4), PATH, "cuda:0")
    options = cli._parser().parse_args(shlex.split(text)[1:])
    assert [str(path) for path in options.inputs] == [PATH]
    assert (options.device, options.slice, options.preset) == ("cuda:0", 4, "skin")
    assert presets[options.preset].settings.replace(**changed_settings(options)).to_dict() == about()["settings"]


def test_a_slice_that_the_command_line_cannot_name_is_not_made_up():
    assert as_command(about(axis=1, slice=4), PATH, "cpu").startswith("#")


def test_an_image_from_no_file_is_taken_from_its_layer(monkeypatch):
    """A sample: no command is made up, and the lines give the very image that was segmented."""
    import napari
    from napari.components import ViewerModel

    import napari_s3net
    from napari_s3net import phantom
    from napari_s3net.plugin.contributions.reader import layer_data

    sample = phantom.chest_ct(seed=0).image
    viewer, seen = ViewerModel(), {}
    viewer.add_image(sample.array, **layer_data(sample)[1])
    made = about(source=sample.name, kind="ct", geometry=sample.geometry)
    result = type("Result", (), {"labels": 1, "mask": 2})
    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    monkeypatch.setitem(napari_s3net.__dict__, "segment", lambda image, **_: seen.update(image=image) or result)
    exec(as_python(made, None, "cpu"), {})  # noqa: S102 - the text under test
    assert seen["image"].geometry == sample.geometry
    assert (seen["image"].kind, seen["image"].name) == ("ct", sample.name)
    assert (seen["image"].array == sample.array).all()
    assert as_command(made, None, "cpu").startswith("# The image is from no file")


def test_settings_rows_name_every_setting_with_its_unit():
    rows = dict(settings_rows(about(slice=4)))
    assert rows["Slice"] == "4"
    assert flat(rows["Working size"]).endswith("px")
    assert rows["Remove hairs"] == "no"
    assert rows["Iterations at most"] == "55"
    assert len(rows) > len(about()["settings"])
