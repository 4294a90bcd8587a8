"""What the dock says: pure functions from numbers and records to a few plain words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from napari_s3net.runtime.memory import Advice, mib_text, too_much
from napari_s3net.settings import Settings, describe_settings, presets

#: Keeps a number and its unit on one line.
NARROW = "\u00a0"
#: Settings that do not change how long an iteration takes.
FREE = ("seed", "min_labels", "max_iter", "target", "min_area")


def unit_text(unit: str, label: str) -> str:
    """A unit in one word; empty where there is none, or the label already says it: "px", "%"."""
    return "" if not unit or unit.lower() in label.lower() else unit.split(maxsplit=1)[0]


def share_text(share: float) -> str:
    """A share of the image: "21.4 %"; a trace is not rounded to nothing."""
    percent = 100 * share
    return f"<{NARROW}0.1{NARROW}%" if 0 < percent < 0.05 else f"{percent:.1f}{NARROW}%"


def area_text(area: float, unit: str) -> str:
    """An area: "38.2 mm²", "12,345 px"; large ones in cm²."""
    if unit.startswith("mm"):
        return f"{area / 100:,.1f}{NARROW}cm²" if area >= 1000 else f"{area:.3g}{NARROW}mm²"
    return f"{area:,.0f}{NARROW}px"


def mean_text(mean: float, sd: float, kind: str | None) -> str:
    """Mean and standard deviation of the intensity: "118 ± 22", "−820 ± 45 HU"; small values keep three digits."""
    small = max(abs(mean), abs(sd)) < 10
    numbers = f"{mean:.3g} ± {sd:.2g}" if small else f"{round(mean)} ± {round(sd)}"
    return numbers.replace("-", "−") + (f"{NARROW}HU" if kind == "ct" else "")


def seconds_text(seconds: float) -> str:
    """A duration: "0.8 s", "14 s", "2 min 5 s"."""
    if seconds < 10:
        return f"{seconds:.1f}{NARROW}s"
    if seconds < 99.5:
        return f"{seconds:.0f}{NARROW}s"
    return f"{int(seconds + 0.5) // 60}{NARROW}min{NARROW}{int(seconds + 0.5) % 60}{NARROW}s"


def plural(n: int, word: str) -> str:
    """A number and its word: "1 cluster", "6 clusters"."""
    return f"{n} {word}" if n == 1 else f"{n:,} {word}s"


def progress_text(iteration: int, total: int, left: float | None, n_labels: int) -> str:
    """One line while running: "18 of 40 · about 1.1 s left · 6 clusters"."""
    parts = [f"{iteration} of {total}", plural(n_labels, "cluster")]
    if left is not None and iteration < total:
        parts.insert(1, f"about {seconds_text(left)} left")
    return " · ".join(parts)


def batch_text(over: int, total: int, failed: int, left: float | None, *, paused: bool, within: str = "") -> str:
    """One line of a batch: "412 of 1,204 · 3 failed · about 27 min left"; `within` a volume, which slice."""
    parts = [f"{over:,} of {total:,}", *([within] if within else [])]
    if failed:
        parts.append(f"{failed:,} failed")
    if paused:
        parts.append("paused")
    elif left is not None and over < total:
        parts.append(f"about {long_text(left)} left")
    return " · ".join(parts)


def long_text(seconds: float) -> str:
    """A long duration, roughly: "14 s", "27 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f}{NARROW}s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes}{NARROW}min"
    return f"{minutes // 60}{NARROW}h {minutes % 60}{NARROW}min"


def time_left(done: float, to_do: float, seconds: float) -> float | None:
    """Seconds left, when the newest `done` iterations took so many seconds; None until two are timed."""
    return None if done < 2 else seconds / done * to_do


def outcome_text(about: Mapping[str, Any], share: float) -> str:
    """The line above the table: "✓ Lesion proposed · 21.4 % of the image"."""
    if not about["foreground"]:
        return "✓ No object proposed"
    where = "image" if about["slice"] is None else "slice"
    return f"✓ {about.get('object_name', 'Object')} proposed · {share_text(share)} of the {where}"


def effort_text(about: Mapping[str, Any]) -> str:
    """How a result was made, in a line: "40 iterations · 1.9 s · CPU"."""
    done = plural(about["iterations"], "iteration")
    parts = [f"stopped after {done}" if about["stopped"] else done, seconds_text(about["seconds"])]
    line = " · ".join([*parts, device_label(about["device"])])
    return f"{line}. {about['note']}" if about.get("note") else line


