"""What is said of a check: as it goes on, and on the page of the docs; with what an earlier one has found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from gpu_parts.clock import Figures


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


def write_page(figures: dict[str, Figures], parts: Iterable[str]) -> str:
    """The page for the docs: every part as a table."""
    machine = figures.get("machine", {})
    lines = ["# On a graphics card", "", "Made by `make gpu-check`; not to be edited by hand.", ""]
    if machine.get("device", "CPU") == "CPU":
        return "\n".join([*lines, "Not measured yet: no card was at hand.", ""])
    missing = [name.replace("_", " ") for name in parts if name not in figures or "skipped" in figures[name]]
    lines += [f"Not measured yet: {', '.join(missing)}.", ""] if missing else []
    lines += [f"Measured on one {machine['device']} on {machine['when']}, torch {machine['torch']}.", ""]
    lines += [machine["note"], ""] if "note" in machine else []
    for name, part in figures.items():
        part = {key: value for key, value in part.items() if key != "note" or name != "machine"}
        rows = [f"| {key.replace('_', ' ')} | {value} |" for key, value in part.items()]
        lines += [f"## {name.replace('_', ' ').capitalize()}", "", "| figure | value |", "|---|---|", *rows, ""]
    return "\n".join(lines)
