"""What the docks say of numbers: pure functions from a number to a few plain words."""

from __future__ import annotations

#: Keeps a number and its unit on one line.
NARROW = "\u00a0"


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
        "38.2 mm²", "12.4 cm²" from 1000 mm² on, "250 µm²" of what is smaller than under a loupe, "12,345 px".
    """
    if unit.startswith("mm") and 0 < area < 0.001:
        square = area * 1e6
        return f"{square:,.0f}{NARROW}µm²" if square >= 100 else f"{square:.3g}{NARROW}µm²"
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
