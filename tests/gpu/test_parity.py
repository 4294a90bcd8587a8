"""Layers, losses and whole runs on a graphics card beside the CPU; skipped without a card."""

import gc

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from napari_s3net import phantom, segment  # noqa: E402
from napari_s3net.network.attention import AttentionBlock  # noqa: E402
from napari_s3net.network.deformable import DeformableConv3x3  # noqa: E402
from napari_s3net.network.depthwise import DepthwiseConv  # noqa: E402
from napari_s3net.network.losses import cluster_loss, edge_weights, spatial_loss, transformation_loss  # noqa: E402
from napari_s3net.network.s3net import S3Net  # noqa: E402

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card is here")]

LAYERS = {
    "attention": lambda: AttentionBlock(8),
    "deformable": lambda: DeformableConv3x3(8, 6),
    "depthwise": lambda: DepthwiseConv(8, 7, 3),
    "depthwise undilated": lambda: DepthwiseConv(8, 5, 1),
    "network": lambda: S3Net(8, 8, 5),
}


@pytest.fixture(autouse=True)
def exact():
    """TF32 would hide what these tests look for."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)


def first(answer):
    return answer[0] if isinstance(answer, tuple) else answer


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_and_its_gradients_agree(name):
    layer, x = LAYERS[name](), torch.randn(2, 8, 24, 20)
    for parameter in layer.parameters():  # offsets and modulation begin at zero, where nothing can differ
        torch.nn.init.normal_(parameter, std=0.2)
    found = {}
    for device in ("cpu", "cuda"):
        moved = layer.to(device)
        moved.zero_grad()
        given = x.to(device, copy=True).requires_grad_()
        answer = first(moved(given))
        answer.square().mean().backward()
        found[device] = [answer, given.grad, *(p.grad for p in moved.parameters() if p.grad is not None)]
    for ours, theirs in zip(found["cpu"], found["cuda"], strict=True):
        torch.testing.assert_close(theirs.detach().cpu(), ours.detach().cpu(), rtol=2e-3, atol=2e-4)


def test_losses_agree():
    logits, x = torch.randn(1, 5, 16, 16), torch.rand(1, 3, 16, 16)
    values = []
    for device in ("cpu", "cuda"):
        p = logits.to(device).softmax(dim=1)
        visible = torch.ones(1, 1, 16, 16, device=device)
        values.append(
            [
                float(cluster_loss(logits.to(device))),
                float(spatial_loss(p, edge_weights(x.to(device)))),
                float(transformation_loss(logits.to(device), p.flip(-1), visible)),
            ]
        )
    assert values[0] == pytest.approx(values[1], rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_gives_the_same_object(seed):
    image = phantom.dermoscopy(seed=seed).image
    a, b = (segment(image, preset="skin", seed=0, device=device).mask for device in ("cpu", "cuda"))
    assert 2 * np.count_nonzero(a & b) >= 0.998 * (np.count_nonzero(a) + np.count_nonzero(b))


def test_nothing_stays_on_the_card():
    image = phantom.dermoscopy(seed=0).image
    segment(image, preset="skin", seed=0, device="cuda")
    gc.collect()
    before = torch.cuda.memory_allocated()
    result = segment(image, preset="skin", seed=1, device="cuda")
    gc.collect()
    assert torch.cuda.memory_allocated() == before
    assert all(isinstance(values, np.ndarray) for values in result.state.values())


@pytest.mark.parametrize("variant", ["s3net", "released"])
def test_both_variants_run(variant):
    from napari_s3net.settings import presets

    image = phantom.dermoscopy(seed=0).image
    result = segment(image, settings=presets["skin"].settings.replace(variant=variant, max_iter=2), device="cuda")
    assert result.labels.max() >= 2


def test_networks_side_by_side_agree_with_each_alone():
    from napari_s3net.preprocessing.prepare import prepare
    from napari_s3net.settings import presets
    from napari_s3net.training.loop import train_side_by_side
    from napari_s3net.training.variants import make_trainer

    settings, device = presets["skin"].settings, torch.device("cuda")
    images = [prepare(phantom.dermoscopy(seed=s, shape=(128, 128)).image, settings).features for s in range(4)]
    before = torch.cuda.memory_allocated()
    trainer = make_trainer(np.stack(images), settings, device)
    trainer.half = False
    together = train_side_by_side(trainer, settings.max_iter)
    for features, ours in zip(images, together, strict=True):
        (alone,) = train_side_by_side(make_trainer(features, settings, device), settings.max_iter)
        assert (ours.clusters == alone.clusters).mean() > 0.99
    del trainer
    gc.collect()
    assert torch.cuda.memory_allocated() == before


def test_a_run_waits_for_the_card_at_its_end_only():
    from napari_s3net.preprocessing.prepare import prepare
    from napari_s3net.settings import presets
    from napari_s3net.training.loop import train_side_by_side
    from napari_s3net.training.variants import make_trainer

    settings = presets["skin"].settings
    features = prepare(phantom.dermoscopy(seed=0, shape=(128, 128)).image, settings).features
    train_side_by_side(make_trainer(features, settings, torch.device("cuda")), settings.max_iter)  # warm
    trainer = make_trainer(features, settings, torch.device("cuda"))
    torch.cuda.set_sync_debug_mode("error")
    try:
        for iteration in range(1, settings.max_iter + 1):
            _, terms = trainer.forward(iteration)
            trainer.optimiser.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            trainer.optimiser.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
