import numpy as np
import torch

from napari_s3net.settings import Settings
from napari_s3net.training.variants import make_volume_trainer

SETTINGS = Settings(clusters=3, channels=4, working_size=32)


def features(n=3):
    rng = np.random.default_rng(0)
    stack = rng.random((n, 32, 32, 1)).astype(np.float32) * 0.1
    stack[:, 8:24, 8:24] += 0.7
    return stack


def trained():
    trainer = make_volume_trainer(features(), SETTINGS, torch.device("cpu"))
    for iteration in range(1, 5):
        probabilities, terms = trainer.forward(iteration)
        loss = torch.stack(list(terms.values())).sum()
        trainer.optimiser.zero_grad()
        loss.backward()
        trainer.optimiser.step()
    return trainer, probabilities


def test_all_slices_are_trained_on_at_once():
    trainer, probabilities = trained()
    assert probabilities.shape == (1, 3, 3 * 32, 32)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(1, 96, 32), atol=1e-5)
    assert trainer.full.clusters.shape == (3, 32, 32)


def test_the_model_gives_a_slice_what_training_gave_it_whatever_its_neighbours():
    trainer, _ = trained()
    model = trainer.model()
    with torch.no_grad():
        trainer.network.train()
        together = trainer.network(trainer.full.x)[0].softmax(dim=1)
        trainer.network.eval()
    for index, plane in enumerate(features()):
        alone = model.probabilities(plane)
        assert alone.shape == (1, 3, 32, 32)
        assert torch.allclose(alone[0], together[index], atol=1e-2)


def test_a_darker_slice_is_not_brightened():
    """One normalisation for all: what is dark in the volume stays dark in its slice."""
    trainer, _ = trained()
    model = trainer.model()
    inside = model.probabilities(features()[0]).argmax(dim=1)[0, 16, 16]
    dark = model.probabilities(np.full((32, 32, 1), 0.05, np.float32)).argmax(dim=1)[0]
    assert dark[12:20, 12:20].ne(inside).all()


def test_the_global_random_numbers_stay_as_they_are():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    make_volume_trainer(features(), SETTINGS, torch.device("cpu"))
    assert torch.equal(before, torch.get_rng_state())
