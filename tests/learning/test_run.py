import pytest
import torch

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.learning import run as module
from napari_s3net.learning.run import LearningRun, iter_updates, learning_rate, mean_terms
from napari_s3net.learning.settings import learn_settings
from napari_s3net.runtime.generators import drain, follow


def made(identity="a", **options):
    torch.manual_seed(0)
    return LearningRun(torch.nn.Linear(3, 2), {"name": identity}, **options)


def terms_of(run):
    def terms(generator):
        x = torch.randn(4, 3, generator=generator)
        return {"loss": (run.network(x) - 1).square().mean()}

    return terms


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.network.parameters()])


SETTINGS = learn_settings(steps=120)


def test_a_run_that_was_ended_goes_on_to_the_same_weights(tmp_path):
    whole = made(follower=0.9)
    drain(iter_updates(whole, SETTINGS, terms_of(whole), checkpoint=None))
    file, begun = tmp_path / "c.safetensors", made(follower=0.9)
    steps = iter_updates(begun, SETTINGS, terms_of(begun), checkpoint=file)
    while next(steps).iteration < 70:  # as if killed here: the checkpoint is that of step 50
        pass
    steps.close()
    again = made(follower=0.9)
    drain(iter_updates(again, SETTINGS, terms_of(again), checkpoint=file))
    assert torch.equal(weights(whole), weights(again))
    assert torch.equal(whole.follower.weight, again.follower.weight)
    assert not file.exists()


def test_stopping_keeps_where_it_was(tmp_path):
    file, run = tmp_path / "c.safetensors", made()
    follow(iter_updates(run, SETTINGS, terms_of(run), checkpoint=file), lambda step: step.iteration == 30)
    again = made()
    again.load(file)
    assert again.iteration == 30
    assert torch.equal(weights(run), weights(again))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    made().save(tmp_path / "c.safetensors")
    with pytest.raises(ModelFileError, match="other settings or other images"):
        made("b").load(tmp_path / "c.safetensors")


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    file, run = tmp_path / "c.safetensors", made()
    run.save(file)
    before = file.read_bytes()

    def full(self, data):
        with self.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.Path, "write_bytes", full)
    with pytest.raises(ModelFileError, match=r"No space left on device.*checkpoint before it is kept"):
        run.save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_loss_that_is_not_finite_ends_the_run_and_changes_nothing():
    run = made()
    before = weights(run).clone()
    with pytest.raises(DivergedError, match="bad loss is not finite at step 1"):
        run.update({"bad": run.network.weight.sum() * float("nan")}, 1e-3)
    assert torch.equal(before, weights(run))


def test_the_follower_lags_behind():
    run = made(follower=0.9)
    first = weights(run).clone()
    for _ in range(20):
        run.update(terms_of(run)(torch.Generator().manual_seed(0)), 0.1)
    lag = (run.follower.weight - run.network.weight).abs().max()
    assert lag > 0
    assert not torch.equal(first[:6], run.follower.weight.flatten())


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(1.0, i, 100) for i in range(100)]
    assert rates[0] < rates[4]
    assert max(rates) <= 1
    assert rates[99] < 0.02


def test_measures_are_taken_now_and_then_and_at_the_end():
    run, taken = made(), []
    steps = iter_updates(run, SETTINGS, terms_of(run), checkpoint=None, measure=lambda: taken.append(0) or 0.5)
    assert drain(steps) == 0.5
    assert len(taken) == 3  # at 50, 100 and 120


def test_terms_that_came_later_have_their_own_mean():
    assert mean_terms([{"a": 1.0}, {"a": 3.0, "b": 5.0}]) == {"a": 2.0, "b": 5.0}
