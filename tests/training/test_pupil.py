import dataclasses

import pytest
import torch

from napari_s3net.errors import ModelFileError
from napari_s3net.network.encoder_decoder import EncoderDecoderConfig
from napari_s3net.training.pupil import Pupil, TeachSettings

CPU = torch.device("cpu")
SMALL = EncoderDecoderConfig(widths=(8, 16), blocks=(1, 1), clusters=3)
SETTINGS = TeachSettings(iterations=6, batch=4)


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def moved(iteration):
    """A pupil after so many iterations, whose network has just moved away from its teacher."""
    pupil = Pupil(SMALL, SETTINGS, CPU)
    pupil.iteration = pupil.optimiser.steps = iteration
    with torch.no_grad():
        pupil.optimiser.values += 1
    return pupil


def test_the_first_weights_follow_the_seed_and_leave_torch_s_own_draws_alone():
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    first, again = (weights(Pupil(SMALL, SETTINGS, CPU).network) for _ in range(2))
    other = weights(Pupil(SMALL, dataclasses.replace(SETTINGS, seed=1), CPU).network)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), drawn)


@pytest.mark.parametrize(("iteration", "stays"), [(0, 0.0), (10, 0.5), (100_000, 0.9)])
def test_the_teacher_follows_quickly_at_first(iteration, stays):
    pupil = moved(iteration)
    before = weights(pupil.teacher)
    pupil.remember(0.9)
    assert weights(pupil.teacher) - before == pytest.approx(1 - stays, abs=1e-4)


def test_a_checkpoint_brings_everything_back(tmp_path):
    pupil = moved(5)
    pupil.optimiser.first += 2
    pupil.optimiser.second += 3
    pupil.remember(0.9)
    pupil.save(tmp_path / "c.safetensors", SETTINGS)
    other = Pupil(SMALL, SETTINGS, CPU)
    other.load(tmp_path / "c.safetensors", SETTINGS)
    assert other.iteration == other.optimiser.steps == 5
    assert torch.equal(weights(other.network), weights(pupil.network))
    assert torch.equal(weights(other.teacher), weights(pupil.teacher))
    assert (other.optimiser.first == 2).all()
    assert (other.optimiser.second == 3).all()


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    moved(5).save(tmp_path / "c.safetensors", SETTINGS)
    with pytest.raises(ModelFileError, match="these settings"):
        Pupil(SMALL, SETTINGS, CPU).load(tmp_path / "c.safetensors", dataclasses.replace(SETTINGS, seed=1))
