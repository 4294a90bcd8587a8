import pytest
import torch

from napari_s3net.errors import DivergedError
from napari_s3net.learning.run import iter_updates, mean_terms, new_run
from napari_s3net.learning.settings import learn_settings
from napari_s3net.runtime.generators import drain, follow
from tests.training.test_loop import CARD, Counting


def made(identity="a", **options):
    torch.manual_seed(0)
    return new_run(torch.nn.Linear(3, 2), {"name": identity}, **options)


def terms_of(run):
    def terms(generator):
        x = torch.randn(4, 3, generator=generator)
        return {"loss": (run.network(x) - 1).square().mean()}

    return terms


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.network.parameters()])


SETTINGS = learn_settings(steps=120)


def test_a_run_that_was_ended_goes_on_to_the_same_weights(tmp_path):
    whole = made(decay=0.9)
    drain(iter_updates(whole, SETTINGS, terms_of(whole), checkpoint=None))
    file, begun = tmp_path / "c.safetensors", made(decay=0.9)
    steps = iter_updates(begun, SETTINGS, terms_of(begun), checkpoint=file)
    while next(steps).iteration < 70:  # as if killed here: the checkpoint is that of step 50
        pass
    steps.close()
    again = made(decay=0.9)
    drain(iter_updates(again, SETTINGS, terms_of(again), checkpoint=file))
    assert torch.equal(weights(whole), weights(again))
    assert torch.equal(whole.average.weight, again.average.weight)
    assert file.exists(), "until what was learned is written"


def test_stopping_keeps_where_it_was(tmp_path):
    file, run = tmp_path / "c.safetensors", made()
    follow(iter_updates(run, SETTINGS, terms_of(run), checkpoint=file), lambda step: step.iteration == 30)
    again = made()
    again.load(file)
    assert again.iteration == 30
    assert torch.equal(weights(run), weights(again))


def test_a_loss_that_is_not_finite_ends_the_run_and_changes_nothing():
    state = made()
    before = weights(state).clone()
    steps = iter_updates(state, SETTINGS, lambda _: {"bad": state.network.weight.sum() * float("nan")}, checkpoint=None)
    with pytest.raises(DivergedError, match="bad loss is not finite at iteration 1"):
        next(steps)
    assert torch.equal(before, weights(state))


def test_on_the_cpu_no_stop_waits_for_more_than_the_step_under_way():
    run = made()
    steps = iter_updates(run, SETTINGS, terms_of(run), checkpoint=None)
    assert [next(steps).iteration for _ in range(3)] == [1, 2, 3]
    with pytest.raises(StopIteration):
        steps.send(True)
    assert run.iteration == 3


def test_losses_are_read_from_a_card_only_when_a_step_is_shown():
    state = new_run(torch.nn.Linear(3, 2, device=CARD), {"name": "a"})
    x = torch.zeros(4, 3, device=CARD)
    with Counting() as mode:
        steps = iter_updates(state, SETTINGS, lambda _: {"loss": state.network(x).mean()}, checkpoint=None)
        assert [next(steps).iteration for _ in range(3)] == [10, 20, 30]
    assert mode.counts == {"back": 3}


def test_measures_are_taken_now_and_then_and_at_the_end():
    run, taken = made(), []
    steps = iter_updates(run, SETTINGS, terms_of(run), checkpoint=None, measure=lambda: taken.append(0) or 0.5)
    assert drain(steps) == (0.5, False)
    assert len(taken) == 3  # at 50, 100 and 120


def test_terms_that_came_later_have_their_own_mean():
    assert mean_terms([{"a": 1.0}, {"a": 3.0, "b": 5.0}]) == {"a": 2.0, "b": 5.0}
