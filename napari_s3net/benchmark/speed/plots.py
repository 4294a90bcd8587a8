"""Small plots as plain SVG: no plotting library is needed for a few lines."""

from __future__ import annotations

import math
from html import escape

from napari_s3net.benchmark.speed.growth import Point, is_known

#: Size of a panel and its margins.
WIDTH, HEIGHT, LEFT, TOP, BELOW = 250, 190, 46, 30, 34
COLUMNS = 4
#: Blue and orange, which colour-blind people tell apart.
COLOURS = {"seconds": "#1f77b4", "mib": "#d95f02"}
UNITS = {"seconds": "s", "mib": "MiB"}
#: Width of a bar of parts, its height with the room for words, and shades whose neighbours differ in lightness.
BAR, BAR_ROW = 980, 96
SHADES = ("#08519c", "#9ecae1", "#a63603", "#fdae6b", "#54278f", "#bcbddc", "#006d2c", "#a1d99b")


def profile_plot(bars: dict[str, dict[str, float]]) -> str:
    """Draw one bar for each title, all of one width, with its parts in the order given and their milliseconds.

    Parameters
    ----------
    bars : dict of str to dict of str to float
        Seconds of each part, by title; see `profile`.

    Returns
    -------
    str
        SVG.
    """
    drawn = [
        f'<g transform="translate(30,{i * BAR_ROW})">{_bar(title, parts)}</g>'
        for i, (title, parts) in enumerate(bars.items())
    ]
    return _svg(BAR + 60, len(bars) * BAR_ROW, drawn)


def _bar(title: str, parts: dict[str, float]) -> str:
    """A title, the bar, and under it what its colours mean, in their order."""
    total, at, drawn = sum(parts.values()), 0.0, []
    for i, (name, seconds) in enumerate(parts.items()):
        wide, words, left = BAR * seconds / total, f"{name}, {1000 * seconds:.0f} ms", BAR * i / len(parts)
        shade = SHADES[i % len(SHADES)]
        drawn.append(
            f'<rect x="{at:.1f}" y="26" width="{wide:.1f}" height="30" fill="{shade}"/>'
            f'<rect x="{left:.1f}" y="66" width="9" height="9" fill="{shade}"/>'
            f'<text x="{left + 13:.1f}" y="75">{escape(words)}</text>'
        )
        at += wide
    return f'<text y="18" font-weight="bold">{escape(title)}: {1000 * total:.0f} ms</text>{"".join(drawn)}'


def growth_plot(growth: dict[str, list[Point]]) -> str:
    """Draw one panel for each series and quantity, on logarithmic axes: seconds in blue, MiB in orange, both against n.

    Parameters
    ----------
    growth : dict of str to list of dict
        Points of each series, by its name; see `iter_growth`.

    Returns
    -------
    str
        SVG; a quantity that was not measured has no panel.
    """
    panels = [(name, points, of) for of in COLOURS for name, points in growth.items() if is_known(points, of)]
    rows = -(-len(panels) // COLUMNS)
    drawn = [
        f'<g transform="translate({i % COLUMNS * WIDTH},{i // COLUMNS * HEIGHT})">{_panel(*panel)}</g>'
        for i, panel in enumerate(panels)
    ]
    return _svg(COLUMNS * WIDTH, rows * HEIGHT, drawn)


def _svg(wide: int, high: int, drawn: list[str]) -> str:
    """A picture on white."""
    size, style = f'width="{wide}" height="{high}"', 'font-family="sans-serif" font-size="11"'
    back = f'<rect {size} fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{back}{"".join(drawn)}</svg>\n'


def _panel(name: str, points: list[Point], of: str) -> str:
    """A title, two axes with their ends, a dashed line of linear growth, and the measured points."""
    wide, high = WIDTH - LEFT - 14, HEIGHT - TOP - BELOW
    x, y = ([math.log10(point[key]) for point in points] for key in ("n", of))
    low = min(y)
    span = max(*y, y[0] + x[-1] - x[0]) - low

    def place(a: float, b: float) -> str:
        across = LEFT + wide * (a - x[0]) / max(x[-1] - x[0], 1e-9)
        return f"{across:.1f},{TOP + high * (1 - (b - low) / span):.1f}"

    line = " ".join(place(a, b) for a, b in zip(x, y, strict=True))
    linear = f"{place(x[0], y[0])} {place(x[-1], y[0] + x[-1] - x[0])}"
    dots = "".join(
        f'<circle cx="{spot.split(",")[0]}" cy="{spot.split(",")[1]}" r="3" fill="{COLOURS[of]}"/>'
        for spot in line.split()
    )
    bottom = TOP + high
    return (
        f'<text x="{LEFT}" y="16" font-weight="bold">{escape(name)}: {UNITS[of]}</text>'
        f'<path d="M{LEFT},{TOP} V{bottom} H{LEFT + wide}" fill="none" stroke="#888"/>'
        f'<polyline points="{linear}" fill="none" stroke="#bbb" stroke-dasharray="4 3"/>'
        f'<polyline points="{line}" fill="none" stroke="{COLOURS[of]}" stroke-width="2"/>{dots}'
        f'<text x="{LEFT}" y="{bottom + 16}">{_short(points[0]["n"])}</text>'
        f'<text x="{LEFT + wide}" y="{bottom + 16}" text-anchor="end">{_short(points[-1]["n"])}</text>'
        f'<text x="{LEFT - 4}" y="{bottom}" text-anchor="end">{_short(10**low)}</text>'
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{_short(10 ** (low + span))}</text>'
    )


def _short(n: float) -> str:
    """A number at the end of an axis."""
    if n >= 1e6:
        return f"{n / 1e6:.1f} M"
    return f"{n:,.0f}" if n >= 10 or n == round(n) else f"{n:.2g}"
