"""The card's process trains what workers bring, many at once; a CPU stands in for the card."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from napari_s3net.batch import card, isolated, work
from napari_s3net.batch.card import CardLostError, CardProcess, address_of, cards_for, jobs_for, train_there
from napari_s3net.batch.plan import Plan
from napari_s3net.runtime.generators import drain
from napari_s3net.runtime.oom_retry import CARD_FAILED
from napari_s3net.segmentation import segment
from tests.batch.test_card_server import SKIN, image, request


@pytest.fixture(scope="module")
def process():
    process = CardProcess("cpu")
    yield process
    process.close()


def test_many_workers_at_once_each_get_what_they_would_get_alone(process, monkeypatch):
    monkeypatch.setattr(card, "address", process.address)
    with ThreadPoolExecutor(4) as workers:
        results = list(workers.map(lambda seed: drain(work.segment_image(image(seed), SKIN, "cuda")), range(4)))
    for seed, result in enumerate(results):
        alone = segment(image(seed), settings=SKIN, device="cpu")
        same = 2 * np.count_nonzero(result.mask & alone.mask) / max(1, result.mask.sum() + alone.mask.sum())
        assert same > 0.99 or not alone.mask.any()
        assert result.provenance.iterations == alone.provenance.iterations
        assert result.provenance.device == "cpu"
        assert result.provenance.certainty == alone.provenance.certainty != "", "taught networks were asked as well"
        assert result.provenance.confidence == pytest.approx(alone.provenance.confidence, abs=0.01)


def test_a_process_that_is_gone_is_told_and_the_cpu_does_it(monkeypatch):
    gone = CardProcess("cpu")
    gone.close()
    with pytest.raises(CardLostError, match="does not answer"):
        train_there(gone.address, request(0).features, SKIN)
    monkeypatch.setattr(card, "address", gone.address)
    result = drain(work.segment_image(image(0), SKIN, "cuda"))
    assert result.provenance.note.startswith("The graphics card does not answer any more. Computed on the CPU.")
    assert result.labels.max() > 1


def test_without_the_secret_nothing_is_answered(process):
    where = process.address.rpartition(",")[0] + ', "' + "00" * 16 + '"]'
    with pytest.raises(CardLostError):
        train_there(where, request(0).features, SKIN)
    train_there(process.address, request(0).features, SKIN)  # and others are answered as before


def test_a_card_that_cannot_be_used_says_why():
    with pytest.raises(CardLostError, match="not at hand"):
        CardProcess("cuda:77")
    assert address_of("cuda:77") == ""
    assert address_of("cpu") == ""


def test_every_card_of_the_machine_takes_its_turn(monkeypatch, tmp_path):
    monkeypatch.setattr(card, "DRIVER", tmp_path / "none")
    assert (cards_for("auto"), cards_for("cuda"), cards_for("cuda:1")) == ([], ["cuda:0"], ["cuda:1"])
    for name in "ab":
        (tmp_path / "gpus" / name).mkdir(parents=True)
    monkeypatch.setattr(card, "DRIVER", tmp_path / "gpus")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert cards_for("auto") == ["cuda:0", "cuda:1"]
    for shown, cards in (("1", ["cuda:0"]), ("0,1", ["cuda:0", "cuda:1"]), ("", []), ("-1", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)  # a worker of a cluster, started with its own card
        assert cards_for("auto") == cards


def test_the_batch_gives_a_job_to_the_card_only_where_planes_are_trained():
    assert isolated.trains_planes("napari_s3net.batch.work:segment_image")
    assert not isolated.trains_planes("tests.batch.segmenters:constant")


def test_a_worker_whose_own_card_fails_does_it_on_the_cpu(monkeypatch):
    from napari_s3net.volume import whole

    iter_mode = whole.iter_mode

    def failing(image, settings, *, device, mode):
        if device != "cpu":
            raise RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable")
        return (yield from iter_mode(image, settings, device=device, mode=mode))

    monkeypatch.setattr(whole, "iter_mode", failing)
    result = drain(work.segment_image(image(0), SKIN, "cuda:0"))
    assert result.provenance.note.startswith(f"{CARD_FAILED} Computed on the CPU.")
    assert result.labels.max() > 1


def test_a_card_is_kept_busy_by_more_workers_than_cores_as_far_as_memory_goes(monkeypatch, tmp_path):
    plan = Plan(source=tmp_path, output=tmp_path / "out", device="cuda")
    monkeypatch.setattr(card, "cores", lambda: 16)
    monkeypatch.setattr(card, "free_memory", lambda: 64 * 2**30)
    assert jobs_for(plan) == 32
    monkeypatch.setattr(card, "free_memory", lambda: 3 * card.WORKER_BYTES)
    assert jobs_for(plan) == 3
    monkeypatch.setattr(card, "free_memory", lambda: 0)
    assert jobs_for(plan) == 1
    monkeypatch.setattr(card, "free_memory", lambda: 64 * 2**30)
    assert jobs_for(replace(plan, device="cpu")) == 1
    assert jobs_for(replace(plan, fit="folder")) == 1, "a fitted model does not train on the card"
    (tmp_path / "learned.safetensors").touch()
    assert jobs_for(replace(plan, model=tmp_path / "learned.safetensors")) == 1
