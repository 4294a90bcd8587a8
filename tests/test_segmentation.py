"""The loop: known scenes come back, the same seed gives the same labels, stopping keeps, closing cleans."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_s3net import phantom, segmentation
from napari_s3net.errors import DivergedError, InvalidImageError, OutOfMemoryError
from napari_s3net.image import Segmentation, Step, as_image
from napari_s3net.labels.metrics import dice
from napari_s3net.runtime.generators import follow
from napari_s3net.segmentation import iter_segment, segment
from napari_s3net.settings import Settings, preset_settings
from napari_s3net.training.trainer import make_trainer

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


def test_a_loss_that_is_not_finite_names_the_iteration(monkeypatch):
    make = segmentation.make_trainer

    def broken(*arguments):
        trainer = make(*arguments)
        forward = trainer.forward
        trainer.forward = lambda i: (
            forward(i)[0],
            {"cluster": forward(i)[1]["cluster"] * (float("nan") if i == 3 else 1)},
        )
        return trainer

    monkeypatch.setattr(segmentation, "make_trainer", broken)
    with pytest.raises(DivergedError, match="iteration 3"):
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


def test_the_last_iteration_looks_and_does_not_learn(monkeypatch):
    passes, seen = [], {}
    backward, propose = torch.autograd.backward, segmentation.propose

    def proposing(clusters, plane, settings):
        graphs = [t for t in gc.get_objects() if type(t) is torch.Tensor and t.grad_fn is not None]
        seen.update(clusters=clusters, features=plane.features, graphs=len(graphs))
        return propose(clusters, plane, settings)

    monkeypatch.setattr(torch.autograd, "backward", lambda *a: passes.append(1) or backward(*a))
    monkeypatch.setattr(segmentation, "propose", proposing)
    image, settings = phantom.disc().image, QUICK.replace(max_iter=5)
    steps, result = drain(iter_segment(image, settings))
    assert len(passes) == len(steps) - 1 == 4
    assert seen["graphs"] == 0
    # The weights that are kept are those that made the labels.
    trainer = make_trainer(seen["features"], settings, torch.device("cpu"))
    trainer.network.load_state_dict({name: torch.from_numpy(array) for name, array in result.state.items()})
    assert np.array_equal(trainer.forward(5)[0].argmax(dim=1)[0].numpy(), seen["clusters"])
