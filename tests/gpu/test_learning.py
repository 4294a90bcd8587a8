"""A model that was learned on one device says the same on the other; skipped without a card."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from napari_s3net.learning.examples import ExampleSet  # noqa: E402
from napari_s3net.learning.methods import predict_squares  # noqa: E402
from napari_s3net.learning.model import load_model, save_model  # noqa: E402
from napari_s3net.learning.planes import InputNormalisation  # noqa: E402
from napari_s3net.learning.settings import learn_settings  # noqa: E402
from napari_s3net.learning.train import iter_learn  # noqa: E402
from napari_s3net.runtime.generators import drain  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card is here")]


def squares(n=8, size=32):
    """Noise with a bright square in each plane."""
    rng = np.random.default_rng(0)
    images = rng.normal(0, 0.3, (n, 1, size, size)).astype(np.float16)
    labels = np.zeros((n, size, size), np.int8)
    for image, label in zip(images, labels, strict=True):
        row, column = rng.integers(4, 16, 2)
        label[row : row + 10, column : column + 10] = 1
        image[0][label == 1] += 2
    return ExampleSet(
        images=images,
        labels=labels,
        files=np.arange(n),
        positions=np.zeros(n, np.float32),
        names=tuple(map(str, range(n))),
        classes={1: "Square"},
        normalisation=InputNormalisation(1),
    )


@pytest.mark.parametrize(("learned_on", "applied_on"), [("cuda", "cpu"), ("cpu", "cuda")])
@pytest.mark.parametrize("method", ["plain", "ideal", "kaf"])
def test_a_model_says_the_same_on_the_other_device(method, learned_on, applied_on, tmp_path):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    data = squares()
    settings = learn_settings(size=32, width=8, steps=80, batch=8, keypoint_width=8, method=method, validate=False)
    learned = drain(iter_learn(data, settings, torch.device(learned_on)))
    save_model(tmp_path / "m.safetensors", learned)
    found = []
    for device in (learned_on, applied_on):
        network = load_model(tmp_path / "m.safetensors").network.to(device)
        points = None
        if network.config.keypoints:
            from napari_s3net.learning.keypoints import pad_points

            points = pad_points(list(data.with_keypoints(16).keypoints))
        found.append(predict_squares(network, data.images, points).argmax(dim=1).numpy())
    assert (found[0] == found[1]).mean() > 0.999
    assert (found[0] == data.labels).mean() > 0.95
