"""The second look at volumes: where it looks, that it learns, stops, goes on and is kept, and what it changes."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.image import Geometry, Image
from napari_s3net.learning import train
from napari_s3net.learning.closer import Part, cut, find_part, find_parts, lay_back, look_closer, near_set
from napari_s3net.learning.files import checkpoints_of
from napari_s3net.learning.looks import plan_looks
from napari_s3net.learning.model import load_model, save_model
from napari_s3net.learning.predict import iter_apply, predict_square
from napari_s3net.learning.settings import learn_settings
from napari_s3net.learning.steps import LearnStep
from napari_s3net.learning.stopped import begin, keep_model
from napari_s3net.learning.train import iter_learn
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.progress import Notice
from napari_s3net.runtime.generators import drain, follow
from tests.learning.conftest import TINY
from tests.learning.test_pieces import heart, set_of, with_island

CPU = torch.device("cpu")
STEPS = 6


def boxes(*places, shape=(3, 40, 40)):
    mask = np.zeros(shape, bool)
    for rows, columns in places:
        mask[1, slice(*rows), slice(*columns)] = True
    return mask


def hearts(n=2, slices=4, unlabelled=0):
    """Bright and dark bars on grey, all volumes alike but for noise."""
    data = set_of(*[heart(slices)] * (n + unlabelled))
    rng = np.random.default_rng(0)
    grey = np.array([0.0, 2, -2])[data.labels] + rng.normal(0, 0.1, data.labels.shape)
    blind = np.where(np.isin(data.files, range(n))[:, None, None], data.labels, np.int8(IGNORED))
    return replace(data, images=grey[:, None].astype(np.float16), labels=blind)


@pytest.fixture
def settings():
    return learn_settings(**{**TINY, "steps": STEPS, "mirror": False})


@pytest.fixture(scope="module")
def learned():
    settings = learn_settings(**{**TINY, "steps": 60, "width": 8, "mirror": False})
    return drain(iter_learn(hearts(), settings, CPU))


def silent(learned):
    """Its first network, but it finds background alone."""
    network = copy.deepcopy(learned.network)
    with torch.no_grad():
        network.decoders[0].head.bias[:] = torch.tensor([50.0, 0, 0])
    return network


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.weights().values(), b.weights().values(), strict=True))


def volume(slices=3, shape=(64, 48)):
    grey = np.repeat(np.repeat(hearts(1, slices).images[:, 0].astype(np.float32), 2, axis=1), 2, axis=2)
    axes = tuple(map(tuple, np.eye(3).tolist()))
    return Image(grey[:, : shape[0], : shape[1]], Geometry((1.0,) * 3, (0.0,) * 3, axes), "grey", "v")


def test_the_part_is_twice_as_long_as_the_object_without_its_outermost():
    part = find_part(boxes(((10, 20), (12, 18))))
    assert (part.y, part.x) == pytest.approx((15 / 40, 15 / 40), abs=0.02)
    assert part.side == pytest.approx(2 * 10 / 40)
    with_speck = find_part(boxes(((10, 20), (12, 18)), ((38, 40), (38, 39))))
    assert with_speck == part


@pytest.mark.parametrize("mask", [boxes(), boxes(((2, 38), (10, 12)))], ids=["nothing", "as long as the plane"])
def test_there_may_be_no_part_to_look_at(mask):
    assert find_part(mask) is None


def test_a_part_lies_within_the_plane():
    part = find_part(boxes(((0, 10), (32, 40))))
    assert part.y == pytest.approx(part.side / 2)
    assert part.x == pytest.approx(1 - part.side / 2)


@pytest.mark.parametrize("shape", [(32, 32), (32, 48)])
def test_what_is_cut_out_is_laid_back_to_where_it_was(shape):
    part = Part(0.4, 0.6, 0.5)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    planes = torch.from_numpy(np.stack([y, x]))[None]
    near = cut(planes, part)
    rows = (np.arange(shape[0]) + 0.5) / shape[0] * 0.5 * shape[0] + (0.4 - 0.25) * shape[0] - 0.5
    assert near[0, 0, :, 3].numpy() == pytest.approx(rows, abs=1e-4)

    square = (torch.linspace(0, 1, 32)[None, None, :, None]).expand(1, 1, 32, 32)
    found = torch.cat([1 - square, square], dim=1)
    whole = lay_back(found, part, shape)
    assert whole.shape == (1, 2, *shape)
    assert torch.allclose(whole.sum(dim=1), torch.ones(1, *shape))
    middle = round((0.4) * shape[0]), round(0.6 * shape[1])
    assert whole[0, 1, middle[0], middle[1]].item() == pytest.approx(0.5, abs=0.05)
    assert (whole[0, 0, : int(0.14 * shape[0])] == 1).all()
    assert (whole[0, 0, :, : int(0.34 * shape[1])] == 1).all()


def big(slices=4):
    labels = np.zeros((slices, 32, 32), np.int8)
    labels[:, 2:30, 2:30] = 1
    return labels


@pytest.mark.parametrize(
    ("volumes", "looks"),
    [
        ((heart(), heart()), 2),
        ((heart(),), 1),
        ((heart(), with_island(heart())), 1),
        ((heart(), big()), 1),
        (tuple(heart(1) for _ in range(4)), 1),
    ],
    ids=["two volumes", "one is too few", "two pieces", "an object as large as the plane", "single planes"],
)
def test_it_is_looked_closer_at_volumes_whose_object_is_small_and_in_one_piece(settings, volumes, looks):
    assert plan_looks(set_of(*volumes), settings)[0].total == looks * STEPS
    assert plan_looks(set_of(*volumes), settings.replace(look_closer=False))[0].total == STEPS


def test_parts_are_those_of_labels_and_elsewhere_of_the_first_look(learned):
    data = hearts(2, unlabelled=1)
    parts = find_parts(learned.network, data, np.arange(3), unseen=np.array([1]))
    assert parts[0] == find_part(heart() > 0)
    for file in (1, 2):  # what the network has learned of them, which is about the same
        assert (parts[file].y, parts[file].x) == pytest.approx((parts[0].y, parts[0].x), abs=0.06)
    near = near_set(data, parts)
    assert (near.labels[near.files == 2] == IGNORED).all()
    seen = near.labels[near.files == 0]
    assert set(np.unique(seen)) == {0, 1, 2}
    assert (seen > 0).sum() > 1.5 * (heart() > 0).sum()
    assert near.images[near.files == 0][:, 0][seen == 1].mean() > 1


def test_learning_counts_the_steps_of_both_looks(settings):
    seen = []
    model = follow(iter_learn(hearts(), settings, CPU), seen.append)
    steps = [step for step in seen if isinstance(step, LearnStep)]
    assert [step.iteration for step in steps] == list(range(1, 2 * STEPS + 1))
    assert {step.total for step in steps} == {2 * STEPS}
    assert all(step.network is not model.closer for step in steps)
    assert [step.closer is not None for step in steps] == [False] * STEPS + [True] * STEPS
    assert {step.closer for step in steps[STEPS:]} == {model.closer}
    assert model.card.record["steps"] == model.card.record["steps asked"] == 2 * STEPS
    assert model.closer is not None
    assert not torch.equal(next(model.closer.parameters()), next(model.network.parameters()))


@pytest.mark.parametrize("method", ["ideal", "kaf", "self-training"])
def test_every_method_looks_closer(settings, method):
    changed = settings.replace(method=method)
    model = drain(iter_learn(hearts(unlabelled=1), changed, CPU))
    assert model.closer is not None
    assert drain(iter_apply(volume(), model)).labels.shape == (3, 64, 48)


@pytest.mark.parametrize("at", [3, STEPS, STEPS + 2])
def test_stopped_it_is_not_kept_and_goes_on_as_if_it_never_was(settings, tmp_path, at):
    data, model, checkpoint = hearts(), tmp_path / "m.safetensors", tmp_path / "m.checkpoint.safetensors"
    stopped = follow(
        iter_learn(data, settings, CPU, checkpoint=checkpoint), lambda step: getattr(step, "iteration", 0) == at
    )
    assert stopped.closer is None
    assert stopped.card.record["steps"] == at
    assert checkpoint.exists()
    beginning = begin(model, data, settings, again=True)
    assert (beginning.goes_on, beginning.stopped_at, beginning.steps) == (True, at, 2 * STEPS)

    first = []
    whole = follow(
        iter_learn(data, settings, CPU, checkpoint=checkpoint),
        lambda step: first.append(step.iteration) if isinstance(step, LearnStep) else None,
    )
    assert first[0] == at + 1
    assert same(whole, drain(iter_learn(data, settings, CPU)))
    keep_model(model, whole, None)
    assert list(tmp_path.iterdir()) == [model]


def test_of_another_run_both_checkpoints_are_removed(settings, tmp_path):
    checkpoint = tmp_path / "m.checkpoint.safetensors"
    steps = iter_learn(hearts(), settings, CPU, checkpoint=checkpoint)
    follow(steps, lambda step: getattr(step, "iteration", 0) == STEPS + 1)
    assert checkpoints_of(checkpoint)[1].exists()
    begin(tmp_path / "m.safetensors", hearts(), settings.replace(seed=3), again=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["diverged", "memory"])
def test_where_the_second_look_fails_the_first_is_kept(settings, tmp_path, monkeypatch, what):
    checkpoint, updates = tmp_path / "m.checkpoint.safetensors", train.iter_updates

    def failing(state, *args, more=False, **options):
        if more:
            return (yield from updates(state, *args, more=more, **options))
        raise DivergedError("It is not finite.") if what == "diverged" else RuntimeError("CUDA out of memory")

    monkeypatch.setattr(train, "iter_updates", failing)
    seen = []
    model = follow(iter_learn(hearts(), settings, CPU, checkpoint=checkpoint), seen.append)
    assert model.closer is None
    assert model.card.record["steps"] == STEPS
    assert isinstance(seen[-1], Notice)
    assert seen[-1].text.endswith("is kept, without the closer look.")
    keep_model(tmp_path / "m.safetensors", model, None)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_images_set_aside_are_measured_by_both_looks(settings):
    seen = []
    model = follow(iter_learn(hearts(5), settings, CPU), seen.append)
    assert seen[-1].validation == pytest.approx(model.card.record["dice on images set aside"], abs=1e-4)


def test_both_networks_come_back_from_the_file(learned, tmp_path):
    save_model(tmp_path / "m.safetensors", learned)
    again = load_model(tmp_path / "m.safetensors")
    assert again.digest() == learned.digest()
    assert again.closer is not None
    assert replace(again, closer=None).digest() != again.digest()
    lost = replace(learned, closer=torch.nn.ParameterDict({"head": torch.zeros(1)}))
    save_model(tmp_path / "lost.safetensors", lost)
    with pytest.raises(ModelFileError, match="do not fit together"):
        load_model(tmp_path / "lost.safetensors")


def test_a_volume_is_looked_at_twice_and_a_plane_once(learned):
    image, seen = volume(), []
    result = follow(iter_apply(image, learned), seen.append)
    assert [(step.iteration, step.total, step.slice) for step in seen] == [
        *((1, 2, n) for n in range(3)),
        *((2, 2, n) for n in range(3)),
    ]
    truth = np.array([0, 5, 7])[np.repeat(np.repeat(heart(3), 2, axis=1), 2, axis=2)[:, :64, :48]]
    assert ((result.labels == 5) & (truth == 5)).sum() > 0.7 * (truth == 5).sum()
    first = drain(iter_apply(image, replace(learned, closer=None)))
    assert (first.labels != result.labels).any()
    alone = follow(iter_apply(image.slice(1), learned), seen.append)
    assert (alone.labels == drain(iter_apply(image.slice(1), replace(learned, closer=None))).labels).all()


def test_stopped_at_the_second_look_the_first_stays(learned):
    image = volume()
    stopped = follow(iter_apply(image, learned), lambda step: (step.iteration, step.slice) == (2, 0))
    both, first = (drain(iter_apply(image, model)) for model in (learned, replace(learned, closer=None)))
    assert (stopped.labels[0] == both.labels[0]).all()
    assert (stopped.labels[1:] == first.labels[1:]).all()
    assert not stopped.provenance.stopped


def test_a_preview_shows_what_the_second_look_has_learned(learned):
    data = hearts()
    square, shape = data.images[1].astype(np.float32), (64, 48)
    first = predict_square(learned.network, square, shape, 10)
    both = predict_square(learned.network, square, shape, 10, learned.closer)
    part = find_part(first.argmax(axis=0)[None] > 0)
    assert (both == look_closer(learned.closer, square[None], part, shape, 10)[0].numpy()).all()
    assert (both.argmax(axis=0) != first.argmax(axis=0)).any()
    alone, again = (predict_square(silent(learned), square, shape, 10, one) for one in (None, learned.closer))
    assert (alone == again).all()


def test_where_the_first_look_finds_nothing_there_is_no_second(learned):
    seen = []
    result = follow(iter_apply(volume(), replace(learned, network=silent(learned))), seen.append)
    assert not result.labels.any()
    assert {step.iteration for step in seen} == {1}
