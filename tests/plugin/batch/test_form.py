"""What the Batch form asks for, and what becomes of it."""

import json

import pytest

from napari_s3net.errors import InvalidSettingsError
from napari_s3net.plugin.batch.form import AUTO, FROM_FILE, BatchForm, folder_in
from napari_s3net.plugin.widgets.choosers import OWN
from napari_s3net.plugin.widgets.own_presets import keep_preset
from napari_s3net.preset_files import OwnPreset
from napari_s3net.settings import presets
from tests.plugin.folders import choose_batch_folders

pytestmark = pytest.mark.viewer


@pytest.fixture
def form(qtbot):
    form = BatchForm()
    qtbot.addWidget(form)
    return form


@pytest.fixture
def filled(form, tmp_path):
    choose_batch_folders(form, tmp_path / "in", tmp_path / "out")
    return form


def test_without_both_folders_there_is_no_plan(form, tmp_path):
    assert form.plan() is None
    choose_batch_folders(form, tmp_path)
    assert form.plan() is None
    assert not form.has_folders
    choose_batch_folders(form, tmp_path, tmp_path / "out")
    assert form.has_folders
    assert form.plan() is not None


def test_what_is_usual_is_asked_for_without_a_change(filled, tmp_path):
    plan = filled.plan()
    assert (plan.source, plan.output) == (tmp_path / "in", tmp_path / "out")
    assert (plan.preset, plan.fit, plan.device, plan.pattern, plan.recursive) == (AUTO, "image", "auto", "", False)
    assert set(plan.write) == {"labels", "masks", "measurements"}
    assert filled.scheduler_address == ""
    assert not filled.restart.value


def test_every_field_reaches_the_plan(filled):
    filled.preset.value = "mri"
    filled.fit.value = "folder"
    filled.recursive.value = True
    filled.pattern.value = " *.jpg "
    filled.device.value = "cpu"
    filled.kinds["labels"].value = False
    filled.kinds["overlays"].value = True
    plan = filled.plan()
    assert (plan.preset, plan.fit, plan.recursive, plan.pattern, plan.device) == ("mri", "folder", True, "*.jpg", "cpu")
    assert set(plan.write) == {"masks", "overlays", "measurements"}


def test_every_preset_can_be_chosen(form):
    assert form.preset.choices == (AUTO, *presets, FROM_FILE)


def test_a_dropped_folder_is_taken(form, tmp_path):
    form.source.line_edit.value = f" file://{tmp_path} "
    form.output.line_edit.value = "~/results"
    plan = form.plan()
    assert plan.source == tmp_path
    assert plan.output.name == "results"
    assert plan.output.is_absolute()


def test_settings_from_a_file(filled, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"settings": {"seed": 7}}), encoding="utf-8")
    filled.show_settings_file(path)
    assert filled.preset.value == FROM_FILE
    assert filled.preset_line.text() == "mine.json"
    assert (filled.plan().preset, filled.plan().changes) == ("generic", {"seed": 7})


def test_a_preset_of_one_s_own_is_in_the_list(qtbot, tmp_path):
    keep_preset(OwnPreset("My lamp", "skin", presets["skin"].settings.replace(max_iter=9)))
    form = BatchForm()
    qtbot.addWidget(form)
    choose_batch_folders(form, tmp_path / "in", tmp_path / "out")
    form.preset.value = OWN + "My lamp"
    assert (form.plan().preset, form.plan().changes["max_iter"]) == ("skin", 9)


def test_the_folders_of_the_last_time_are_there_again(filled, tmp_path, qtbot):
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    filled.plan()
    again = BatchForm()
    qtbot.addWidget(again)
    assert (again.plan().source, again.plan().output) == (tmp_path / "in", tmp_path / "out")
    again.take_source(tmp_path)
    assert folder_in(again.output) == tmp_path.with_name(f"{tmp_path.name}-labels"), (
        "not on the results of other images"
    )
    (tmp_path / "out").rmdir()
    later = BatchForm()
    qtbot.addWidget(later)
    assert not later.has_folders


def test_from_a_file_without_a_file_is_refused(filled):
    filled.preset.value = FROM_FILE
    with pytest.raises(InvalidSettingsError, match="Choose a settings file"):
        filled.plan()


def test_a_cancelled_choice_of_a_file_goes_back_to_auto(filled, monkeypatch):
    monkeypatch.setattr("qtpy.QtWidgets.QFileDialog.getOpenFileName", lambda *args: ("", ""))
    filled.preset.value = FROM_FILE
    filled.preset.native.activated.emit(filled.preset.native.currentIndex())
    assert filled.preset.value == AUTO


def test_changes_are_told(filled, qtbot):
    for field, value in ((filled.recursive, True), (filled.fit, "folder"), (filled.kinds["masks"], False)):
        with qtbot.waitSignal(filled.changed, timeout=1000):
            field.value = value
    for edit in (filled.source.line_edit, filled.output.line_edit, filled.pattern):
        with qtbot.waitSignal(filled.changed, timeout=1000):
            edit.native.editingFinished.emit()


def test_a_folder_that_is_being_typed_is_not_looked_into_yet(filled, qtbot):
    with qtbot.assertNotEmitted(filled.changed):
        filled.source.line_edit.value = "/ha"


def test_a_cluster_has_workers_of_its_own(filled):
    pytest.importorskip("distributed")
    filled.scheduler.value = " tcp://host:8786 "
    assert not filled.jobs.enabled
    assert filled.scheduler_address == "tcp://host:8786"
    filled.scheduler.value = " "
    assert filled.jobs.enabled


def test_without_dask_the_form_says_what_is_missing(qtbot, monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.batch.form.find_spec", lambda name: None)
    form = BatchForm()
    qtbot.addWidget(form)
    assert not form.scheduler.enabled
    assert form.jobs.enabled, "several jobs on this computer need no cluster"
    assert "pip install 'napari-s3net[cluster]'" in form.scheduler.tooltip


def test_every_control_says_what_it_does(form):
    fields = (form.recursive, form.preset, form.fit, *form.kinds.values(), form.pattern, form.jobs, form.scheduler)
    for field in (*fields, form.device, form.restart):
        assert field.native.toolTip(), field.label
    for folder in (form.source, form.output):
        assert folder.line_edit.native.toolTip()
        assert folder.choose_btn.native.toolTip()


def test_an_output_beside_the_images_is_proposed_where_none_is_given(form, tmp_path):
    (tmp_path / "photos").mkdir()
    form.source.line_edit.value = str(tmp_path / "photos")
    form.source.line_edit.native.editingFinished.emit()
    assert folder_in(form.output) == tmp_path / "photos-labels"
    form.output.line_edit.value = str(tmp_path / "mine")
    form.source.line_edit.native.editingFinished.emit()
    assert folder_in(form.output) == tmp_path / "mine"


def test_further_formats_are_asked_for_under_advanced(filled):
    told = []
    filled.changed.connect(lambda: told.append(1))
    usual = filled.plan().write
    filled.further["seg.nrrd"].value = filled.further["stl"].value = True
    assert filled.plan().write == (*usual, "seg.nrrd", "stl")
    assert len(told) == 2


def test_a_format_whose_package_is_not_there_says_what_it_needs(qtbot, monkeypatch):
    monkeypatch.setattr("napari_s3net.plugin.batch.form.find_spec", lambda name: None if name == "highdicom" else name)
    form = BatchForm()
    qtbot.addWidget(form)
    assert not form.further["dicom-seg"].enabled
    assert "pip install highdicom" in form.further["dicom-seg"].tooltip
    assert form.further["coco"].enabled
