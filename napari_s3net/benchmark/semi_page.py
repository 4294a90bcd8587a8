"""The docs page of learning from few labels: the table over draws, the rounds of correcting, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_s3net.benchmark.csv_table import read_table
from napari_s3net.benchmark.semi import CLASSES, ROWS, drawn_patients

LABELLED, DRAWS = (1, 2, 6), 3
MISSING = "–"
#: What was published, of other splits and budgets: mean Dice on ACDC.
PUBLISHED = (
    "Published, on other splits: KAF 0.741 with two labelled patients and 0.873 with six, a U-Net from random 0.782 "
    "with six; IDEAL 0.738 with 1.25 % of the labels."
)
PROTOCOL = (
    "Patients 31–40 are for testing only; 1–30 are the pool, of which M have labels and the others none. 3-D Dice of "
    "each volume and class at the volume's own size, of the last checkpoint; mean over classes and volumes, then mean "
    "± standard deviation over draws of the labelled patients (the number of draws in brackets). Gain: how far above "
    "the U-Net from random, mean over the draws that both rows have. *In one piece*: of what is in one piece in all "
    "labelled volumes the largest piece is kept; without that word, everything. *Looked at closer*: a second network "
    "sees the part of a volume where the first one has found the object, in as many steps again. *In two rounds*: both "
    "learn once more, in 0.6 of the steps, and also from the volumes without labels on which they agree most: there "
    "the U-Net learns from these, too. The program does all of this; what it does less stands below, to compare."
)
GOES_ON = (
    "The command goes on where it was ended. Figures of few draws, or of less than the small size's 128 pixels and 500 "
    "steps, rank nothing. Labelled patients, "
    + "; ".join(f"draw {n} of two: {', '.join(map(str, drawn_patients(2, n)))}" for n in range(DRAWS))
    + "."
)
LOOP = (
    "ISIC 2018: a simulated user gives the true masks of the images that *Next to correct* offers, or of others drawn "
    "at random; the model is learned again from the one before. Mean Dice of the images that are not corrected, at "
    "their own size; in brackets that of what the program proposes for the same images without any label: that is what "
    "there is after 0 corrected. The first round is drawn at random for both. The rest is not the same: who corrects "
    "the hard images leaves the easy ones, so part of a difference is that."
)


def semi_page(output: Path) -> str:
    """Write the page from the tables of a folder.

    Parameters
    ----------
    output : Path
        Folder with `semi.csv` and `rounds.csv`, as `benchmark --semi` and `benchmark --loop` write them.

    Returns
    -------
    str
        Markdown.
    """
    rows = read_table(output / "semi.csv")
    budgets = list(dict.fromkeys(row["budget"] for row in rows))
    parts = [
        "# Learning from few labels",
        "Made by `napari-s3net benchmark --page docs/learning --semi -o docs/benchmark-semi.md`, not by hand.",
        "## ACDC",
        PROTOCOL,
    ]
    parts += [_table(budget, [row for row in rows if row["budget"] == budget]) for budget in reversed(budgets)]
    parts += [GOES_ON, PUBLISHED, *_rounds(output / "rounds.csv")]
    return "\n\n".join(parts) + "\n"


def _table(budget: str, rows: Sequence[dict[str, str]]) -> str:
    """A line a row of the table, for one budget."""
    devices = list(dict.fromkeys(row["device"] for row in rows))
    lines = [
        f"### {budget[0].upper()}{budget[1:]}",
        "",
        "| | "
        + " | ".join(f"M = {m}" for m in LABELLED)
        + " | less the U-Net's of the same draws | by class, M = 2 | training |",
        "|---|" + "---|" * (len(LABELLED) + 3),
    ]
    for row in ROWS:
        its = [one for one in rows if one["row"] == row.name]
        if not its:
            continue
        cells = [_cell([one for one in its if int(one["labelled"]) == m]) for m in LABELLED]
        gained = " / ".join(_gain(its, [one for one in rows if one["row"] == ROWS[0].name], m) for m in LABELLED)
        classes = [_mean([one for one in its if one["label"] == str(k) and one["labelled"] == "2"]) for k in CLASSES]
        by_class = " / ".join(MISSING if np.isnan(value) else f"{value:.3f}" for value in classes)
        took = " / ".join(_minutes([one for one in its if one["device"] == device]) for device in devices)
        lines.append(f"| {row.text} | {' | '.join(cells)} | {gained} | {by_class} | {took} |")
    names = ", ".join(CLASSES.values())
    told = (
        f"Classes: {names}. Training as timed on {' / on '.join(devices)}, pre-training included where it was made "
        f"then.{_missing(rows)}"
    )
    return "\n".join([*lines, "", told])


def _minutes(rows: Sequence[dict[str, str]]) -> str:
    """How long a training took on one device, as it is in the middle of them."""
    return f"{np.median([float(row['seconds']) for row in rows]) / 60:.1f} min" if rows else MISSING


def _cell(rows: Sequence[dict[str, str]]) -> str:
    """Mean and spread over the draws that there are."""
    draws = sorted({row["draw"] for row in rows})
    if not draws:
        return MISSING
    means = [_mean([row for row in rows if row["draw"] == draw]) for draw in draws]
    spread = f" ± {np.std(means, ddof=1):.3f}" if len(means) > 1 else ""
    return f"{np.mean(means):.3f}{spread} ({len(means)})"


def _gain(rows: Sequence[dict[str, str]], plain: Sequence[dict[str, str]], labelled: int) -> str:
    """By how much a row is above the U-Net, mean over the draws that both have."""

    def means(its: Sequence[dict[str, str]]) -> dict[str, float]:
        here = [one for one in its if int(one["labelled"]) == labelled]
        return {draw: _mean([one for one in here if one["draw"] == draw]) for draw in {one["draw"] for one in here}}

    mine, theirs = means(rows), means(plain)
    both = sorted(mine.keys() & theirs.keys())
    return f"{np.mean([mine[draw] - theirs[draw] for draw in both]):+.3f}" if both and mine != theirs else MISSING


def _mean(rows: Sequence[dict[str, str]]) -> float:
    return float(np.mean([float(row["dice"]) for row in rows])) if rows else float("nan")


def _missing(rows: Sequence[dict[str, str]]) -> str:
    """How much of the whole table has not been measured with a budget, and which rows not at all."""
    whole = len(ROWS) * len(LABELLED) * DRAWS
    done = {(row["row"], row["labelled"], row["draw"]) for row in rows}
    if len(done) == whole:
        return ""
    names = [row.text for row in ROWS if row.name not in {name for name, *_ in done}]
    rows_too = f", and all of {'; '.join(names)}" if names else ""
    return f" **Not measured yet: {whole - len(done)} of {whole} trainings**: those marked {MISSING}{rows_too}."


def _rounds(path: Path) -> list[str]:
    """The rounds of correcting and learning."""
    rows = read_table(path)
    if not rows:
        return ["## Rounds of correcting", "Not measured yet: `napari-s3net benchmark --loop SET_DIR -o OUT`."]
    parts = ["## Rounds of correcting", LOOP]
    for budget in dict.fromkeys(row["budget"] for row in rows):
        its = [row for row in rows if row["budget"] == budget]
        counts = sorted({int(row["corrected"]) for row in its})
        images = int(its[0]["corrected"]) + int(its[0]["rest"])
        lines = [
            f"| {budget}, {images} images | " + " | ".join(f"{n} corrected" for n in counts) + " |",
            "|---|" + "---|" * len(counts),
        ]
        for policy in dict.fromkeys(row["policy"] for row in its):
            found = {int(row["corrected"]): row for row in its if row["policy"] == policy}
            cells = [_round(found.get(n)) for n in counts]
            lines.append(f"| {'Next to correct' if policy == 'next' else 'At random'} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return parts


def _round(row: dict[str, str] | None) -> str:
    """Dice of the rest, and what the program reaches there without labels."""
    return MISSING if row is None else f"{float(row['dice']):.3f} ({float(row['label_free']):.3f})"
