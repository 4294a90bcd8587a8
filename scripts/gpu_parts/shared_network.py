"""One network for many images: how fast it answers and is taught, and how fast networks learn from labels."""

from __future__ import annotations

from typing import Any

import torch

from gpu_parts.clock import Figures, best_seconds, timed
from gpu_parts.machine import matrix_teraflops

#: Images of a batch, and the working size at which the network looks at them.
BATCHES, SIZE = (1, 8, 64, 256), 128


def measure_shared_network(device: torch.device, _: int) -> Figures:
    """Images a second of one network for many images, in fp32 and bf16, and how far the two agree."""
    from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

    torch.manual_seed(0)
    network = EncoderDecoder(EncoderDecoderConfig()).to(device=device, memory_format=torch.channels_last).eval()
    figures: Figures = {"parameters": sum(p.numel() for p in network.parameters()), "size": SIZE}
    figures["gflop_an_image"] = round(operations(network, torch.rand(1, 3, SIZE, SIZE, device=device)), 3)
    for batch in BATCHES if device.type == "cuda" else BATCHES[:1]:
        x = torch.rand(batch, 3, SIZE, SIZE, device=device)
        x = x.contiguous(memory_format=torch.channels_last)
        answers = {}
        for name, half in (("float32", False), ("bfloat16", True))[: 1 + (device.type == "cuda")]:
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
                seconds = best_seconds(lambda x=x: network(x), device)
                answers[name] = first_tensor(network(x)).float().sigmoid() > 0.5
            figures[f"images_per_s_{name}_{batch}"] = round(batch / seconds, 1)
            limit = figures["gflop_an_image"] / 1e3 * batch / matrix_teraflops(device, name)
            figures[f"times_the_limit_{name}_{batch}"] = round(seconds / limit, 1)
        if len(answers) == 2:
            same = (answers["float32"] == answers["bfloat16"]).float().mean()
            figures[f"bfloat16_agrees_{batch}"] = round(float(same), 5)
    return figures


def measure_training(device: torch.device, _: int) -> Figures:
    """Images a second while the shared network is taught, forth and back, in batches of 64."""
    from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

    torch.manual_seed(0)
    network = EncoderDecoder(EncoderDecoderConfig()).to(device=device, memory_format=torch.channels_last)
    batch = 64 if device.type == "cuda" else 4
    x = torch.rand(batch, 3, SIZE, SIZE, device=device).contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = first_tensor(network(x)).float().square().mean()
        loss.backward()
        optimiser.step()

    return {"batch": batch, "images_per_s": round(batch / best_seconds(step, device), 1)}


def measure_learning(device: torch.device, _: int) -> Figures:
    """Images a second while networks learn from labels and without, by every method, at the size for this device."""
    from functools import partial

    from napari_s3net.learning.pretrain import iter_pretrain
    from napari_s3net.learning.settings import METHODS, PRETRAINED, learn_settings
    from napari_s3net.learning.train import iter_learn
    from napari_s3net.runtime.generators import drain

    size, steps = ("standard", 40) if device.type == "cuda" else ("small", 1)
    data = made_examples(learn_settings(size).size).with_keypoints(learn_settings(size).most_keypoints)
    ways = {method: (method, iter_learn) for method in METHODS}
    ways |= {f"pretrain_{method}": (method, iter_pretrain) for method in PRETRAINED}
    figures: Figures = {"settings": size, "steps": steps}
    for name, (method, learn) in ways.items():
        settings = learn_settings(size, method=method, steps=steps, validate=False)
        run = partial(learn, data, settings, device)
        if device.type == "cuda":
            drain(learn(data, settings.replace(steps=5), device))  # warm
        figures[f"images_per_s_{name}"] = round(settings.batch * steps / timed(lambda run=run: drain(run()), device), 1)
    return figures


def made_examples(size: int, n: int = 16) -> Any:
    """Generated photographs with their masks, to learn from; half of them without labels."""
    import numpy as np

    from napari_s3net import phantom
    from napari_s3net.learning.examples import ExampleSet
    from napari_s3net.learning.planes import choose_normalisation, labels_to_square, to_square
    from napari_s3net.network.class_losses import IGNORED

    made = [phantom.dermoscopy(seed=seed, shape=(size, size)) for seed in range(n)]
    normalisation = choose_normalisation([one.image for one in made])
    labels = np.stack([labels_to_square(one.mask.astype(np.int64), size) for one in made]).astype(np.int8)
    labels[n // 2 :] = IGNORED
    return ExampleSet(
        images=np.stack([to_square(normalisation(one.image), size) for one in made]),
        labels=labels,
        files=np.arange(n),
        positions=np.zeros(n, np.float32),
        names=tuple(map(str, range(n))),
        classes={1: "Lesion"},
        normalisation=normalisation,
    )


def operations(network: torch.nn.Module, x: torch.Tensor) -> float:
    """GFLOP of a forward pass, counted by torch from the shapes of its matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(x)
    return counter.get_total_flops() / 1e9


def first_tensor(answer: Any) -> torch.Tensor:
    """The object's logits of a network that may give more."""
    return answer[0] if isinstance(answer, tuple) else answer
