"""One image at a time: the same result as on the CPU, its time and memory, and what becomes of it without memory."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from gpu_parts.clock import DEADLINE, Figures, allocated, free_caches, timed

#: Seconds that parity may take; then fewer images are compared.
PARITY_SECONDS = 150
#: Pieces of the card's memory that are left when running out is tried are smaller, in MiB: less than any run takes.
LEFT_MIB = 16


def measure_parity(device: torch.device, images: int) -> Figures:
    """Masks of the same generated photographs on the device and on the CPU, as Dice; and the time of each."""
    from napari_s3net import phantom

    dice, same, seconds = [], [], {"device": [], "cpu": []}
    for seed in range(images):
        if dice and DEADLINE.is_over(PARITY_SECONDS * 0.5):
            break
        image = phantom.dermoscopy(seed=seed).image
        masks, labels = {}, {}
        for where, name in ((device, "device"), (torch.device("cpu"), "cpu")):
            begun = time.perf_counter()
            result = segmented(image, where)
            masks[name], labels[name] = result.mask, result.labels
            seconds[name].append(time.perf_counter() - begun)
        same.append(float((labels["device"] == labels["cpu"]).mean()))
        a, b = masks["device"], masks["cpu"]
        dice.append(1.0 if not (a.any() or b.any()) else float(2 * (a & b).sum() / (a.sum() + b.sum())))
    return {
        "images": len(dice),
        "dice_mean": round(statistics.fmean(dice), 5),
        "dice_least": round(min(dice), 5),
        "labels_agree_mean": round(statistics.fmean(same), 5),
        "below_0.998": sum(d < 0.998 for d in dice),
        "seconds_device": round(statistics.median(seconds["device"]), 4),
        "seconds_cpu": round(statistics.median(seconds["cpu"]), 4),
    }


def measure_one_image(device: torch.device, _: int) -> Figures:
    """One 256 × 256 photograph after warm-up, with what it takes of the card and what stays there."""
    from napari_s3net import phantom

    image = phantom.dermoscopy(seed=0, shape=(256, 256)).image
    segmented(image, device)
    free_caches(device)
    before = allocated(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = [timed(lambda: segmented(image, device), device) for _ in range(10)]
    figures: Figures = {
        "shape": list(image.shape),
        "seconds_median": round(statistics.median(seconds), 4),
        "seconds_least": round(min(seconds), 4),
    }
    if device.type == "cuda":
        figures["peak_mib"] = round((torch.cuda.max_memory_allocated(device) - before) / 2**20, 1)
        figures["left_behind_bytes"] = allocated(device) - before
    return figures


def profile_run(device: torch.device, _: int) -> Figures:
    """Copies between card and computer, and waits for the card, in one run."""
    from torch.profiler import ProfilerActivity, profile

    from napari_s3net import phantom

    if device.type != "cuda":
        raise RuntimeError("copies and waits are those of a graphics card")
    image = phantom.dermoscopy(seed=0).image
    segmented(image, device)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        iterations = segmented(image, device).provenance.iterations
    counts = {row.key: row.count for row in profiled.key_averages()}
    wanted = {
        "to_card": "Memcpy HtoD",
        "from_card": "Memcpy DtoH",
        "waits": "cudaStreamSynchronize",
        "waits_device": "cudaDeviceSynchronize",
        "kernels": "cudaLaunchKernel",
    }
    found = {name: sum(n for key, n in counts.items() if key.startswith(word)) for name, word in wanted.items()}
    return {"iterations": iterations, **found}


def run_out_of_memory(device: torch.device, _: int) -> Figures:
    """A run on a card whose memory is taken: it has to end somewhere else and say so."""
    from napari_s3net import phantom
    from napari_s3net.runtime.generators import drain
    from napari_s3net.runtime.oom_retry import iter_retrying
    from napari_s3net.segmentation import iter_segment
    from napari_s3net.settings import presets

    if device.type != "cuda":
        raise RuntimeError("a CPU's memory is not filled on purpose")
    free_caches(device)
    image, settings = phantom.dermoscopy(seed=0).image, presets["skin"].settings
    taken: list[torch.Tensor] = []
    try:
        take_all_but(LEFT_MIB, device, taken)
        steps = iter_retrying(lambda s, where: iter_segment(image, s, device=where), settings, str(device))
        result = drain(steps)
    finally:
        taken.clear()
        free_caches(device)
    return {
        "note": result.provenance.note,
        "device": result.provenance.device,
        "object_share": round(float(result.mask.mean()), 4),
    }


def take_all_but(left: int, device: torch.device, taken: list[torch.Tensor]) -> None:
    """Take the card's memory until no piece of so many MiB can be had, of what torch keeps for later neither."""
    piece = torch.cuda.mem_get_info(device)[0] // 2**20
    while piece >= left:
        try:
            taken.append(torch.empty(piece * 2**20, dtype=torch.uint8, device=device))
        except torch.OutOfMemoryError:
            piece //= 2


def segmented(image: Any, device: torch.device) -> Any:
    """The image's result on a device, with the preset for skin."""
    from napari_s3net import segment

    return segment(image, preset="skin", seed=0, device=str(device))
