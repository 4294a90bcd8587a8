"""What is copied is run: the same labels as in the dock, for every kind of image that can be had again."""

import re
import shlex
from dataclasses import replace

import napari
import nibabel
import numpy as np
import PIL.Image
import pytest
from napari.layers._source import layer_source

from napari_s3net import cli, phantom
from napari_s3net.cli import segment as segment_command
from napari_s3net.cli.inputs import Input
from napari_s3net.image import Geometry
from napari_s3net.io import read_image
from napari_s3net.io.on_image import labels_on
from napari_s3net.plugin.contributions import reader, samples
from napari_s3net.plugin.jobs.session import Phase
from napari_s3net.plugin.layers.placement import KEY
from napari_s3net.plugin.layers.plane_key import PlaneKey
from napari_s3net.plugin.layers.proxy import plain
from napari_s3net.plugin.layers.run_cache import put_run
from napari_s3net.plugin.layers.source import source_of
from napari_s3net.plugin.segment import copy_result
from napari_s3net.plugin.segment.copy_result import as_command, as_python, result_to_copy
from napari_s3net.plugin.widgets.extent import RANGE, SLICE, VOLUME
from napari_s3net.provenance import PROGRAM
from tests.volume.conftest import make_chest

SMALL = {"working_size": 32, "clusters": 3, "max_iter": 2, "seed": 4}


def open_as(viewer, data, **came):
    """Add a layer as napari does when it opens a file or a sample."""
    array, attributes, _ = data
    with layer_source(**came):
        return viewer.add_image(array, **attributes)


def open_file(viewer, path):
    (data,) = reader.read(str(path))
    return open_as(viewer, data, path=str(path), reader_plugin=PROGRAM)


def photograph(viewer, folder):
    PIL.Image.fromarray(phantom.dermoscopy().image.array[::8, ::8]).save(folder / "mole 1.png")
    open_file(viewer, folder / "mole 1.png")


def volume(viewer, folder, depth=8):
    array, _ = make_chest(depth=depth)
    affine = np.diag([-4, -5, 3, 1])
    nibabel.save(nibabel.Nifti1Image(array[:, 6:].transpose(2, 1, 0), affine), folder / "chest.nii.gz")
    open_file(viewer, folder / "chest.nii.gz")


def series(viewer, folder):
    array, _ = make_chest(depth=6)
    moments = np.stack([array, np.roll(array, 6, 2)])
    nibabel.save(nibabel.Nifti1Image(moments.transpose(3, 2, 1, 0), np.diag([-4, -5, 3, 1])), folder / "heart.nii")
    open_file(viewer, folder / "heart.nii")
    viewer.dims.set_current_step(0, 1)


def sample(viewer, folder):
    open_as(viewer, samples.chest_ct()[0], sample=(PROGRAM, "chest_ct"))


def array(viewer, folder):
    viewer.add_image(make_chest(depth=6)[0], name="it's mine", scale=(3, 4, 4), units=("mm",) * 3)


def rolled(order, at):
    def make(viewer, folder):
        volume(viewer, folder, depth=18)
        viewer.dims.order = order
        viewer.dims.set_current_step(order[0], at)

    return make


KINDS = {
    "photograph": (photograph, None),
    "sample": (sample, None),
    "slice": (volume, SLICE),
    "slice along 1": (rolled((1, 0, 2), 30), SLICE),
    "slice along 2": (rolled((2, 0, 1), 30), SLICE),
    "slice of a series": (series, SLICE),
    "slice of an array": (array, SLICE),
    "volume": (volume, VOLUME),
    "volume of a series": (series, VOLUME),
    "range": (volume, RANGE),
    "range along 1": (rolled((1, 0, 2), 3), RANGE),
}


@pytest.fixture
def run_in_dock(dock, viewer, tmp_path, qtbot, monkeypatch):
    """Open, choose what is segmented, run; the result, the plane in view, and what was segmented of the layer."""

    def run(make, extent):
        make(viewer, tmp_path)
        if extent is not None:
            dock.extent.choice.value = extent
        dock.extent.range.setValue((2, 5))
        dock.choosers.show_settings(dock.choosers.settings().replace(**SMALL))
        dock.run()
        qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=120_000)
        assert dock.session.phase is Phase.DONE, dock.session.message
        layer, source = plain(viewer.layers[-1]), dock.source
        return layer, source, source.key.stack_in(layer.data)[2:6] if extent == RANGE else part(layer, source, extent)

    def part(layer, source, extent):
        return source.key.stack_in(layer.data) if extent == VOLUME else layer.data[source.index]

    monkeypatch.setattr(napari, "current_viewer", lambda: viewer)
    return run


