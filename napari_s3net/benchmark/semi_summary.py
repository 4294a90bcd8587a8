"""Few labels on ACDC, summed up: what is recommended goes by the latest part of the table that compares methods."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from napari_s3net.benchmark.semi import ROWS, Row
from napari_s3net.learning.recommended import FEWEST_DRAWS, Measured


def measured(rows: Sequence[dict[str, str]]) -> tuple[Measured, ...]:
    """Sum the table up by method and number of labelled patients, of the U-Net.

    Parameters
    ----------
    rows : sequence of dict
        As `read_table` gives them.

    Returns
    -------
    tuple of Measured
        What `learning.recommended` goes by: of the latest budget in which methods can be compared, see `_budget_of`.
        A method counts from random weights, since the dock pre-trains nothing; where these were not measured, from an
        encoder that it has pre-trained, which is to its advantage.
    """
    of_unet = {row.name: row for row in ROWS if row.backbone == "unet" and row.pretrained in ("", row.method)}
    known = [row for row in rows if row["row"] in of_unet]
    budgets = {labelled: _budget_of(known, labelled) for labelled in {row["labelled"] for row in known}}
    found: dict[tuple[str, int, str], dict[str, dict[str, list[float]]]] = {}
    for row in known:
        if row["budget"] == budgets[row["labelled"]]:
            its = found.setdefault((of_unet[row["row"]].method, int(row["labelled"]), row["budget"]), {})
            its.setdefault(row["row"], {}).setdefault(row["draw"], []).append(float(row["dice"]))
    means = {
        key: {draw: float(np.mean(scores)) for draw, scores in min(its.items(), key=_by_start(of_unet))[1].items()}
        for key, its in found.items()
    }
    return tuple(_summed(*key, its, means.get(("plain", *key[1:]), {})) for key, its in means.items())


def _by_start(rows: Mapping[str, Row]) -> Callable[[tuple[str, Any]], bool]:
    """Order rows of a method by whether they were pre-trained."""
    return lambda named: bool(rows[named[0]].pretrained)


def _summed(method: str, labelled: int, budget: str, means: dict[str, float], plain: dict[str, float]) -> Measured:
    """One method's figures, from the means of its draws and those of plain learning."""
    gains = [means[draw] - plain[draw] for draw in means.keys() & plain.keys()]
    size, _, steps = (int(number) for number in re.findall(r"\d+", budget)[:3])
    return Measured(
        method=method,
        labelled=labelled,
        draws=len(means),
        dice=round(float(np.mean(list(means.values()))), 4),
        least_gain=round(min(gains, default=0.0), 4),
        size=size,
        steps=steps,
    )


def _budget_of(rows: Sequence[dict[str, str]], labelled: str) -> str:
    """The latest budget in which plain learning and another method have enough draws; else that of most trainings."""
    trainings = {(row["budget"], row["row"], row["draw"]) for row in rows if row["labelled"] == labelled}
    counts = Counter(budget for budget, *_ in trainings)
    draws = Counter((budget, row) for budget, row, _ in trainings)
    enough = {
        budget: {row for (its, row), n in draws.items() if its == budget and n >= FEWEST_DRAWS} for budget in counts
    }
    order = [budget for budget in dict.fromkeys(row["budget"] for row in rows) if budget in counts]
    comparable = [budget for budget in order if ROWS[0].name in enough[budget] and len(enough[budget]) > 1]
    return comparable[-1] if comparable else max(order, key=lambda budget: (counts[budget], order.index(budget)))
