import pytest
import torch

from napari_s3net.errors import DivergedError, ModelFileError
from napari_s3net.training import weights as weight_files
from napari_s3net.training.state import TrainingState, check_finite, cosine_rate, read_terms
from napari_s3net.training.weights import write_tensors


def made(identity="a", **options):
    torch.manual_seed(0)
    return TrainingState(torch.nn.Linear(3, 2), {"format": "test 1", "identity": identity}, **options)


def loss_of(state):
    return {"loss": (state.network(torch.ones(4, 3)) - 1).square().mean()}


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def moved(iteration, **options):
    """A state after so many iterations, whose network has just moved away from its average."""
    state = made(**options)
    state.optimiser.steps = iteration
    with torch.no_grad():
        state.optimiser.values += 1
    return state


@pytest.mark.parametrize(("iteration", "stays"), [(0, 0.0), (10, 0.5), (100_000, 0.9)])
def test_the_average_follows_quickly_at_first(iteration, stays):
    state = moved(iteration, decay=0.9)
    before = weights(state.average)
    state.move_average()
    assert weights(state.average) - before == pytest.approx(1 - stays, abs=1e-4)


def test_an_update_moves_the_network_and_after_it_the_average():
    state = made(decay=0.9)
    before = weights(state.network)
    for _ in range(20):
        state.update(loss_of(state), 0.1)
    assert state.iteration == 20
    assert not torch.equal(weights(state.average), before)
    assert not torch.equal(weights(state.average), weights(state.network))


def test_a_decay_of_none_keeps_no_average_and_one_of_zero_keeps_the_network():
    assert made().average is None
    state = made(decay=0.0)
    state.update(loss_of(state), 0.1)
    assert torch.equal(weights(state.average), weights(state.network))


def test_long_gradients_are_shortened_and_short_ones_kept():
    state = made(longest_gradient=1e-3)
    state.update({"loss": 100 * loss_of(state)["loss"]}, 0.1)
    assert float(state.optimiser.gradient.norm()) == pytest.approx(1e-3, rel=1e-3)
    free = made(longest_gradient=1e6)
    free.update({"loss": 100 * loss_of(free)["loss"]}, 0.1)
    assert float(free.optimiser.gradient.norm()) > 1


def test_a_checkpoint_brings_everything_back(tmp_path):
    state = moved(5, decay=0.9)
    state.optimiser.first += 2
    state.optimiser.second += 3
    state.move_average()
    state.save(tmp_path / "c.safetensors")
    other = made(decay=0.9)
    other.load(tmp_path / "c.safetensors")
    assert other.iteration == 5
    assert torch.equal(weights(other.network), weights(state.network))
    assert torch.equal(weights(other.average), weights(state.average))
    assert (other.optimiser.first == 2).all()
    assert (other.optimiser.second == 3).all()


@pytest.mark.parametrize("average", ["teacher", "follower"])
@pytest.mark.parametrize("flat", [True, False])
def test_a_checkpoint_of_an_older_version_is_read(tmp_path, average, flat):
    state = moved(5, decay=0.9)
    network = {f"network.{k}": v for k, v in state.network.state_dict().items()}
    tensors = {"values": state.optimiser.values} if flat else network
    tensors |= {f"{average}.{k}": v for k, v in state.average.state_dict().items()}
    tensors |= {"first": state.optimiser.first, "second": state.optimiser.second}
    tensors = {name: value.detach().clone() for name, value in tensors.items()}
    write_tensors(tmp_path / "c.safetensors", tensors, {**state.header, "iteration": "5"})
    other = made(decay=0.9)
    other.load(tmp_path / "c.safetensors")
    assert torch.equal(weights(other.network), weights(state.network))
    assert torch.equal(weights(other.average), weights(state.average))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    made().save(tmp_path / "c.safetensors")
    with pytest.raises(ModelFileError, match="other settings or other images"):
        made("b").load(tmp_path / "c.safetensors")


def test_a_checkpoint_that_lacks_something_is_refused(tmp_path):
    state = made()
    write_tensors(tmp_path / "c.safetensors", {"first": torch.zeros(3)}, {**state.header, "iteration": "5"})
    with pytest.raises(ModelFileError, match="damaged"):
        state.load(tmp_path / "c.safetensors")


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    file, state = tmp_path / "c.safetensors", made()
    state.save(file)
    before = file.read_bytes()

    def full(self, data):
        with self.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weight_files.Path, "write_bytes", full)
    with pytest.raises(ModelFileError, match=r"No space left on device.*checkpoint before it is kept"):
        state.save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_term_that_is_not_finite_is_named():
    with pytest.raises(DivergedError, match="bad loss is not finite at iteration 7"):
        check_finite({"good": torch.tensor(1.0), "bad": torch.tensor(float("nan"))}, 7)
    assert check_finite({"good": torch.tensor(2.0)}, 7) == {"good": 2.0}
    with pytest.raises(DivergedError, match="bad loss is not finite at iteration 9"):
        read_terms([{"good": torch.tensor(1.0)}, {"bad": torch.tensor(float("inf"))}], 8)
    assert read_terms([{"a": torch.tensor(1.0)}, {"a": torch.tensor(2.0), "b": torch.tensor(3.0)}], 1) == [
        {"a": 1.0},
        {"a": 2.0, "b": 3.0},
    ]


def test_the_rate_rises_and_falls():
    rates = [cosine_rate(i, i / 100, 5) for i in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[0] < rates[4]
    assert max(rates) <= 1
    assert rates[99] < 0.02
    assert cosine_rate(500, 1.5, 5) == pytest.approx(0.01)
