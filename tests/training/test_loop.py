"""The loop waits for no device, gives the same whenever it looks, and trains many images as it trains each alone."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from napari_s3net import phantom
from napari_s3net.errors import DivergedError
from napari_s3net.preprocessing.prepare import prepare
from napari_s3net.runtime.generators import drain
from napari_s3net.settings import Settings, presets
from napari_s3net.training.loop import count_clusters, iterate, share_changed, train_side_by_side
from napari_s3net.training.taught import object_logits, squares_for
from napari_s3net.training.variants import make_trainer

CPU, CARD = torch.device("cpu"), torch.device("meta")
SKIN = presets["skin"].settings.replace(working_size=48)
LONG = SKIN.replace(max_iter=12, min_labels=8)


def plane(seed, settings=SKIN):
    return prepare(phantom.dermoscopy(seed=seed, shape=(64, 64)).image, settings)


def features(seed, settings=SKIN):
    return plane(seed, settings).features


class Counting(TorchDispatchMode):
    """Counts copies between the CPU and torch's device without memory, and the numbers that are read one by one.

    On that device every operator runs and no value exists: whatever would wait for a value fails.
    """

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in ("_to_copy", "copy_"):
            given, target = (args[1], args[0].device) if name == "copy_" else (args[0], (kwargs or {}).get("device"))
            if target is not None and torch.device(target).type != given.device.type:
                self.counts["to the card" if given.device.type == "cpu" else "back"] += 1
                if given.device.type == "meta":
                    return torch.zeros(given.shape, dtype=(kwargs or {}).get("dtype") or given.dtype)
        if name in ("_local_scalar_dense", "nonzero", "unique", "_unique2") and args[0].device.type == "meta":
            self.counts["waits"] += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("n", [1, 3])
def test_a_run_and_what_taught_networks_say_is_one_copy_to_the_card_and_one_back(n):
    planes = [plane(seed) for seed in range(n)]
    many = np.stack([one.features for one in planes])
    squares = [torch.cat(same) for same in zip(*(squares_for(one, SKIN) for one in planes), strict=True)]
    object_logits([square.to(CARD) for square in squares], SKIN)  # the networks stay there from the first image on
    with Counting() as mode:
        trainer = make_trainer(many if n > 1 else many[0], SKIN, CARD, squares)
        assert mode.counts == {"to the card": 1}
        steps = iterate(trainer, SKIN.max_iter, show_seconds=float("inf"))
        next(steps)  # all iterations
        with pytest.raises(StopIteration) as end:
            next(steps)
    assert mode.counts == {"to the card": 1, "back": 1}
    sizes = [(len(square) // n, 1, *square.shape[2:]) for square in squares]
    assert all([tuple(said.shape) for said in one.logits] == sizes for one in end.value.value)
    assert next(trainer.network.parameters()).device.type == "meta"


class Late:
    """A trainer that is looked at every so many iterations, as on a graphics card."""

    def __init__(self, trainer, read_every):
        self.__dict__.update(vars(trainer))
        self.forward, self.is_done, self.read_every = trainer.forward, trainer.is_done, read_every


@pytest.mark.parametrize("read_every", [3, 5, 100])
def test_the_result_does_not_depend_on_when_it_is_looked_at(read_every):
    at_once, late = (
        drain(iterate(Late(make_trainer(features(0), LONG, CPU), every), LONG.max_iter, show_seconds=float("inf")))[0]
        for every in (1, read_every)
    )
    assert len(at_once.losses) < LONG.max_iter  # it came to its end before
    assert at_once.losses == late.losses
    assert np.array_equal(at_once.clusters, late.clusters)
    assert torch.equal(at_once.probabilities, late.probabilities)
    for name, weights in at_once.state.items():
        assert np.array_equal(weights, late.state[name]), name


@pytest.mark.parametrize("settings", [SKIN, LONG], ids=["skin", "ends by itself"])
def test_many_side_by_side_agree_with_each_alone(settings):
    seeds = range(3)
    together = train_side_by_side(
        make_trainer(np.stack([features(s) for s in seeds]), settings, CPU), settings.max_iter
    )
    for seed, ours in zip(seeds, together, strict=True):
        (alone,) = drain(iterate(make_trainer(features(seed), settings, CPU), settings.max_iter))
        assert len(ours.losses) == len(alone.losses)
        for a, b in zip(ours.losses, alone.losses, strict=True):
            assert list(a.values()) == pytest.approx(list(b.values()), abs=1e-4)
        torch.testing.assert_close(ours.probabilities, alone.probabilities, rtol=0, atol=1e-4)


def test_one_whose_loss_is_not_finite_spoils_no_other():
    good = features(0)
    trainer = make_trainer(np.stack([good, good, good]), SKIN, CPU)
    forward = trainer.forward

    def diverging(iteration):
        probabilities, terms = forward(iteration)
        factor = torch.tensor([1.0, float("nan") if iteration == 2 else 1.0, 1.0])
        return probabilities, {name: term * factor for name, term in terms.items()}

    trainer.forward = diverging
    first, failed, third = train_side_by_side(trainer, SKIN.max_iter)
    assert isinstance(failed, DivergedError)
    assert "iteration 2" in str(failed)
    (alone,) = drain(iterate(make_trainer(good, SKIN, CPU), SKIN.max_iter))
    for one in (first, third):
        assert len(one.losses) == SKIN.max_iter
        torch.testing.assert_close(one.probabilities, alone.probabilities, rtol=0, atol=1e-4)


def test_clusters_and_changes_are_counted_image_by_image():
    clusters = torch.tensor([[[0, 0], [3, 3]], [[1, 1], [1, 1]]])
    assert count_clusters(clusters, 4).tolist() == [2, 1]
    before = torch.tensor([[[0, 0], [3, 2]], [[1, 1], [1, 1]]])
    assert share_changed(before, clusters).tolist() == [0.25, 0]
    assert share_changed(None, clusters).tolist() == share_changed(before[:, :1], clusters).tolist() == [1, 1]


def test_a_stack_of_ablated_networks_trains():
    settings = Settings(working_size=32, channels=4, clusters=4, max_iter=2, offsets="free", attention=False)
    results = train_side_by_side(make_trainer(np.stack([features(s, settings) for s in (0, 1)]), settings, CPU), 2)
    assert [len(result.losses) for result in results] == [2, 2]


def test_half_precision_trains_close_to_full_precision():
    full, half = (make_trainer(features(0), SKIN, CPU) for _ in range(2))
    half.half = True
    (a,), (b,) = (drain(iterate(trainer, SKIN.max_iter)) for trainer in (full, half))
    assert b.probabilities.dtype == torch.float32
    assert (a.clusters == b.clusters).mean() > 0.9
    assert not torch.equal(a.probabilities, b.probabilities)
    assert all(weights.dtype == np.float32 for weights in b.state.values())
