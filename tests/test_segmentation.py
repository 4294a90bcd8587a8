"""The loop: known scenes come back, the same seed gives the same labels, stopping keeps, closing cleans."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net import phantom, segmentation
from napari_s3net.errors import DivergedError, InvalidImageError, OutOfMemoryError
from napari_s3net.image import as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.network.state import load_state
from napari_s3net.preprocessing.prepare import to_features
from napari_s3net.progress import Step
from napari_s3net.result import Segmentation
from napari_s3net.runtime.generators import follow
from napari_s3net.segmentation import iter_segment, segment, train
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.variants import make_trainer

QUICK = Settings(working_size=64, channels=8, clusters=4, max_iter=8, min_labels=2)


def drain(run):
    """Every step, and the result."""
    steps = []
    return steps, follow(run, steps.append)


def test_a_disc_comes_back():
    sample = phantom.disc()
    result = segment(sample.image, settings=QUICK)
    assert dice(result.mask, sample.mask) > 0.95


def test_four_quadrants_come_back_as_four_labels():
    sample = phantom.quadrants()
    array = sample.image.array.astype(np.float32)
    tissue = replace(sample.image, array=1000 * (array - array.min()) / np.ptp(array), kind="ct")
    asked = Settings(clusters=5, min_labels=4, target="body", window_low=0.0)
    result = segment(tissue, settings=asked)
    h, w = result.labels.shape
    corners = [result.labels[i, j] for i in (h // 4, 3 * h // 4) for j in (w // 4, 3 * w // 4)]
    assert len(set(corners)) == 4
    for corner, (i, j) in zip(corners, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
        quadrant = np.zeros((h, w), bool)
        quadrant[i * h // 2 : (i + 1) * h // 2, j * w // 2 : (j + 1) * w // 2] = True
        assert dice(result.labels == corner, quadrant) > 0.93  # learned at half the size


@pytest.mark.parametrize(("make", "name"), [(phantom.dermoscopy, "skin"), (phantom.chest_ct, "ct-lung")])
def test_the_samples_are_found(make, name):
    sample = make(seed=0)
    result = segment(sample.image, settings=preset_settings(name).replace(max_iter=3, working_size=128))
    assert dice(result.mask, sample.mask) > 0.9
    assert result.labels.shape == sample.image.shape
    assert result.geometry == sample.image.geometry
    assert set(result.names) == set(np.unique(result.labels).tolist())
    assert 2 <= len(result.names) <= 16


def test_the_same_seed_gives_the_same_labels():
    image = phantom.disc().image
    first, second = segment(image, settings=QUICK), segment(image, settings=QUICK)
    assert np.array_equal(first.labels, second.labels)
    assert first.provenance.losses == second.provenance.losses


def test_one_step_an_iteration_with_named_finite_losses():
    steps, result = drain(iter_segment(phantom.disc().image, QUICK))
    assert isinstance(result, Segmentation)
    assert all(isinstance(s, Step) for s in steps)
    assert [s.iteration for s in steps] == list(range(1, len(steps) + 1))
    assert len(result.provenance.losses) == len(steps) <= QUICK.max_iter
    assert all(set(s.losses) == {"cluster", "transformation", "spatial"} for s in steps)
    assert all(np.isfinite(list(s.losses.values())).all() for s in steps)
    assert all(s.preview is None for s in steps)
    assert not result.provenance.stopped
    assert result.provenance.iterations == len(steps)
    assert result.provenance.seconds > 0
    assert not any(torch.is_tensor(v) for s in steps for v in s.losses.values())


def test_stop_keeps_what_there_is():
    run = iter_segment(phantom.disc().image, QUICK)
    next(run)
    with pytest.raises(StopIteration) as end:
        run.send(True)
    result = end.value.value
    assert result.provenance.stopped
    assert len(result.provenance.losses) == 1
    assert result.labels.min() >= 1


def test_previews_are_copies_of_the_images_size():
    image = phantom.disc().image
    steps, _ = drain(iter_segment(image, QUICK, preview_seconds=0.0))
    shots = [s.preview for s in steps]
    assert all(s.shape == image.shape and s.dtype == np.uint8 for s in shots)
    assert not any(np.shares_memory(shots[0], s) for s in shots[1:])


@pytest.mark.parametrize("end", ["close", "finish"])
def test_nothing_of_the_network_stays_behind(monkeypatch, end):
    alive = []

    make = segmentation.make_trainer

    def watched(*arguments):
        trainer = make(*arguments)
        alive.append(weakref.ref(next(trainer.network.parameters())))
        return trainer

    monkeypatch.setattr(segmentation, "make_trainer", watched)
    run = iter_segment(phantom.disc().image, QUICK)
    next(run)
    if end == "close":
        run.close()
    else:
        drain(run)
    del run
    gc.collect()
    assert alive[0]() is None


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError()])
def test_every_form_of_running_out_of_memory_is_told(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(segmentation, "make_trainer", fail)
    with pytest.raises(OutOfMemoryError, match=r"this run needs about .* smaller working size"):
        segment(phantom.disc().image, settings=QUICK)


def test_another_runtime_error_is_not_mistaken_for_memory(monkeypatch):
    def fail(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(segmentation, "make_trainer", fail)
    with pytest.raises(RuntimeError, match="shapes"):
        segment(phantom.disc().image, settings=QUICK)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "array",
    [
        RNG.integers(0, 255, (20, 200, 3), np.uint8),
        RNG.random((16, 16)),
        RNG.integers(0, 65535, (40, 30), np.uint16),
        RNG.random((30, 30)) > 0.5,
        np.eye(64) * 1e9,
        np.arange(32 * 32, dtype=np.int64).reshape(32, 32),
    ],
    ids=["wide", "tiny", "uint16", "bool", "sparse", "ramp"],
)
def test_any_image_gives_labels_of_its_size(array):
    result = segment(array, settings=QUICK.replace(max_iter=3))
    assert result.labels.shape == array.shape[:2]
    assert result.labels.min() >= 1
    assert all(np.isfinite(list(h.values())).all() for h in result.provenance.losses)


def test_the_released_variant_runs_to_its_end():
    settings = Settings(variant="released", max_iter=2, target="central")
    result = segment(phantom.disc().image, settings=settings)
    assert set(result.provenance.losses[0]) == {"cluster", "affine", "spatial"}
    assert result.labels.shape == phantom.disc().image.shape


def test_a_stack_is_refused_with_what_to_do():
    with pytest.raises(InvalidImageError, match="Choose a slice"):
        segment(RNG.random((4, 32, 32)))


def test_preset_by_name_seed_and_unknown_device():
    image = as_image(phantom.disc().image.array)
    result = segment(image, settings=QUICK.replace(max_iter=1), seed=7)
    assert result.settings.seed == 7
    with pytest.raises(RuntimeError, match="choose one of: auto"):
        segment(image, device="cuda:77")


class ScriptedTrainer:
    """Answers with given clusters, a map an iteration; its only parameter moves by one with each step."""

    def __init__(self, clusters, ends_after=99, diverges_at=0):
        self.clusters, self.ends_after, self.diverges_at = clusters, ends_after, diverges_at
        self.network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.network.weight)
        self.optimiser = self
        self.asked, self.calls, self.read_every = [], [], 1

    def forward(self, iteration):
        self.calls.append("forward")
        clusters = torch.from_numpy(np.asarray(self.clusters[iteration - 1]))
        probabilities = torch.nn.functional.one_hot(clusters, 4).permute(2, 0, 1)[None].float()
        weight = self.network.weight.sum()
        first = weight * float("nan") if iteration == self.diverges_at else 2 * weight
        return probabilities + 0 * weight, {"first": first + 1, "second": 3 * weight}

    def is_done(self, iteration, n_clusters, changed):
        self.asked.append((iteration, n_clusters.tolist(), changed.tolist()))
        return torch.tensor([iteration >= self.ends_after])

    def look(self):
        return ()

    def zero_grad(self):
        self.calls.append("zero_grad")
        self.network.weight.grad = None

    def step(self):
        self.calls.append("step")
        assert self.network.weight.grad.item() == 5  # of the sum of both terms
        with torch.no_grad():
            self.network.weight += 1


MAPS = [[[0, 1], [2, 3]], [[0, 1], [2, 2]], [[0, 0], [0, 0]], [[1, 1], [1, 1]]]
PLANE = as_image(np.arange(16.0).reshape(4, 4))


def test_an_iteration_is_forward_a_look_and_a_step_and_the_last_one_does_not_learn():
    trainer = ScriptedTrainer(MAPS)
    steps, trained = drain(train(trainer, QUICK.replace(max_iter=4), PLANE))
    assert trainer.calls == ["forward", "zero_grad", "step"] * 3 + ["forward"]
    assert [(s.iteration, s.total, s.n_labels) for s in steps] == [(1, 4, 4), (2, 4, 3), (3, 4, 1), (4, 4, 1)]
    assert [s.losses for s in steps] == [{"first": 2.0 * i + 1, "second": 3.0 * i} for i in range(4)]
    assert trained.losses == tuple(s.losses for s in steps)
    assert trained.clusters.tolist() == MAPS[3]
    assert trained.state["weight"] == [[3.0]]  # those that made the clusters
    assert not trained.probabilities.requires_grad
    assert not trained.stopped


def test_the_trainer_decides_the_end_from_clusters_and_changes():
    trainer = ScriptedTrainer(MAPS, ends_after=3)
    steps, _ = drain(train(trainer, QUICK.replace(max_iter=4), PLANE))
    assert trainer.asked == [(1, [4], [1.0]), (2, [3], [0.25]), (3, [1], [0.75])]
    assert len(steps) == 3
    assert trainer.calls[-1] == "forward"


def test_at_another_size_everything_has_changed():
    trainer = ScriptedTrainer([[[0]], *MAPS[:2]], ends_after=2)
    drain(train(trainer, QUICK.replace(max_iter=3), PLANE))
    assert [changed for _, _, changed in trainer.asked] == [[1.0], [1.0]]


def test_stopping_ends_before_the_network_learns():
    trainer = ScriptedTrainer(MAPS)
    run = train(trainer, QUICK.replace(max_iter=4), PLANE)
    next(run)
    with pytest.raises(StopIteration) as end:
        run.send(True)
    assert end.value.value.stopped
    assert trainer.calls == ["forward"]


def test_a_loss_that_is_not_finite_names_the_iteration():
    with pytest.raises(DivergedError, match=r"not finite at iteration 3\. Try a smaller learning rate"):
        drain(train(ScriptedTrainer(MAPS, diverges_at=3), QUICK.replace(max_iter=4), PLANE))


def test_the_published_network_keeps_no_weights():
    _, trained = drain(train(ScriptedTrainer(MAPS), QUICK.replace(max_iter=1, variant="released"), PLANE))
    assert trained.state == {}


def test_a_preview_comes_only_when_its_time_has_come():
    settings = QUICK.replace(max_iter=4)
    often, never = (drain(train(ScriptedTrainer(MAPS), settings, PLANE, s))[0] for s in (0.0, 1000.0))
    assert all(step.preview.shape == (4, 4) for step in often)
    assert all(step.preview is None for step in never)


def test_the_kept_weights_are_those_that_made_the_clusters():
    image, settings = phantom.disc().image, QUICK.replace(max_iter=5)
    features = to_features(image, settings)
    _, trained = drain(train(make_trainer(features, settings, torch.device("cpu")), settings, image))
    again = make_trainer(features, settings, torch.device("cpu"))
    load_state(again.network, trained.state)
    assert np.array_equal(again.forward(5)[0].argmax(dim=1)[0].numpy(), trained.clusters)
