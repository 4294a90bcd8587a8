"""What a graphics card makes of this program, in one command of a few minutes.

    python scripts/gpu_check.py [--device cuda] [--output gpu.json] [--page gpu.md] [--images 100] [--minutes 6]

Runs from a bare checkout with Python 3.12, torch, numpy, scipy, scikit-image and safetensors; what is not installed is
not imported. Each part prints its figures as it ends and is kept at once; a part that cannot run, or for which there is
no time left, says why and the next one follows. A part that was not asked for, or was skipped, keeps its figures of an
earlier check, with their date. Without a card it measures the CPU, so that the script itself can be tried anywhere.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
Figures = dict[str, Any]
#: Images of a batch for the shared network, and the working size at which it looks at them.
BATCHES, SHARED_SIZE = (1, 8, 64, 256), 128
#: Images of a batch for single-image training: each has its own network.
SIDE_BY_SIDE = (1, 8, 64, 256)
#: Pieces of the card's memory that are left when running out is tried are smaller, in MiB: less than any run takes.
LEFT_MIB = 16


def measure_machine(device: torch.device, _: int) -> Figures:
    """The card's own limits: a large matrix product, and a copy counted as read and written."""
    cuda = device.type == "cuda"
    n, megabytes = (8192, 2048) if cuda else (512, 64)
    figures: Figures = {
        "device": torch.cuda.get_device_name(device) if cuda else "CPU",
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "",
        "when": datetime.now(UTC).date().isoformat(),
        "cores": torch.get_num_threads(),
    }
    for dtype in (torch.float32, torch.bfloat16)[: 1 + cuda]:
        a = torch.randn(n, n, device=device, dtype=dtype)
        seconds = best_seconds(lambda a=a: a @ a, device)
        figures[f"teraflops_{str(dtype).removeprefix('torch.')}"] = round(2 * n**3 / seconds / 1e12, 2)
    source = torch.empty(megabytes * 2**20, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    figures["copy_gb_per_s"] = round(2 * source.numel() / best_seconds(lambda: target.copy_(source), device) / 1e9)
    return figures


def run_tests(device: torch.device, _: int) -> Figures:
    """The tests that need a card."""
    if device.type != "cuda":
        raise RuntimeError("these tests need a graphics card")
    # The project's own options name plugins of pytest that may not be here.
    options = ["-q", "-p", "no:cacheprovider", "-c", str(ROOT / "tests" / "gpu" / "pytest.ini"), "--rootdir", str(ROOT)]
    command = [sys.executable, "-m", "pytest", *options, str(ROOT / "tests" / "gpu")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=240, check=False)
    lines = done.stdout.strip().splitlines()
    print("\n".join(lines[-25:]))
    return {"exit": done.returncode, "summary": lines[-1] if lines else done.stderr[-300:]}


def measure_parity(device: torch.device, images: int) -> Figures:
    """Masks of the same generated photographs on the device and on the CPU, as Dice; and the time of each."""
    from napari_s3net import phantom

    dice, same, seconds = [], [], {"device": [], "cpu": []}
    for seed in range(images):
        if dice and out_of_time(PARITY_SECONDS * 0.5):
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


def measure_shared_network(device: torch.device, _: int) -> Figures:
    """Images a second of one network for many images, in fp32 and bf16, and how far the two agree."""
    from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

    torch.manual_seed(0)
    network = EncoderDecoder(EncoderDecoderConfig()).to(device=device, memory_format=torch.channels_last).eval()
    figures: Figures = {"parameters": sum(p.numel() for p in network.parameters()), "size": SHARED_SIZE}
    figures["gflop_an_image"] = round(operations(network, torch.rand(1, 3, SHARED_SIZE, SHARED_SIZE, device=device)), 3)
    for batch in BATCHES if device.type == "cuda" else BATCHES[:1]:
        x = torch.rand(batch, 3, SHARED_SIZE, SHARED_SIZE, device=device)
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
    for batch in SIDE_BY_SIDE:
        if device.type == "cpu" and batch > images:
            figures[f"skipped_{batch}"] = "more than --images"
            continue
        if out_of_time():
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


def measure_training(device: torch.device, _: int) -> Figures:
    """Images a second while the shared network is taught, forth and back, in batches of 64."""
    from napari_s3net.network.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

    torch.manual_seed(0)
    network = EncoderDecoder(EncoderDecoderConfig()).to(device=device, memory_format=torch.channels_last)
    batch = 64 if device.type == "cuda" else 4
    x = torch.rand(batch, 3, SHARED_SIZE, SHARED_SIZE, device=device).contiguous(memory_format=torch.channels_last)
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


#: In this order; parity first, so that it is measured whatever comes after.
PARTS: dict[str, Callable[[torch.device, int], Figures]] = {
    "machine": measure_machine,
    "parity": measure_parity,
    "one_image": measure_one_image,
    "profile": profile_run,
    "side_by_side": measure_side_by_side,
    "half_precision": measure_half_precision,
    "shared_network": measure_shared_network,
    "training": measure_training,
    "learning": measure_learning,
    "out_of_memory": run_out_of_memory,
    "tests": run_tests,
}
#: Seconds that a part takes at most on an H100, about; one for which less is left is skipped.
LEAST_SECONDS = {"parity": 30, "learning": 60, "tests": 40}
#: Seconds that parity may take; then fewer images are compared.
PARITY_SECONDS = 150
#: When the whole check has to be over, by `time.monotonic`.
_end = float("inf")


def out_of_time(spare: float = 0.0) -> bool:
    """Whether less than so many seconds are left."""
    return time.monotonic() > _end - spare


def operations(network: torch.nn.Module, x: torch.Tensor) -> float:
    """GFLOP of a forward pass, counted by torch from the shapes of its matrix products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(x)
    return counter.get_total_flops() / 1e9


def matrix_teraflops(device: torch.device, name: str) -> float:
    """The card's own pace at a large matrix product."""
    n = 8192 if device.type == "cuda" else 512
    a = torch.randn(n, n, device=device, dtype=getattr(torch, name))
    return 2 * n**3 / best_seconds(lambda: a @ a, device) / 1e12


def segmented(image: Any, device: torch.device) -> Any:
    """The image's result on a device, with the preset for skin."""
    from napari_s3net import segment

    return segment(image, preset="skin", seed=0, device=str(device))


def first_tensor(answer: Any) -> torch.Tensor:
    """The object's logits of a network that may give more."""
    return answer[0] if isinstance(answer, tuple) else answer


def timed(work: Callable[[], Any], device: torch.device) -> float:
    """Seconds of one piece of work, the card's share included."""
    wait_for(device)
    begun = time.perf_counter()
    work()
    wait_for(device)
    return time.perf_counter() - begun


def best_seconds(work: Callable[[], Any], device: torch.device, turns: int = 5) -> float:
    """The least of some turns after a first one that warms up."""
    work()
    return min(timed(work, device) for _ in range(turns))


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def allocated(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0


def free_caches(device: torch.device) -> None:
    from napari_s3net.runtime.device import empty_caches

    empty_caches()
    wait_for(device)


@contextmanager
def told(name: str, figures: dict[str, Figures]) -> Iterator[None]:
    """Say what a part gave, or why it gave nothing."""
    begun = time.perf_counter()
    try:
        yield
    except Exception as error:  # noqa: BLE001  the next part shall run whatever this one met
        figures[name] = {"skipped": f"{type(error).__name__}: {error}"[:500]}
    figures[name]["seconds"] = round(time.perf_counter() - begun, 1)
    print(f"{name}: {json.dumps(figures[name], ensure_ascii=False)}", flush=True)


def earlier(path: Path, device: torch.device) -> dict[str, Figures]:
    """The figures of an earlier check on a card, each part with its date; none for a check of the CPU."""
    if device.type != "cuda" or not path.exists():
        return {}
    found: dict[str, Figures] = json.loads(path.read_text(encoding="utf-8"))
    machine = found.get("machine", {})
    since = f"{machine.get('when', '')}, {machine.get('device', '')}"
    return {name: {"measured": since, **part} for name, part in found.items() if name != "machine"}


def write_page(figures: dict[str, Figures]) -> str:
    """The page for the docs: every part as a table."""
    machine = figures.get("machine", {})
    lines = ["# On a graphics card", "", "Made by `make gpu-check`; not to be edited by hand.", ""]
    if machine.get("device", "CPU") == "CPU":
        return "\n".join([*lines, "Not measured yet: no card was at hand.", ""])
    missing = [name.replace("_", " ") for name in PARTS if name not in figures or "skipped" in figures[name]]
    lines += [f"Not measured yet: {', '.join(missing)}.", ""] if missing else []
    lines += [f"Measured on one {machine['device']} on {machine['when']}, torch {machine['torch']}.", ""]
    lines += [machine["note"], ""] if "note" in machine else []
    for name, part in figures.items():
        part = {key: value for key, value in part.items() if key != "note" or name != "machine"}
        rows = [f"| {key.replace('_', ' ')} | {value} |" for key, value in part.items()]
        lines += [f"## {name.replace('_', ' ').capitalize()}", "", "| figure | value |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"))
    parser.add_argument("--page", type=Path, help="write the docs page as well")
    parser.add_argument("--images", type=int, default=100, help="generated images whose masks are compared")
    parser.add_argument("--minutes", type=float, default=6.0, help="no part begins that would not end in this time")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    device = torch.device(asked.device)
    global _end  # noqa: PLW0603 - one check, one end
    _end = time.monotonic() + 60 * asked.minutes
    before = earlier(asked.output, device)
    figures: dict[str, Figures] = {}
    for name in asked.parts:
        with told(name, figures):
            if out_of_time(LEAST_SECONDS.get(name, 15) if device.type == "cuda" else 0):
                raise RuntimeError("no time left")
            figures[name] = PARTS[name](device, asked.images)
        kept = {**{part: old for part, old in before.items() if part not in figures}, **figures}
        kept |= {
            part: old for part, old in before.items() if "skipped" in figures.get(part, {}) and "skipped" not in old
        }
        asked.output.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figures = kept
    if asked.page:
        asked.page.write_text(write_page(figures), encoding="utf-8")
    return int(figures.get("tests", {}).get("exit", 0) != 0)


if __name__ == "__main__":
    sys.exit(main())
