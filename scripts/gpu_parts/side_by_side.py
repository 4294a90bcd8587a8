"""Many images at once, each with a network of its own."""

from __future__ import annotations

import time

import torch

from gpu_parts.clock import DEADLINE, Figures, free_caches, wait_for

#: Images of a batch.
BATCHES = (1, 8, 64, 256)


def measure_side_by_side(device: torch.device, images: int) -> Figures:
    """Images a second of single-image training, B at once, each with its own network; and how far B agrees with 1."""
    import numpy as np

    from napari_s3net import phantom
    from napari_s3net.preprocessing.prepare import prepare
    from napari_s3net.settings import presets
    from napari_s3net.training.loop import train_side_by_side
    from napari_s3net.training.variants import make_trainer

    settings = presets["skin"].settings
    distinct = min(images, 8)
    features = [prepare(phantom.dermoscopy(seed=s, shape=(256, 256)).image, settings).features for s in range(distinct)]
    figures: Figures = {"working_size": settings.working_size, "distinct_images": distinct}
    alone = [train_side_by_side(make_trainer(f, settings, device), settings.max_iter)[0] for f in features]
    for batch in BATCHES:
        if device.type == "cpu" and batch > images:
            figures[f"skipped_{batch}"] = "more than --images"
            continue
        if DEADLINE.is_over():
            figures[f"skipped_{batch}"] = "no time left"
            continue
        many = np.stack([features[i % distinct] for i in range(batch)]) if batch > 1 else features[0]
        if device.type == "cuda":
            free_caches(device)
            torch.cuda.reset_peak_memory_stats(device)
        begun = time.perf_counter()
        trainer = make_trainer(many, settings, device)  # k-means of each image on one core, as workers do it on many
        wait_for(device)
        prepared = time.perf_counter()
        trained = train_side_by_side(trainer, settings.max_iter)
        ended = time.perf_counter()
        del trainer
        figures[f"images_per_s_{batch}"] = round(batch / (ended - prepared), 1)
        figures[f"start_seconds_{batch}"] = round(prepared - begun, 3)
        agree = [float((trained[i].clusters == alone[i % distinct].clusters).mean()) for i in range(batch)]
        figures[f"clusters_agree_{batch}"] = round(min(agree), 5)
        if device.type == "cuda":
            figures[f"peak_mib_{batch}"] = round(torch.cuda.max_memory_allocated(device) / 2**20)
    return figures


def measure_half_precision(device: torch.device, _: int) -> Figures:
    """Eight images side by side in float32 and in bfloat16: seconds, and how many pixels keep their cluster."""
    import numpy as np

    from napari_s3net import phantom
    from napari_s3net.preprocessing.prepare import prepare
    from napari_s3net.settings import presets
    from napari_s3net.training.loop import train_side_by_side
    from napari_s3net.training.variants import make_trainer

    settings, n = presets["skin"].settings, 8 if device.type == "cuda" else 2
    many = np.stack([prepare(phantom.dermoscopy(seed=s, shape=(256, 256)).image, settings).features for s in range(n)])
    found, figures = {}, {"images": n}
    for name in ("warm", "float32", "bfloat16"):
        trainer = make_trainer(many, settings, device)
        trainer.half = name == "bfloat16"
        wait_for(device)
        begun = time.perf_counter()
        found[name] = train_side_by_side(trainer, settings.max_iter)
        figures[f"seconds_{name}"] = round(time.perf_counter() - begun, 3)
    same = [(a.clusters == b.clusters).mean() for a, b in zip(found["float32"], found["bfloat16"], strict=True)]
    return {**figures, "clusters_agree_least": round(float(min(same)), 5)}
