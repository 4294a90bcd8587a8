import numpy as np
import pytest
import torch

from napari_s3net.image import Geometry, Image
from napari_s3net.io.write import write_labels
from napari_s3net.learning import predict
from napari_s3net.learning.examples import ExampleSet
from napari_s3net.learning.files import find_images_with_labels
from napari_s3net.learning.model import load_model, save_model
from napari_s3net.learning.pieces import ONE_PIECE, keep_one_piece, one_piece_groups
from napari_s3net.learning.planes import InputNormalisation
from napari_s3net.learning.read_examples import iter_examples
from napari_s3net.learning.settings import learn_settings
from napari_s3net.learning.train import iter_learn
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.runtime.generators import drain
from tests.learning.conftest import TINY, scene

GEOMETRY = Geometry((1.0,) * 3, (0.0,) * 3, tuple(map(tuple, np.eye(3).tolist())))


def heart(slices=4):
    """Two classes side by side, each a bar through all slices; values 5 and 7 in files."""
    labels = np.zeros((slices, 32, 32), np.int8)
    labels[:, 8:14, 8:14], labels[:, 8:14, 14:20] = 1, 2
    return labels


def set_of(*volumes, positions=None):
    labels = np.concatenate(volumes)
    files = np.repeat(np.arange(len(volumes)), [len(volume) for volume in volumes])
    places = np.concatenate([np.linspace(0, 1, len(volume)) for volume in volumes]) if positions is None else positions
    return ExampleSet(
        images=np.zeros((len(labels), 1, 32, 32), np.float16),
        labels=labels,
        files=files,
        positions=places.astype(np.float32),
        names=tuple(f"v{n}.nii.gz" for n in range(len(volumes))),
        classes={5: "Left", 7: "Right"},
        normalisation=InputNormalisation(1),
        stacks=True,
    )


def with_island(labels, channel=2):
    labels = labels.copy()
    labels[1:3, 24:28, 24:28] = channel
    return labels


def test_whole_volumes_tell_what_is_in_one_piece():
    assert one_piece_groups(set_of(heart(), heart())) == [[5, 7], [5], [7]]


def test_a_second_piece_in_one_volume_is_enough_to_say_nothing():
    assert one_piece_groups(set_of(heart(), with_island(heart()))) == [[5]]


def test_a_few_loose_pixels_do_not_count():
    loose = heart()
    loose[0, 30, 30] = 1
    assert one_piece_groups(set_of(heart(), loose)) == [[5, 7], [5], [7]]


def test_pieces_touch_through_slices():
    wandering = np.zeros((3, 32, 32), np.int8)
    for z in range(3):
        wandering[z, 8 + 4 * z : 14 + 4 * z, 8:14] = 1
    assert one_piece_groups(set_of(wandering, wandering)) == [[5, 7], [5]]
    apart = wandering.copy()
    apart[1] = 0
    assert one_piece_groups(set_of(apart, apart)) == []


def test_slices_are_put_in_order_first():
    order = np.array([0, 2, 1])
    wandering = np.zeros((3, 32, 32), np.int8)
    for z in range(3):
        wandering[z, 8 + 4 * z : 14 + 4 * z, 8:14] = 1
    shuffled = set_of(wandering[order], wandering[order], positions=np.tile(order / 2, 2))
    assert one_piece_groups(shuffled) == [[5, 7], [5]]


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("pixels that nobody has labelled", lambda labels: labels.__setitem__((0, 31), IGNORED)),
        ("a slice between that nobody has labelled", lambda labels: labels.__setitem__(1, IGNORED)),
        ("one slice alone", lambda labels: labels.__setitem__(slice(1, None), IGNORED)),
        ("no slice", lambda labels: labels.__setitem__(slice(None), IGNORED)),
    ],
)
def test_volumes_that_are_not_whole_say_nothing(what, change):
    partial = heart()
    change(partial)
    assert one_piece_groups(set_of(heart(), partial)) == [], what
    assert one_piece_groups(set_of(heart(), heart(), partial)) == [[5, 7], [5], [7]], what


def test_unlabelled_slices_at_the_ends_do_not_matter():
    partial = heart(6)
    partial[[0, -1]] = IGNORED
    assert one_piece_groups(set_of(partial, partial)) == [[5, 7], [5], [7]]


def test_one_volume_or_single_planes_say_nothing():
    assert one_piece_groups(set_of(heart())) == []
    assert one_piece_groups(set_of(*[heart(1)] * 5)) == []


def test_smaller_pieces_take_the_label_beside_them():
    values = np.array([0, 5, 7], np.int32)
    labels = values[with_island(heart())]
    labels[2, 10, 10] = 7  # a hole in the left bar
    kept = keep_one_piece(labels, [[5, 7], [5], [7]])
    assert (kept == values[heart()]).all()
    assert (keep_one_piece(labels, []) == labels).all()
    assert (keep_one_piece(labels, [[5]]) == labels).all()


def bars(seed):
    rng = np.random.default_rng(seed)
    labels = heart().astype(np.int32)
    grey = np.array([120, 220, 30])[labels] + rng.normal(0, 4, labels.shape)
    return np.clip(grey, 0, 255).astype(np.uint8), np.array([0, 5, 7], np.int32)[labels]


@pytest.mark.parametrize("wanted", [True, False])
def test_a_model_knows_it_and_new_volumes_keep_the_largest_piece(tmp_path, monkeypatch, wanted):
    for n in range(2):
        for name, array in zip(("", "_gt"), bars(n), strict=True):
            write_labels(tmp_path / f"v{n}{name}.nii.gz", array, GEOMETRY)
    data = drain(iter_examples(find_images_with_labels(tmp_path, tmp_path), 32))
    settings = learn_settings(**{**TINY, "steps": 1}, one_piece=wanted, look_closer=False)
    save_model(tmp_path / "m.safetensors", drain(iter_learn(data, settings, torch.device("cpu"))))
    model = load_model(tmp_path / "m.safetensors")
    assert model.card.record[ONE_PIECE] == ([[5, 7], [5], [7]] if wanted else [])

    seen = iter(with_island(heart()))

    def answers(model, plane):
        return np.eye(3, dtype=np.float32)[next(seen)].transpose(2, 0, 1)

    monkeypatch.setattr(predict, "predict_plane", answers)
    result = drain(predict.iter_apply(Image(bars(3)[0], GEOMETRY, "grey", "v"), model))
    assert (result.labels[:, 24:28, 24:28] == 7).any() is np.bool_(not wanted)
    assert (predict.LEFT_OUT in result.provenance.note) is wanted
    assert (result.labels[:, 8:14, 8:20] > 0).all()


def test_planes_and_volumes_with_one_piece_are_told_nothing(tmp_path, monkeypatch):
    settings = learn_settings(**{**TINY, "steps": 1}, look_closer=False)
    model = drain(iter_learn(set_of(heart(), heart()), settings, torch.device("cpu")))
    assert model.card.record[ONE_PIECE]
    monkeypatch.setattr(
        predict, "predict_plane", lambda model, plane: np.eye(3, dtype=np.float32)[heart()[0]].transpose(2, 0, 1)
    )
    grey = scene(0, (32, 32))[0]
    for image in (Image(grey, Geometry.identity(2), "grey", "p"), Image(np.stack([grey] * 3), GEOMETRY, "grey", "v")):
        assert predict.LEFT_OUT not in drain(predict.iter_apply(image, model)).provenance.note
