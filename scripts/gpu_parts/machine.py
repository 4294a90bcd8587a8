"""The card's own limits, and the tests that need one."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

from gpu_parts.clock import Figures, best_seconds

ROOT = Path(__file__).resolve().parents[2]


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


def matrix_teraflops(device: torch.device, name: str) -> float:
    """The card's own pace at a large matrix product."""
    n = 8192 if device.type == "cuda" else 512
    a = torch.randn(n, n, device=device, dtype=getattr(torch, name))
    return 2 * n**3 / best_seconds(lambda: a @ a, device) / 1e12