def device_text(choice: str, devices: tuple[str, ...], cores: int) -> str:
    """Say what a run will compute on."""
    cpu = f"the CPU, {plural(cores, 'core')}"
    if choice == "auto" and not devices:
        return f"A graphics card if there is one, else {cpu}."
    used = devices[0] if choice == "auto" else choice
    if used == "cpu":
        return f"{cpu[4:]}."
    return "The graphics chip (Metal)." if used == "mps" else f"The graphics card {used}."


def device_label(name: str) -> str:
    """A device in the list: "Auto", "CPU", "CUDA 0", "MPS"."""
    return {"auto": "Auto", "cpu": "CPU", "mps": "MPS"}.get(name, name.replace("cuda:", "CUDA "))


def about_text(asked: Settings, timed: tuple[Settings, float] | None) -> str:
    """An estimate of how long a run takes, once one like it was timed at so many seconds an iteration."""
    if timed is None or timed[0].replace(**{n: getattr(asked, n) for n in FREE}) != asked:
        return ""
    return f" At most about {seconds_text(timed[1] * asked.max_iter)}."


def memory_text(advice: Advice) -> str:
    """What a run takes and what there is: "Memory: about 130 MB of 12.4 GB free."."""
    needed, free = (mib_text(mib).replace(" ", NARROW) for mib in (advice.needed, advice.free))
    return f" Memory: about {needed} of {free} free."


def remedy_text(advice: Advice) -> str:
    """What the button says that makes a run fit; nothing where nothing would."""
    if advice.working_size is not None:
        return f"Use {advice.working_size}{NARROW}px"
    return "Use the CPU" if advice.cpu else ""


def remedy_words(advice: Advice) -> str:
    """Say that a run does not fit, and what would."""
    if advice.working_size is not None:
        return f"{too_much(advice)} A working size of {advice.working_size}{NARROW}px fits."
    return f"{too_much(advice)} {'It fits on the CPU.' if advice.cpu else 'Close other programs first.'}"


def changes(settings: Settings, preset: str) -> dict[str, Any]:
    """The settings that differ from their preset's."""
    base = presets[preset].settings.to_dict()
    return {name: value for name, value in settings.to_dict().items() if value != base[name]}


def as_python(about: Mapping[str, Any], path: str | None, device: str) -> str:
    """The same result as lines of Python, for the image's file; without one, for a file of the image's name."""
    settings = Settings.from_dict(about["settings"])
    changed = ", ".join(f"{name}={value!r}" for name, value in changes(settings, about["preset"]).items())
    planes = {None: "image", 0: f"image.slice({about['slice']})"}
    lies = f"as_image(image.array.take({about['slice']}, axis={about['axis']}), kind=image.kind)"
    return (
        "from napari_s3net import as_image, presets, read_image, segment\n\n"
        f"image = read_image({path or about['source']!r})\n"
        f"settings = presets[{about['preset']!r}].settings{f'.replace({changed})' if changed else ''}\n"
        f"result = segment({planes.get(about['axis'], lies)}, settings=settings, device={device!r})\n"
        "labels, mask = result.labels, result.mask\n"
    )


def as_command(about: Mapping[str, Any], path: str | None, device: str) -> str:
    """The same result as a command of the shell, which knows the slices of a volume along its first axis only."""
    if about["axis"]:
        return "# The command line takes slices along the first axis only; copy as Python instead."
    settings = Settings.from_dict(about["settings"])
    changed = changes(settings, about["preset"])
    words = ["napari-s3net", "segment", path or about["source"], "-o", "labels", "--preset", about["preset"]]
    words += ["--seed", str(changed.pop("seed", settings.seed)), "--device", device]
    words += [] if about["slice"] is None else ["--slice", str(about["slice"])]
    words += ["--set", *(f"{name}={value}" for name, value in changed.items())] if changed else []
    return shlex.join(words)


def settings_rows(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Everything that was asked for and how it went, as names and values for a list."""
    rows = [
        ("Image", about["source"]),
        *([("Slice", str(about["slice"] + 1))] if about["slice"] is not None else []),
        ("Preset", presets[about["preset"]].label),
        ("Version", about["version"]),
        ("Device", device_label(about["device"])),
        ("Time", seconds_text(about["seconds"])),
        ("Iterations done", str(about["iterations"]) + (" (stopped by hand)" if about["stopped"] else "")),
    ]
    for row in describe_settings():
        value = about["settings"][row["name"]]
        shown = (
            ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}" if row["type"] == "float" else value
        )
        unit = unit_text(row["unit"], row["label"])
        rows.append((row["label"], f"{shown}{'' if unit in ('', '°') else NARROW}{unit}"))
    return rows


def save_ending(kind: str | None) -> str:
    """The format to offer: NIfTI for what lies in space, PNG for photographs, TIFF for the rest."""
    return {"rgb": ".png", "ct": ".nii.gz", "mr": ".nii.gz"}.get(kind or "grey", ".tif")
