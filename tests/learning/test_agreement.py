"""The second round: which volumes both looks agree on, and learning that goes on with them."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net.errors import DivergedError
from napari_s3net.learning import agreement as agreeing
from napari_s3net.learning import train
from napari_s3net.learning.agreement import agreement, drawn_from, iter_agreed, unlabelled_volumes
from napari_s3net.learning.files import checkpoints_of
from napari_s3net.learning.pieces import one_piece_channels
from napari_s3net.learning.predict import iter_apply
from napari_s3net.learning.settings import learn_settings
from napari_s3net.learning.steps import LearnStep
from napari_s3net.learning.stopped import begin, keep_model
from napari_s3net.learning.train import iter_learn
from napari_s3net.network.class_losses import IGNORED
from napari_s3net.progress import Notice
from napari_s3net.runtime.generators import drain, follow
from tests.learning.conftest import TINY
from tests.learning.test_closer import CPU, hearts, same, volume

STEPS, AGAIN, UNLABELLED = 5, 3, 5
ENDS = (STEPS, 2 * STEPS, 2 * STEPS + AGAIN, 2 * (STEPS + AGAIN))


@pytest.fixture
def settings():
    return learn_settings(**{**TINY, "steps": STEPS, "mirror": False})


@pytest.fixture(scope="module")
def learned():
    settings = learn_settings(**{**TINY, "steps": 60, "width": 8, "mirror": False})
    return drain(iter_learn(hearts(), settings, CPU))


@pytest.fixture
def data():
    return hearts(2, unlabelled=UNLABELLED)


def test_agreement_by_hand():
    first, second = np.array([[[1, 1, 2, 0]]]), np.array([[[1, 0, 2, 2]]])
    assert agreement(first, second) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert agreement(first, first) == 1
    assert agreement(first, 0 * first) == 0
    assert agreement(0 * first, 0 * first) == 0


def test_volumes_without_labels_are_found(data):
    assert unlabelled_volumes(data).tolist() == [2, 3, 4, 5, 6]
    partly = data.labels.copy()
    partly[data.planes_of(3)[0], 0, 0] = 0
    assert unlabelled_volumes(replace(data, labels=partly)).tolist() == [2, 4, 5, 6]
    single = data.part(np.flatnonzero((data.files != 4) | (np.arange(len(data)) == data.planes_of(4)[0])))
    assert unlabelled_volumes(single).tolist() == [2, 3, 5, 6]


def test_those_on_which_both_looks_agree_most_get_labels(learned, data):
    blurred = data.images.copy()
    rng = np.random.default_rng(0)
    for file in (3, 5):  # nothing of a heart can be seen in these
        here = data.files == file
        blurred[here] = rng.normal(0, 1, blurred[here].shape)
    data = replace(data, images=blurred)
    seen = []
    agreed = follow(iter_agreed(learned, data, one_piece_channels(data)), seen.append)
    assert len(seen) == UNLABELLED
    assert all(step.iteration == 0 and not step.losses for step in seen)
    assert set(np.unique(agreed.files[agreed.labelled])) == {0, 1, 2, 4, 6}
    truth = hearts(3).labels[hearts(3).files == 2]
    assert (agreed.labels[agreed.files == 2] == truth).mean() > 0.95
    assert (agreed.labels[np.isin(agreed.files, [0, 1])] == data.labels[np.isin(data.files, [0, 1])]).all()
    assert (data.labels[data.files == 2] == IGNORED).all()


def test_stopped_nothing_is_agreed_on(learned, data):
    assert follow(iter_agreed(learned, data, []), lambda _: True) is None


def test_ones_own_labels_are_drawn_as_often_as_those_that_are_agreed_on(data):
    none = np.array([], np.int64)
    own = np.array([0, 1])
    assert (drawn_from(data, own, none) == np.flatnonzero(data.labelled)).all()
    labels = data.labels.copy()
    labels[np.isin(data.files, [2, 3, 4, 5])] = 0
    data = replace(data, labels=labels)
    drawn = drawn_from(data, own, none)
    files, planes = np.unique(data.files[drawn], return_counts=True)
    assert dict(zip(files.tolist(), planes.tolist(), strict=True)) == {0: 8, 1: 8, 2: 4, 3: 4, 4: 4, 5: 4}
    assert set(data.files[drawn_from(data, own, np.array([1]))]) == {0, 2, 3, 4, 5}
    assert set(data.files[drawn_from(data, none, none)]) == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("method", ["plain", "ideal", "kaf", "self-training"])
def test_learning_takes_both_rounds(settings, data, method):
    seen = []
    model = follow(iter_learn(data, settings.replace(method=method), CPU), seen.append)
    steps = [step for step in seen if isinstance(step, LearnStep) and step.losses]
    assert [step.iteration for step in steps] == list(range(1, ENDS[-1] + 1))
    assert {step.total for step in steps} == {ENDS[-1]}
    told = " ".join(one.text for one in seen if isinstance(one, Notice))
    assert re.search(r"also from volumes without labels: [0-3] of 5…", told)  # a decoder may find nothing in some yet
    assert [set(step.losses) for step in steps[ENDS[1] :]] == [{"supervised"}] * 2 * AGAIN
    assert model.card.record["steps"] == model.card.record["steps asked"] == ENDS[-1]
    assert steps[-1].network is model.network
    assert steps[-1].closer is model.closer
    assert drain(iter_apply(volume(), model)).labels.shape == (3, 64, 48)
    once = drain(iter_learn(data, settings.replace(method=method, second_round=False), CPU))
    assert not same(model, once)


@pytest.mark.parametrize("at", [ENDS[0], ENDS[1], ENDS[1] + 1, ENDS[2], ENDS[2] + 1])
def test_stopped_the_first_round_is_kept_and_goes_on_as_if_it_never_was(settings, data, tmp_path, at):
    model, checkpoint = tmp_path / "m.safetensors", tmp_path / "m.checkpoint.safetensors"
    steps = iter_learn(data, settings, CPU, checkpoint=checkpoint)
    stopped = follow(steps, lambda step: getattr(step, "iteration", 0) == at)
    assert stopped.card.record["steps"] == at
    assert stopped.card.record["stopped"]
    if at < ENDS[1]:
        assert stopped.closer is None
    else:
        assert same(stopped, drain(iter_learn(data, settings.replace(second_round=False), CPU)))
    beginning = begin(model, data, settings, again=True)
    assert (beginning.goes_on, beginning.stopped_at, beginning.steps) == (True, at, ENDS[-1])

    seen = []
    whole = follow(iter_learn(data, settings, CPU, checkpoint=checkpoint), seen.append)
    learning = [step.iteration for step in seen if isinstance(step, LearnStep) and step.losses]
    assert learning[0] == at + 1
    assert same(whole, drain(iter_learn(data, settings, CPU)))
    keep_model(model, whole, None)
    assert list(tmp_path.iterdir()) == [model]


def test_stopped_while_it_looks_what_is_agreed_on_it_keeps_the_first_round(settings, data, tmp_path):
    checkpoint = tmp_path / "m.checkpoint.safetensors"
    steps = iter_learn(data, settings, CPU, checkpoint=checkpoint)
    stopped = follow(steps, lambda step: isinstance(step, LearnStep) and not step.losses)
    assert (stopped.card.record["steps"], stopped.card.record["stopped"]) == (ENDS[1], True)
    assert [path.exists() for path in checkpoints_of(checkpoint)] == [True, True, False, False]


@pytest.mark.parametrize("look", [2, 3])
@pytest.mark.parametrize("what", ["diverged", "memory"])
def test_where_the_second_round_fails_the_first_is_kept(settings, data, monkeypatch, look, what):
    updates, begun = train.iter_updates, []

    def failing(state, *args, **options):
        begun.append(state)
        if len(begun) <= look:
            return (yield from updates(state, *args, **options))
        raise DivergedError("It is not finite.") if what == "diverged" else RuntimeError("CUDA out of memory")

    monkeypatch.setattr(train, "iter_updates", failing)
    seen = []
    model = follow(iter_learn(data, settings, CPU), seen.append)
    monkeypatch.undo()
    assert seen[-1].text.endswith("What was learned before is kept, without a second round.")
    assert model.card.record["steps"] == ENDS[1]
    assert same(model, drain(iter_learn(data, settings.replace(second_round=False), CPU)))


def test_where_memory_runs_out_on_looking_it_is_tried_again_with_less(settings, data, monkeypatch):
    look, tried = agreeing.look_twice, []

    def failing(*args):
        tried.append(args)
        if len(tried) == 1:
            raise RuntimeError("CUDA out of memory")
        return look(*args)

    monkeypatch.setattr(agreeing, "look_twice", failing)
    seen = []
    model = follow(iter_learn(data, settings, CPU), seen.append)
    assert any(isinstance(one, Notice) and one.text.startswith("Out of memory") for one in seen)
    assert model.card.record["steps"] == ENDS[-1]


def test_images_set_aside_are_not_learned_from_in_the_second_round(settings):
    seen = []
    model = follow(iter_learn(hearts(5, unlabelled=UNLABELLED), settings, CPU), seen.append)
    assert seen[-1].validation == pytest.approx(model.card.record["dice on images set aside"], abs=1e-4)
    assert torch.isfinite(next(model.network.parameters())).all()
