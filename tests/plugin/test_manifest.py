"""What napari is told about this plugin."""

from pathlib import Path

import pytest
from npe2 import PluginManager, PluginManifest

import napari_s3net
from napari_s3net.io import is_readable
from napari_s3net.io.validation.headers import SUFFIXES
from napari_s3net.plugin import DISPLAY_NAME

MANIFEST = Path(napari_s3net.__file__).with_name("napari.yaml")


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(MANIFEST)


def test_it_is_valid_and_every_command_exists(manifest):
    manifest.validate_imports()
    assert manifest.display_name == DISPLAY_NAME == "S³-Net"
    assert str(manifest.schema_version) == "0.3.0"
    assert all(command.id.startswith("napari-s3net.") for command in manifest.contributions.commands)


def test_it_offers_reader_writer_samples_widget_and_menu(manifest):
    offered = manifest.contributions
    assert offered.readers[0].accepts_directories
    assert {".tif", ".png", ".nii.gz", ".nrrd", ".mha"} <= set(offered.writers[0].filename_extensions)
    assert [sample.key for sample in offered.sample_data] == ["dermoscopy", "chest_ct"]
    assert [widget.display_name for widget in offered.widgets][:3] == ["Segment", "Batch", "Correct"]
    assert [item.command for item in offered.menus["napari/layers/segment"]] == ["napari-s3net.segment"]
    assert offered.menus["napari/layers/annotate"][0].command == "napari-s3net.correct"
    file_menu = [item.command for item in offered.menus["napari/file/io_utilities"]]
    assert file_menu == ["napari-s3net.open_file", "napari-s3net.open_folder", "napari-s3net.batch"]


def test_every_label_tool_stands_in_a_menu_and_has_a_form(manifest):
    offered = manifest.contributions
    names = {command.id for command in offered.commands if "label_tools:" in command.python_name}
    forms = {widget.command for widget in offered.widgets}
    submenu = offered.menus["napari/layers/annotate"][1].submenu
    in_menus = {item.command for item in (*offered.menus[submenu], *offered.menus["napari/layers/measure"])}
    assert len(names) == 9
    assert names <= forms
    assert names == in_menus
    assert submenu in {one.id for one in offered.submenus}


@pytest.mark.viewer
def test_napari_has_the_label_tools_in_its_menus_and_its_palette(make_napari_viewer):
    from napari._app_model import get_app_model
    from npe2 import PluginManager

    make_napari_viewer()
    PluginManager.instance().discover()
    app = get_app_model()
    submenus = [item.submenu for item in app.menus.get_menu("napari/layers/annotate") if hasattr(item, "submenu")]
    assert "napari-s3net/label_tools" in submenus
    shown = {item.command.id: item.command.title for item in app.menus.get_menu("napari-s3net/label_tools")}
    assert "napari-s3net.smooth" in shown
    palette = {item.command.id for item in app.menus.get_menu(app.menus.COMMAND_PALETTE_ID)}
    assert {*shown, "napari-s3net.measure"} <= palette


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        *((name, True) for name in ("a.PNG", "B.nii.gz", "x.y.NII.GZ", "a.ome.tif", "IM-1.dcm")),
        *(
            (name, True)
            for name in ("CT.1.3.12.2.1107.5.1.4.60064.3000001657", "MR.1.2.3", "IM0001", "I10", "I1", "im01")
        ),
        *((name, False) for name in ("a.csv", "a.npy", "notes.txt", "image.h5", "DATA01.h5", "film.mp4", "a.zarr")),
    ],
)
def test_napari_asks_us_about_images_and_numbered_dicom_alone(manifest, name, is_ours):
    plugins = PluginManager()
    plugins.register(manifest)
    assert bool(list(plugins.iter_compatible_readers([name]))) == is_ours


def test_every_suffix_that_is_read_is_offered(manifest):
    patterns = set(manifest.contributions.readers[0].filename_patterns)
    suffixes = {pattern[1:] for pattern in patterns if pattern.startswith("*.") and "[" not in pattern}
    assert suffixes == set(SUFFIXES)
    assert all(is_readable(f"missing{suffix}") for suffix in suffixes)


def test_the_one_at_the_root_is_a_link():
    root = Path(napari_s3net.__file__).parents[1] / "napari.yaml"
    if not (root.parent / "pyproject.toml").exists():
        pytest.skip("installed without its source tree")
    assert root.is_symlink()
    assert root.resolve() == MANIFEST


@pytest.mark.viewer
def test_napari_opens_the_dock_by_its_name(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")
    assert type(widget).__name__ == "SegmentDock"
    assert widget.welcome.isVisibleTo(widget)


@pytest.mark.viewer
def test_a_sample_from_the_welcome_can_be_segmented(make_napari_viewer, qtbot, fake_runs):
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-s3net", "Segment")
    widget.welcome.asked.emit("chest_ct")
    assert widget.choosers.preset_name == "ct-lung"
    assert "CT in HU" in widget.choosers.image_line.text()
    widget.run()
    qtbot.waitUntil(lambda: not widget.session.phase.is_busy, timeout=10000)
    widget.panel.clusters.value = True
    qtbot.waitUntil(lambda: len(widget.panel.table.clusters.rows) > 0, timeout=10000)
    assert "HU" in widget.panel.table.clusters.rows[0].mean
