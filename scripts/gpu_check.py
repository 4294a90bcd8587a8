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
import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from gpu_parts.clock import DEADLINE, Figures
from gpu_parts.machine import measure_machine, run_tests
from gpu_parts.one_image import measure_one_image, measure_parity, profile_run, run_out_of_memory
from gpu_parts.report import earlier, told, write_page
from gpu_parts.shared_network import measure_learning, measure_shared_network, measure_training
from gpu_parts.side_by_side import measure_half_precision, measure_side_by_side

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
    DEADLINE.set(asked.minutes)
    before = earlier(asked.output, device)
    figures: dict[str, Figures] = {}
    for name in asked.parts:
        with told(name, figures):
            if DEADLINE.is_over(LEAST_SECONDS.get(name, 15) if device.type == "cuda" else 0):
                raise RuntimeError("no time left")
            figures[name] = PARTS[name](device, asked.images)
        kept = {**{part: old for part, old in before.items() if part not in figures}, **figures}
        kept |= {
            part: old for part, old in before.items() if "skipped" in figures.get(part, {}) and "skipped" not in old
        }
        asked.output.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    figures = kept
    if asked.page:
        asked.page.write_text(write_page(figures, PARTS), encoding="utf-8")
    return int(figures.get("tests", {}).get("exit", 0) != 0)


if __name__ == "__main__":
    sys.exit(main())
