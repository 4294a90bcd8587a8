from napari_s3net.plugin.widgets.settings_text import settings_rows
from tests.plugin.widgets.test_result_text import about, flat


def test_settings_rows_name_every_setting_with_its_unit():
    rows = dict(settings_rows(about(slice=4)))
    assert rows["Slice"] == "4"
    assert flat(rows["Working size"]).endswith("px")
    assert rows["Remove hairs"] == "no"
    assert rows["Iterations at most"] == "55"
    assert len(rows) > len(about()["settings"])
