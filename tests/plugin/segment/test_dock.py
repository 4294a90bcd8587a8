"""The dock: what is chosen, and what the result offers."""

import shutil

import numpy as np
import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_s3net.plugin.contributions import open_files
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.result_layer import metadata_of
from napari_s3net.plugin.segment import dock as module
from napari_s3net.settings import presets
from tests.plugin.segment.conftest import layers, run_through

pytestmark = pytest.mark.viewer


def test_without_an_image_it_says_what_to_do_first(dock):
    assert dock.welcome.isVisibleTo(dock)
    assert not dock.run_button.isVisibleTo(dock)
    dock.run()
    assert dock.session.phase is Phase.READY


def test_opening_the_docks_loads_nothing_that_takes_long():
    import subprocess
    import sys

    code = (
        "import sys\n"
        "for name in ('segment', 'correct', 'learn', 'batch'): __import__(f'napari_s3net.plugin.{name}.dock')\n"
        "from napari_s3net.settings import presets\n"
        "print(*{'torch', 'scipy.optimize', 'scipy.sparse.linalg', 'skimage.segmentation'} & set(sys.modules), '.')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.split() == ["."]


def test_an_image_is_chosen_and_described(ready):
    assert not ready.welcome.isVisibleTo(ready)
    assert ready.choosers.image.currentText() == "mole"
    assert ready.choosers.image_line.text() == "64 × 48, RGB"
    assert ready.choosers.preset_name == "skin"
    assert ready.choosers.preset_line.text() == "chosen for you: RGB photograph"
    assert ready.choosers.settings() == presets["skin"].settings
    assert ready.run_button.isEnabled()


def test_the_active_layer_is_followed(ready, viewer):
    ct = np.where(np.indices((40, 50))[0] > 20, -800, 40).astype(np.int16)
    viewer.add_image(ct, name="scan")
    assert ready.choosers.image.currentText() == "scan"
    assert ready.choosers.preset_name.startswith("ct-")
    viewer.layers.selection.active = viewer.layers["mole"]
    assert ready.choosers.image.currentText() == "mole"
    assert ready.choosers.preset_name == "skin"
    viewer.layers["mole"].name = "naevus"
    assert ready.choosers.image.currentText() == "naevus"
    viewer.layers.remove("naevus")
    assert ready.choosers.image.currentText() == "scan"


def test_a_preset_of_ones_own_is_kept_until_the_image_changes(ready, viewer, photograph):
    ready.choosers.preset.value = "generic"
    ready.choosers.preset_chosen.emit("generic")
    assert ready.choosers.settings() == presets["generic"].settings
    viewer.add_points([[1, 1]])
    viewer.layers.selection.active = viewer.layers["mole"]
    assert ready.choosers.preset_name == "generic"
    viewer.add_image(photograph, name="second")
    assert ready.choosers.preset_name == "skin"


def test_device_and_time_are_told_before_the_first_run_and_remembered_after_it(ready, qtbot, viewer):
    assert "CPU" in ready.choosers.device_line.text()
    assert " About 2\u00a0s." in ready.choosers.device_line.text()
    assert "Memory: about" in ready.choosers.device_line.toolTip()
    run_through(ready, qtbot)
    assert "Up to" in ready.choosers.device_line.text()
    another = module.SegmentDock(viewer)
    qtbot.addWidget(another)
    assert "Up to" in another.choosers.device_line.text()
    another.release()


def test_the_worker_gets_what_the_form_holds(ready, qtbot, fake_runs):
    ready.choosers.fields["seed"].value = 42
    ready.choosers.fields["weight_spatial"].value = 2.5
    ready.choosers.choose_device("cpu")
    run_through(ready, qtbot)
    image, settings, device = fake_runs.asked[0]
    assert (settings.seed, settings.weight_spatial, str(device)) == (42, 2.5, "cpu")
    assert image.kind == "rgb"


def test_settings_that_contradict_each_other_are_explained(ready, qtbot, said):
    ready.choosers.fields["window_low"].value = 2000
    ready.run_button.click()
    assert ready.session.phase is Phase.FAILED
    assert "window_low has to be below window_high" in said[0]
    assert ready.run_button.isEnabled()


def test_more_menu_runs_as_new_layer(ready, viewer, qtbot):
    run_through(ready, qtbot)
    ready.panel.asked.emit("run_new")
    qtbot.waitUntil(lambda: len(viewer.layers) == 3 and not ready.session.phase.is_busy, timeout=5000)


def test_settings_of_a_result_can_be_shown_and_used_again(ready, viewer, qtbot):
    from napari_s3net.plugin.widgets.settings_dialog import SettingsDialog

    ready.choosers.fields["seed"].value = 17
    run_through(ready, qtbot)
    ready.choosers.fields["seed"].value = 0
    ready.panel.asked.emit("show_settings")
    (dialog,) = ready.findChildren(SettingsDialog)
    dialog.taken.emit()
    assert ready.choosers.settings().seed == 17
    dialog.close()


def test_a_result_is_shown_again_when_it_becomes_active(ready, viewer, photograph, qtbot):
    run_through(ready, qtbot)
    viewer.add_image(photograph, name="second")
    assert not ready.panel.isVisibleTo(ready)
    viewer.layers.selection.active = viewer.layers["mole – S³-Net"]
    assert ready.choosers.image.currentText() == "mole"
    assert ready.panel.isVisibleTo(ready)


def test_an_image_that_is_taken_from_the_list_is_shown_with_its_result(ready, viewer, qtbot):
    run_through(ready, qtbot)
    viewer.add_image(np.zeros((30, 40), np.float32), name="second")
    assert ready.choosers.image_line.text() == "40 × 30, grey"
    ready.choosers.image.activated.emit(0)
    assert ready.choosers.image_line.text() == "64 × 48, RGB"
    assert ready.panel.isVisibleTo(ready)
    ready.choosers.image.activated.emit(1)
    assert not ready.panel.isVisibleTo(ready)


def test_a_result_stays_with_its_image_when_that_is_renamed(ready, viewer, qtbot):
    run_through(ready, qtbot)
    viewer.layers["mole"].name = "naevus"
    assert ready.panel.isVisibleTo(ready)
    run_through(ready, qtbot)
    assert layers(viewer) == ["naevus", "mole – S³-Net"]


@pytest.fixture
def two_files(viewer, photograph, tmp_path, monkeypatch):
    """Two photographs in a folder; a way to open one as napari does."""
    import PIL.Image
    from napari.layers import Layer
    from napari.layers._source import layer_source

    from napari_s3net.plugin.contributions.reader import read

    def show(viewer, path):
        with layer_source(path=path):
            viewer.add_layer(Layer.create(*read(path)[0]))

    monkeypatch.setattr("napari_s3net.plugin.contributions.open_files._open", show)
    for name in ("mole.png", "second.png"):
        PIL.Image.fromarray(photograph).save(tmp_path / name)
    show(viewer, str(tmp_path / "mole.png"))
    return tmp_path, lambda name: show(viewer, str(tmp_path / name))


def test_next_image_takes_the_place_of_this_one_whose_work_is_kept(dock, viewer, two_files, qtbot, fake_runs):
    run_through(dock, qtbot)
    dock.panel.clusters.value = True
    dock.panel.table.clusters.renamed.emit(1, "Naevus")
    before = list(viewer.layers)
    dock.panel.asked.emit("next_image")
    assert layers(viewer) == ["second", "second – no result yet"]
    assert list(viewer.layers) == before
    assert dock.source.name == "second"
    assert dock.source.path == str(two_files[0] / "second.png")
    assert not dock.panel.isVisibleTo(dock)
    assert not dock.panel.next.isVisibleTo(dock)
    assert not dock.reopen.isVisibleTo(dock)
    dock.autosave.wait()
    two_files[1]("mole.png")
    assert dock.reopen.text().startswith("Reopen your work of ")
    dock.reopen.click()
    assert layers(viewer)[2:] == ["mole", "mole – S³-Net"]
    assert metadata_of(viewer.layers[-1])["names"][1] == "Naevus"
    assert dock.panel.isVisibleTo(dock)
    assert not dock.reopen.isVisibleTo(dock)


def test_the_next_image_is_what_comes_next_now_and_what_cannot_be_read_is_passed_over(
    dock, viewer, two_files, monkeypatch
):
    told, failed = [], []
    monkeypatch.setattr(module, "show_info", told.append)
    monkeypatch.setattr(open_files, "show_error", failed.append)
    folder = two_files[0]
    (folder / "second.png").rename(folder / "z.png")
    (folder / "y.png").write_bytes(b"no picture")
    dock.panel.asked.emit("next_image")
    assert "Cannot read y.png" in failed[0]
    assert layers(viewer) == ["mole"]
    dock.panel.asked.emit("next_image")
    assert layers(viewer) == ["z"]
    assert len(failed) == 1
    dock.panel.asked.emit("next_image")
    assert told == ["There is no image after z.png in the folder."]


def test_the_way_to_the_next_image_comes_and_goes_with_the_files_when_somebody_comes_back(dock, two_files, qtbot):
    def come_back():
        QApplication.sendEvent(dock, QEvent(QEvent.Type.WindowActivate))
        qtbot.waitUntil(lambda: dock._watch._running is None, timeout=10000)

    dock.show()
    folder, open_file = two_files
    open_file("second.png")
    qtbot.waitUntil(lambda: dock._watch._running is None, timeout=10000)
    assert not dock.panel.next.isVisibleTo(dock)
    shutil.copy(folder / "second.png", folder / "third.png")
    come_back()
    assert dock.panel.next.isVisibleTo(dock)
    (folder / "third.png").unlink()
    come_back()
    assert not dock.panel.next.isVisibleTo(dock)


def test_the_next_image_s_result_takes_the_layer_that_waits(dock, viewer, two_files, qtbot, fake_runs):
    run_through(dock, qtbot)
    dock.panel.asked.emit("next_image")
    waiting = viewer.layers[-1]
    run_through(dock, qtbot)
    assert layers(viewer) == ["second", "second – S³-Net"]
    assert viewer.layers[-1] is waiting
    assert metadata_of(waiting)["source"] == "second"
    assert dock.panel.isVisibleTo(dock)


def test_an_image_of_another_kind_gets_layers_of_its_own(dock, viewer, two_files, photograph, qtbot, fake_runs):
    import PIL.Image

    PIL.Image.fromarray(photograph[..., 0]).save(two_files[0] / "second.png")
    run_through(dock, qtbot)
    before = viewer.layers[0]
    dock.panel.asked.emit("next_image")
    assert layers(viewer) == ["second"]
    assert viewer.layers[0] is not before


def test_an_image_that_cannot_be_opened_takes_nobodys_place(dock, viewer, two_files, qtbot, fake_runs, monkeypatch):
    told = []
    monkeypatch.setattr("napari_s3net.plugin.contributions.open_files.show_error", told.append)
    (two_files[0] / "second.png").write_bytes(b"")
    run_through(dock, qtbot)
    dock.panel.asked.emit("next_image")
    assert layers(viewer) == ["mole", "mole – S³-Net"]
    assert len(told) == 1
    assert "empty" in told[0]