@pytest.mark.parametrize("kind", [kind for kind, (_, extent) in KINDS.items() if extent in (None, SLICE)])
def test_what_is_copied_segments_the_very_image_that_was_segmented(run_in_dock, fake_runs, tmp_path, kind):
    layer, source, _ = run_in_dock(*KINDS[kind])
    made = result_to_copy(layer, source, "cpu")
    exec(as_python(made), {})  # noqa: S102 - the text under test
    (image, settings, _), (again, settings_again, device) = fake_runs.asked
    assert device == "cpu"
    assert settings_again == settings
    assert (again.kind, again.geometry) == (image.kind, image.geometry)
    assert np.array_equal(again.array, image.array)
    if "array" in kind or "sample" in kind:
        return
    options = cli._parser().parse_args(shlex.split(as_command(made))[1:])
    read = segment_command._read(Input(options.inputs[0], "x"), options)
    assert (read.kind, read.geometry) == (image.kind, image.geometry)
    assert np.array_equal(read.array, image.array)
    assert options.seed == SMALL["seed"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_copied_makes_the_same_labels(run_in_dock, tmp_path, monkeypatch, kind):
    layer, source, labels = run_in_dock(*KINDS[kind])
    assert len(np.unique(labels)) > 1
    made = result_to_copy(layer, source, "cpu")
    again = {}
    exec(as_python(made), again)  # noqa: S102 - the text under test
    assert np.array_equal(again["labels"], labels)
    assert np.array_equal(again["mask"], np.isin(labels, layer.metadata[KEY]["foreground"]))
    command = as_command(made)
    if "array" in kind:
        assert command == copy_result.NO_FILE
        return
    monkeypatch.chdir(tmp_path)
    for one in command.split(" && "):
        assert cli.main(shlex.split(one)[1:]) == 0
    (written,) = (tmp_path / "labels").glob("*_labels.*")
    read = read_image(written)
    array = read.array[..., 0] if kind == "photograph" and read.array.ndim == 3 else read.array
    segmented = again["image"]
    if part := re.search(r"image(\.slices?\([^)]*\))", as_python(made)):
        segmented = eval(f"image{part[1]}", {"image": segmented})  # noqa: S307 - of the text under test
    assert np.array_equal(labels_on(segmented, array, read.geometry), labels)


@pytest.mark.slow
def test_each_slice_is_told_as_it_was_made_with_the_layers_numbers(run_in_dock, dock, viewer, qtbot):
    """A slice after another one gets the stack's numbers, which a run on it alone does not know."""
    layer, source, _ = run_in_dock(volume, SLICE)
    viewer.dims.set_current_step(0, 6)
    assert result_to_copy(layer, dock.source, "cpu") == copy_result.NO_RUN
    dock.run()
    qtbot.waitUntil(lambda: not dock.session.phase.is_busy, timeout=120_000)
    for key in (source, dock.source):
        again = {}
        exec(as_python(result_to_copy(layer, key, "cpu")), again)  # noqa: S102 - the text under test
        assert np.array_equal(again["labels"], layer.data[key.index])


@pytest.fixture
def result(fake_runs, run_in_dock):
    layer, source, _ = run_in_dock(photograph, None)
    return layer, source


def test_other_numbers_and_a_chosen_object_are_told(result):
    layer, source = result
    layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], "foreground": [1, 2]}}
    run = copy_result.cached_run(layer, source.key)
    put_run(layer, source.key, replace(run, numbers={1: 2, 2: 1}))
    made = result_to_copy(layer, source, "cpu")
    assert "labels = renumber(result.labels, {1: 2, 2: 1})\nmask = np.isin(labels, [1, 2])\n" in as_python(made)
    assert "1 → 2, 2 → 1" in as_command(made)
    assert "# In napari the object was chosen by hand: label 1, 2." in as_command(made)


def test_changed_and_stopped_results_say_so(result, fake_runs):
    layer, source = result
    assert not as_python(result_to_copy(layer, source, "cpu")).startswith("#")
    layer.data[:3, :3] = 99
    layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], "stopped": True}}
    for text in (as_python, as_command):
        remarks = text(result_to_copy(layer, source, "cpu")).splitlines()[:2]
        assert remarks == [copy_result.CHANGED, copy_result.STOPPED.format(fake_runs.iterations)]


def test_what_a_learned_model_gave_is_not_called_a_run(result):
    layer, source = result
    layer.metadata = {**layer.metadata, KEY: {**layer.metadata[KEY], "model": {"digest": "1"}}}
    assert result_to_copy(layer, source, "cpu") == copy_result.LEARNED


def test_a_file_that_another_program_has_read_is_taken_from_its_layer(viewer, tmp_path):
    photograph(viewer, tmp_path)
    with layer_source(path=str(tmp_path / "mole 1.png"), reader_plugin="napari"):
        layer = viewer.add_image(viewer.layers[0].data, name="mole")
    assert source_of(layer, viewer.dims.point, (0, 1)).origin.path is None


def test_a_pixel_size_that_was_given_is_told_in_python(run_in_dock, fake_runs, viewer, tmp_path):
    def slice_without_size(viewer, folder):
        PIL.Image.fromarray(make_chest()[0][2].astype(np.int32)).save(folder / "hu.tif")
        ((array, attributes, kind),) = reader.read(str(folder / "hu.tif"))
        given = {**attributes, "scale": (4.0, 4.0), "units": ("mm", "mm")}
        open_as(viewer, (array, given, kind), path=str(folder / "hu.tif"), reader_plugin=PROGRAM)

    layer, source, _ = run_in_dock(slice_without_size, None)
    made = result_to_copy(layer, source, "cpu")
    assert as_command(made) == copy_result.GIVEN_SIZE
    again = {}
    exec(as_python(made), again)  # noqa: S102 - the text under test
    assert again["image"].geometry.spacing == (4.0, 4.0)
    assert again["image"].geometry == fake_runs.asked[0][0].geometry


def test_a_plane_through_moments_is_not_made_up(result):
    layer, source = result
    through = replace(source, key=PlaneKey((None, 0, 0, None)))
    about = {**layer.metadata[KEY], "geometry": Geometry.identity(3)}
    layer.metadata = {KEY: about}
    assert result_to_copy(layer, through, "cpu") == copy_result.TIME_IN_VIEW
