"""What the dock says: pure functions from numbers and records to a few plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_s3net.foreground.constants import VotingConstants
from napari_s3net.foreground.proposal import SURE
from napari_s3net.runtime.memory import Advice, mib_text, too_much

#: Below this expected Dice nothing is proposed.
LEAST = VotingConstants.least_confidence

#: Keeps a number and its unit on one line.
NARROW = "\u00a0"


def unit_text(unit: str, label: str) -> str:
    """A unit in one word, to stand behind a number.

    Parameters
    ----------
    unit : str
        As in the settings' metadata, such as "% of the image".
    label : str
        Of the setting.

    Returns
    -------
    str
        The first word: "%"; empty where there is no unit, or the label already names it.
    """
    return "" if not unit or unit.lower() in label.lower() else unit.split(maxsplit=1)[0]


def share_text(share: float) -> str:
    """A share of the image in percent.

    Parameters
    ----------
    share : float
        0 to 1.

    Returns
    -------
    str
        "21.4 %"; "<0.1 %" for a trace, which is not rounded to nothing.
    """
    percent = 100 * share
    return f"<{NARROW}0.1{NARROW}%" if 0 < percent < 0.05 else f"{percent:.1f}{NARROW}%"


def area_text(area: float, unit: str) -> str:
    """An area with its unit.

    Parameters
    ----------
    area : float
        In `unit`.
    unit : str
        "mm²", or anything else for pixels.

    Returns
    -------
    str
        "38.2 mm²", "12.4 cm²" from 1000 mm² on, "12,345 px".
    """
    if unit.startswith("mm"):
        return f"{area / 100:,.1f}{NARROW}cm²" if area >= 1000 else f"{area:.3g}{NARROW}mm²"
    return f"{area:,.0f}{NARROW}px"


def mean_text(mean: float, sd: float, kind: str | None) -> str:
    """Mean and standard deviation of the intensity.

    Parameters
    ----------
    mean, sd : float
        In the image's values.
    kind : str or None
        Of the image: "ct" adds HU.

    Returns
    -------
    str
        "118 ± 22", "−820 ± 45 HU"; values below 10 with up to three digits.
    """
    small = max(abs(mean), abs(sd)) < 10
    numbers = f"{mean:.3g} ± {sd:.2g}" if small else f"{round(mean)} ± {round(sd)}"
    return numbers.replace("-", "−") + (f"{NARROW}HU" if kind == "ct" else "")


def seconds_text(seconds: float) -> str:
    """A duration in seconds, as words.

    Parameters
    ----------
    seconds : float
        From 0.

    Returns
    -------
    str
        "0.8 s", "14 s", "2 min 5 s".
    """
    if seconds < 10:
        return f"{seconds:.1f}{NARROW}s"
    if seconds < 99.5:
        return f"{seconds:.0f}{NARROW}s"
    return f"{int(seconds + 0.5) // 60}{NARROW}min{NARROW}{int(seconds + 0.5) % 60}{NARROW}s"


def plural(n: int, word: str) -> str:
    """A number and what it counts.

    Parameters
    ----------
    n : int
        How many.
    word : str
        In the singular; its plural takes an s.

    Returns
    -------
    str
        "1 cluster", "6 clusters".
    """
    return f"{n} {word}" if n == 1 else f"{n:,} {word}s"


def progress_text(iteration: int, total: int, left: float | None, n_labels: int) -> str:
    """One line while a run goes on.

    Parameters
    ----------
    iteration, total : int
        Iterations done, and at most to do.
    left : float or None
        Seconds left; None where that is not known yet.
    n_labels : int
        Clusters in use.

    Returns
    -------
    str
        "18 of 40 · about 1.1 s left · 6 clusters".
    """
    parts = [f"{iteration} of {total}", plural(n_labels, "cluster")]
    if left is not None and iteration < total:
        parts.insert(1, f"about {seconds_text(left)} left")
    return " · ".join(parts)


def batch_text(over: int, total: int, failed: int, left: float | None, *, paused: bool, within: str = "") -> str:
    """One line while a batch goes on.

    Parameters
    ----------
    over, total : int
        Files that are finished in any way, and all.
    failed : int
        How many of them failed.
    left : float or None
        Seconds left; None where that is not known.
    paused : bool
        Whether the batch waits; then no time is told.
    within : str
        Which slices of volumes are worked on; empty for none.

    Returns
    -------
    str
        "412 of 1,204 · 3 failed · about 27 min left".
    """
    parts = [f"{over:,} of {total:,}", *([within] if within else [])]
    if failed:
        parts.append(f"{failed:,} failed")
    if paused:
        parts.append("paused")
    elif left is not None and over < total:
        parts.append(f"about {long_text(left)} left")
    return " · ".join(parts)


def long_text(seconds: float) -> str:
    """A long duration in seconds, roughly, as words.

    Parameters
    ----------
    seconds : float
        From 0.

    Returns
    -------
    str
        "14 s", "27 min", "3 h 20 min".
    """
    if seconds < 90:
        return f"{seconds:.0f}{NARROW}s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes}{NARROW}min"
    return f"{minutes // 60}{NARROW}h {minutes % 60}{NARROW}min"


def time_left(done: float, to_do: float, seconds: float) -> float | None:
    """Estimate the time left from the pace so far.

    Parameters
    ----------
    done, to_do : float
        What was done since the clock was started, and what is left: iterations or files.
    seconds : float
        How long that took.

    Returns
    -------
    float or None
        Seconds; None while fewer than two are done.
    """
    return None if done < 2 else seconds / done * to_do


def outcome_text(about: Mapping[str, Any], share: float, area: str) -> str:
    """The line that says what was found.

    Parameters
    ----------
    about : mapping
        The result's metadata; see `layers.metadata.make_metadata`.
    share : float
        Of the object in the plane in view, 0 to 1.
    area : str
        Its area, as from `area_text`.

    Returns
    -------
    str
        "Lesion 38.2 mm² (21 % of the image) · sure"; the last word where the result has one.
    """
    certainty = about.get("certainty", "")
    if not about["foreground"]:
        return "No clear object" if certainty else "No object proposed"
    where = "image" if about["slice"] is None else "slice"
    percent = share_text(share) if share < 0.1 else f"{100 * share:.0f}{NARROW}%"
    whole = f"({percent} of the {where})" + (f" · {certainty}" if certainty else "")
    # Where there is no room for a line, it breaks before the bracket.
    return f"{about.get('object_name', 'Object')} {area} {whole.replace(' ', NARROW)}"


def certainty_tip(about: Mapping[str, Any]) -> str:
    """What stands behind the word for how certain a result is.

    Parameters
    ----------
    about : mapping
        The result's metadata.

    Returns
    -------
    str
        Two sentences with the number; empty where the result has none.
    """
    confidence = about.get("confidence")
    if not about.get("certainty") or confidence is None or not 0 <= confidence <= 1:
        return ""
    return (
        f"Expected overlap (Dice) with an outline drawn by hand: {confidence:.2f} of 1, as far as the network knows "
        f"itself. sure: {SURE:g} or more; look: check the outline first; no clear object: below {LEAST:g}."
    )


def effort_text(about: Mapping[str, Any]) -> str:
    """How a result was made, in a line.

    Parameters
    ----------
    about : mapping
        The result's metadata.

    Returns
    -------
    str
        "40 iterations · 1.9 s · CPU", and the run's note where it has one.
    """
    done = plural(about["iterations"], "iteration")
    parts = [f"stopped after {about['iterations']}" if about["stopped"] else done, seconds_text(about["seconds"])]
    line = " · ".join([*parts, device_label(about["device"])])
    return f"{line}. {about['note']}" if about.get("note") else line


def device_text(
    choice: str, devices: tuple[str, ...], cores: int, card: str = "", *, may_have_card: bool = False
) -> str:
    """Say what a run will compute on.

    Parameters
    ----------
    choice : str
        "auto", "cpu", "cuda:0", "mps".
    devices : tuple of str
        Those of this machine, the automatic choice first; empty while they are not known.
    cores : int
        Of the CPU.
    card : str
        What the graphics card is called, where that is known.
    may_have_card : bool
        Whether the automatic choice will be a graphics card, as far as that is known before the first run.

    Returns
    -------
    str
        A sentence: "The graphics card NVIDIA H100 (cuda:0).".
    """
    cpu = f"the CPU, {plural(cores, 'core')}"
    if choice == "auto" and not devices:
        return "The graphics card." if may_have_card else f"{cpu[4:]}."
    used = devices[0] if choice == "auto" else choice
    if used == "cpu":
        return f"{cpu[4:]}."
    if used == "mps":
        return "The graphics chip (Metal)."
    return f"The graphics card {card} ({used})." if card else f"The graphics card {used}."


def device_label(name: str) -> str:
    """Name a device in the list.

    Parameters
    ----------
    name : str
        As torch calls it, such as "cuda:0".

    Returns
    -------
    str
        "Auto", "CPU", "CUDA 0", "MPS".
    """
    return {"auto": "Auto", "cpu": "CPU", "mps": "MPS"}.get(name, name.replace("cuda:", "CUDA "))


def memory_text(advice: Advice) -> str:
    """Say what a run takes of memory and what there is.

    Parameters
    ----------
    advice : Advice
        Need and free memory, in MiB.

    Returns
    -------
    str
        "Memory: about 130 MB of 12.4 GB free.".
    """
    needed, free = (mib_text(mib).replace(" ", NARROW) for mib in (advice.needed, advice.free))
    return f"Memory: about {needed} of {free} free."


def remedy_text(advice: Advice) -> str:
    """The text of the button that makes a run fit into memory.

    Parameters
    ----------
    advice : Advice
        What would make it fit.

    Returns
    -------
    str
        "Use 256 px" or "Use the CPU"; empty where neither would do.
    """
    if advice.working_size is not None:
        return f"Use {advice.working_size}{NARROW}px"
    return "Use the CPU" if advice.cpu else ""


def remedy_words(advice: Advice) -> str:
    """Say that a run does not fit into memory, and what would.

    Parameters
    ----------
    advice : Advice
        What would make it fit.

    Returns
    -------
    str
        Two sentences.
    """
    if advice.working_size is not None:
        return f"{too_much(advice)} A working size of {advice.working_size}{NARROW}px fits."
    return f"{too_much(advice)} {'It fits on the CPU.' if advice.cpu else 'Close other programs first.'}"


def save_ending(kind: str | None) -> str:
    """The format to offer for saving: NIfTI for what lies in space, PNG for photographs, TIFF for the rest.

    Parameters
    ----------
    kind : str or None
        Of the image; None for grey.

    Returns
    -------
    str
        ".nii.gz", ".png" or ".tif".
    """
    return {"rgb": ".png", "ct": ".nii.gz", "mr": ".nii.gz"}.get(kind or "grey", ".tif")
