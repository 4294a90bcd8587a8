"""What is to be learned, as a form."""

from dataclasses import replace
from pathlib import Path

import pytest
from qtpy.QtWidgets import QFormLayout

from napari_s3net.learning.files import ImageWithLabels
from napari_s3net.learning.label_scan import Labelled
from napari_s3net.learning.recommended import recommend
from napari_s3net.learning.settings import learn_settings
from napari_s3net.plugin.learn.form import LearnForm
from napari_s3net.plugin.widgets.remembered import remember
from tests.plugin.folders import choose_learn_folders

pytestmark = pytest.mark.viewer


@pytest.fixture
def form(qtbot):
    form = LearnForm()
    qtbot.addWidget(form)
    return form


def test_it_asks_for_what_its_fields_show(form):
    assert form.settings() == learn_settings("small", method=recommend(0).method, steps=form.steps.value)
    form.method.value, form.size.value = "kaf", "standard"
    form.steps.value = 70
    assert form.settings() == learn_settings("standard", method="kaf", steps=70)
    form.start.value = "random"
    assert form.settings().start == "random"


def test_it_begins_with_the_folders_of_the_last_batch_until_it_has_its_own(qtbot, tmp_path):
    for name in ("images", "results", "labels"):
        (tmp_path / name).mkdir()
    remember("batch/input", str(tmp_path / "images"))
    remember("batch/output", str(tmp_path / "results"))
    form = LearnForm()
    qtbot.addWidget(form)
    assert (form.image_folder, form.label_folder) == (tmp_path / "images", tmp_path / "results")
    choose_learn_folders(form, tmp_path / "images", tmp_path / "labels")
    again = LearnForm()
    qtbot.addWidget(again)
    assert again.label_folder == tmp_path / "labels"


def test_another_size_brings_its_number_of_steps(form):
    form.size.value = "standard"
    assert form.steps.value == learn_settings("standard").steps


def test_it_tells_beforehand_how_long_it_takes(form):
    form.steps.value = 600
    assert "min on a CPU core" in form.effort.text()
    form.files = (Path("a.png"),)
    form.method.value = "kaf"
    assert form.effort.text().startswith("KAF")
    assert "volumes" not in form.effort.text()
    form.files = (Path("a.nii.gz"),)
    form.method.value = "ideal"
    assert "of volumes up to three times as long" in form.effort.text()
    form.size.value = "standard"
    assert "graphics card" in form.effort.text()


def test_what_is_recommended_says_on_what_it_rests(form):
    assert form.chosen_method == recommend(0).method
    assert recommend(0).reason in form.effort.toolTip()
    form.method.value = "kaf"
    assert recommend(0).reason not in form.effort.toolTip()


def test_the_model_lies_beside_the_labels(form, tmp_path, qtbot):
    assert (form.image_folder, form.label_folder, form.model) == (None, None, None)
    with qtbot.waitSignal(form.folders_changed):
        choose_learn_folders(form, tmp_path / "images", tmp_path / "labels")
    assert form.image_folder == tmp_path / "images"
    assert form.model == tmp_path / "labels" / "model.safetensors"


def found(suffix, *, corrected=False, values=()):
    image = Path(f"a{suffix}")
    return Labelled((ImageWithLabels(image, image if corrected else None, "a"),), int(corrected), 0, values)


@pytest.mark.parametrize("corrected", [False, True])
def test_photographs_are_known_by_their_names_before_the_first_is_corrected(form, corrected):
    form.show_found(found(".nii.gz", corrected=corrected))
    assert form.chosen_method == recommend(int(corrected)).method
    form.show_found(found(".png", corrected=corrected))
    assert form.chosen_method == recommend(int(corrected), photographs=True).method


def test_remarks_on_labels_are_shown_as_long_as_there_are_some(form):
    form.show_found(replace(found(".png"), remarks=("a.png: turned.", "b.png: turned.")))
    assert form.remarks.isVisibleTo(form)
    assert form.remarks.text() == "2 remarks on labels: a.png: turned."
    assert "b.png" in form.remarks.toolTip()
    form.show_found(found(".png"))
    assert not form.remarks.isVisibleTo(form)


def test_how_long_it_takes_is_said_once_there_are_images(form):
    assert not form.effort.isVisibleTo(form)
    form.show_found(found(".png"))
    assert form.effort.isVisibleTo(form)


def test_no_row_of_a_form_breaks_its_lines(form):
    layouts = form.findChildren(QFormLayout)
    assert layouts
    assert not any(layout.hasHeightForWidth() for layout in layouts), "rows would lie over each other"
