"""How a few strokes reach the pixels that were not painted: a Gaussian process on the depth of every region.

Each region is described by its signed distance: how deep a pixel lies in it, or how far outside. The previous result
is the mean of a Gaussian process on these depths, the strokes are its observations. Whoever corrects paints the middle
of what is wrong, so the border is expected about as far behind the stroke as it now lies before it: a pixel d outside a
region that is painted with it is observed to lie d inside. What is close to a stroke and looks like it follows; a small
part of the change also goes to what looks alike and lies as deep elsewhere, such as the rest of a rim. Where no stroke
has influence nothing moves at all.

Rasmussen and Williams 2006, *Gaussian Processes for Machine Learning*, section 2.2, for the posterior mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.linalg import cho_factor, cho_solve

#: Reach of a stroke, as a share of the image's longer side; and of the part of it that also goes elsewhere.
REACH, FAR_REACH = 0.1, 0.4
#: How much of the influence is of the second kind.
FAR_SHARE = 0.15
#: Differences of colours that halve, about, the influence: as shares of the spread of the image's colours, which is at
#: least so many units of Lab (or of intensities from 0 to 100).
COLOUR, FAR_COLOUR, LEAST_SPREAD = 0.7, 0.47, 3.0
#: A part is all that differs by so little from its stroke, as a share of the spread; it has an edge if it grows by no
#: more than `STABLE` between the two; and it is not more than this share of the region that it leaves.
SAME, STABLE, MOST_OF_REGION = (0.6, 1.0), 1.3, 0.5
#: The same for the depth within a region, as a share of the longer side, and for the network's probabilities.
FAR_DEPTH = 0.03
PROBABILITY = 0.5
#: Depths are told apart up to this share of the longer side: a stroke far from its region makes a spot of this size.
DEEPEST = 0.1
#: Least depth of what was painted, the radius of a stroke, and the greatest, both as shares of the longer side.
LEAST_DEPTH, MOST_DEPTH = 0.015, 0.05
#: How far, relatively, the depth of painted pixels may be missed.
SLACK = 0.05
#: The influence is known at every other pixel: it is as smooth as the colours that it follows.
STEP = 2
#: Strokes are seen at so many places at most.
MOST_POINTS = 128


@dataclass(frozen=True, eq=False)
class Look:
    """What each pixel looks like, at the working size.

    Parameters
    ----------
    colours : numpy.ndarray
        (h, w, C) float32, smoothed: Lab, or the intensity from 0 to 100.
    probabilities : numpy.ndarray or None
        (⌈h/2⌉, ⌈w/2⌉, K) float32: what the network says of every other pixel.
    """

    colours: NDArray[np.float32]
    probabilities: NDArray[np.float32] | None = None

    @property
    def half(self) -> tuple[int, int]:
        """The shape of every other pixel."""
        h, w = self.colours.shape[:2]
        return -(-h // STEP), -(-w // STEP)


def propagate(labels: NDArray[np.integer], strokes: NDArray[np.integer], look: Look, n: int) -> NDArray[np.float32]:
    """How deep each pixel lies in each region once the strokes are obeyed.

    Parameters
    ----------
    labels : numpy.ndarray
        (h, w) from 0 to n − 1: the previous result.
    strokes : numpy.ndarray
        (h, w): the label that was painted, −1 where nothing was.
    look : Look
        Of the same size.
    n : int
        How many labels there are.

    Returns
    -------
    numpy.ndarray
        (n, h, w) float32, in pixels: the largest one is the new label. Painted pixels get what they were painted with.
    """
    places = support(strokes)
    if not len(places):
        return depths(labels, n)
    look = replace(look, colours=look.colours / spread_of(look.colours))
    labels = with_parts(labels, strokes, places, look.colours)
    depth = depths(labels, n)
    seen = np.ravel_multi_index([i // STEP for i in np.unravel_index(places, labels.shape)], look.half)
    near, far = _coordinates(look, depth)
    influence = _kernel(near, near[seen], far, far[seen])
    inner = influence[seen].astype(np.float64) + SLACK * np.eye(len(places))
    change = _observed(depth.reshape(n, -1)[:, places], strokes.ravel()[places], max(labels.shape))
    weights = cho_solve(cho_factor(inner), change.T).astype(np.float32)
    moved = depth + _enlarged((influence @ weights).T.reshape(n, *look.half), labels.shape)
    new = np.where(strokes >= 0, strokes, moved.argmax(axis=0))
    new = _without_scraps(_without_islands(new, labels, strokes), labels, strokes)
    return _agreeing(moved, new)


def spread_of(colours: NDArray[np.float32]) -> float:
    """How much the colours (h, w, C) of an image differ: their standard deviation."""
    return max(float(np.sqrt(colours.reshape(-1, colours.shape[2]).var(axis=0).sum())), LEAST_SPREAD)


def with_parts(
    labels: NDArray[np.integer], strokes: NDArray[np.integer], places: NDArray[np.intp], colours: NDArray[np.float32]
) -> NDArray[np.integer]:
    """The labels in which a part that stands by itself follows its stroke as a whole, such as a lung that was missed.

    A part is what is connected with the stroke, has its old label, looks like it, and has an edge all around. It stands
    by itself where it touches nothing of the painted label, or nothing more of its old one.
    """
    labels = labels.copy()
    for place in zip(*np.unravel_index(places, labels.shape), strict=True):
        old, new = labels[place], strokes[place]
        if old == new:
            continue
        differs = np.where(labels == old, np.linalg.norm(colours - colours[place], axis=2), np.inf)
        small, large = (_connected(differs <= limit, place) for limit in SAME)
        around = labels[ndimage.binary_dilation(large, np.ones((3, 3), bool)) & ~large]
        alone = not (around == new).any() or not (around == old).any()
        sizes = small.sum(), large.sum(), (labels == old).sum()
        if alone and sizes[1] <= STABLE * sizes[0] and sizes[1] <= MOST_OF_REGION * sizes[2]:
            labels[large] = new
    return labels


def _connected(mask: NDArray[np.bool_], place: tuple[np.intp, ...]) -> NDArray[np.bool_]:
    """The connected part of a mask at a place."""
    parts, _ = ndimage.label(mask)
    return np.asarray(parts == parts[place])


def depths(labels: NDArray[np.integer], n: int) -> NDArray[np.float32]:
    """How deep each pixel lies in each of n regions (n, h, w), in pixels; negative outside, limited by `DEEPEST`."""
    limit = DEEPEST * max(labels.shape)
    if n == 2:
        first = _depth(labels == 0, limit)
        return np.stack([first, -first])
    return np.stack([_depth(labels == k, limit) for k in range(n)])


def depths_near(changed: NDArray[np.bool_], labels: NDArray[np.integer], n: int) -> NDArray[np.float32]:
    """As `depths`, but measured only near the pixels in a mask; elsewhere each lies half a pixel within its region."""
    found = np.where(labels == np.arange(n)[:, None, None], np.float32(0.5), np.float32(-0.5))
    if changed.any():
        reach = int(np.ceil(DEEPEST * max(labels.shape))) + 2
        spans = [np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0)]
        box = tuple(slice(max(0, span[0] - reach), span[-1] + 1 + reach) for span in spans)
        found[:, *box] = [_depth(labels[box] == k, DEEPEST * max(labels.shape)) for k in range(n)]
    return found


def _depth(region: NDArray[np.bool_], limit: float) -> NDArray[np.float32]:
    """Signed depth (h, w); only measured where it is above the limit's negative, which is exact and cheaper."""
    found = np.full(region.shape, -limit, np.float32)
    spans = [np.flatnonzero(region.any(axis=axis)) for axis in (1, 0)]
    if not len(spans[0]):
        return found
    margin = int(np.ceil(limit)) + 1
    box = tuple(slice(max(0, span[0] - margin), span[-1] + 1 + margin) for span in spans)
    part = region[box]
    if part.all():
        return np.full_like(found, limit)
    inside, outside = (ndimage.distance_transform_edt(mask) for mask in (part, ~part))
    found[box] = np.clip(np.where(part, inside - 0.5, 0.5 - outside), -limit, limit)
    return found


def support(strokes: NDArray[np.integer]) -> NDArray[np.intp]:
    """Flat indices of few painted pixels that stand for all: the middle of each stroke, and along it.

    Of each connected stroke of one label the most central pixel comes first, then whatever is farthest from those
    chosen, until all are within one and a half radii of a stroke; within more if there are too many.
    """
    spacing = 1.5 * LEAST_DEPTH * max(strokes.shape)
    parts = [part for k in np.unique(strokes[strokes >= 0]) for part in _parts(strokes == k)]
    parts = sorted(parts, key=len, reverse=True)[:MOST_POINTS]
    while True:
        chosen = [np.ravel_multi_index(tuple(_spread(part, spacing).T), strokes.shape) for part in parts]
        if sum(map(len, chosen)) <= MOST_POINTS:
            return np.concatenate(chosen) if chosen else np.empty(0, np.intp)
        spacing *= 1.5


def _parts(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Pixels (m, 2) of each connected part, its most central pixel first."""
    marked, n = ndimage.label(mask, np.ones((3, 3)))
    parts = []
    for number, box in enumerate(ndimage.find_objects(marked, n), 1):
        part = marked[box] == number
        depth = ndimage.distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
        pixels = np.argwhere(part)
        rank = np.lexsort((((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1), -np.round(depth[part])))
        parts.append(pixels[rank] + [side.start for side in box])
    return parts


def _spread(pixels: NDArray[np.intp], spacing: float) -> NDArray[np.intp]:
    """Pixels (m, 2) thinned out: the first, and then always the farthest one, until none is farther than `spacing`."""
    chosen = [0]
    left = ((pixels - pixels[0]) ** 2).sum(axis=1)
    while left.max() > spacing**2 and len(chosen) <= MOST_POINTS:
        chosen.append(int(left.argmax()))
        left = np.minimum(left, ((pixels - pixels[chosen[-1]]) ** 2).sum(axis=1))
    return pixels[chosen]


def _observed(depth: NDArray[np.float32], painted: NDArray[np.integer], side: int) -> NDArray[np.float64]:
    """Change of the depths (n, m) at painted places: as deep inside the painted region as they were outside it.

    `side` is the longer side of the image.
    """
    here = np.arange(len(painted))
    wanted = np.clip(np.abs(depth[painted, here]), LEAST_DEPTH * side, MOST_DEPTH * side)
    change: NDArray[np.float64] = np.minimum(-wanted - depth, 0).astype(np.float64)
    change[painted, here] = np.maximum(wanted - depth[painted, here], 0)
    return change


def _half(maps: NDArray[Any]) -> NDArray[Any]:
    """Every other pixel of maps (·, h, w)."""
    return maps[:, ::STEP, ::STEP]


def _enlarged(maps: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """What `_half` left, with the means of neighbours between them: (·, h, w)."""
    for axis, n in enumerate(shape, 1):
        at, last = np.arange(n), maps.shape[axis] - 1
        maps = (maps.take(at // STEP, axis) + maps.take(np.minimum((at + 1) // STEP, last), axis)) / 2
    return maps


def _coordinates(look: Look, depth: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Place and look of every other pixel, in units in which influence falls by exp(−½ d²): near, and far."""
    h, w = depth.shape[1:]
    place = np.stack(np.meshgrid(*(np.arange(0, n, STEP) / max(h, w) for n in (h, w)), indexing="ij"))
    colours = _half(np.moveaxis(look.colours, -1, 0))
    said = [] if look.probabilities is None else [np.moveaxis(look.probabilities, -1, 0) / PROBABILITY]
    within = _half(depth) / (max(h, w) * FAR_DEPTH * np.sqrt(2))
    near = [place / REACH, colours / COLOUR, *said]
    far = [place / FAR_REACH, colours / FAR_COLOUR, within, *said]
    return tuple(np.concatenate(part).reshape(sum(map(len, part)), -1).T.astype(np.float32) for part in (near, far))  # type: ignore[return-value]


def _kernel(
    near: NDArray[np.float32], near_at: NDArray[np.float32], far: NDArray[np.float32], far_at: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Influence (pixels, places) from 0 to 1."""
    return (1 - FAR_SHARE) * _gaussian(near, near_at) + FAR_SHARE * _gaussian(far, far_at)


def _gaussian(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp(−½ |a − b|²) of every pair."""
    middle = b.mean(axis=0)
    a, b = a - middle, b - middle
    exponent = a @ b.T
    exponent -= 0.5 * (a * a).sum(axis=1)[:, None]
    exponent -= 0.5 * (b * b).sum(axis=1)
    return np.asarray(np.exp(np.minimum(exponent, 0, out=exponent), out=exponent))


def _without_islands(new: NDArray[np.intp], old: NDArray[np.integer], strokes: NDArray[np.integer]) -> NDArray[np.intp]:
    """Nothing appears by itself: a part that touches neither its old region nor a stroke goes back to what it was."""
    kept = new.copy()
    changed = new != old
    for k in np.unique(new[changed]):
        parts, n = ndimage.label(new == k)
        known = np.zeros(n + 1, bool)
        known[parts[(old == k) | (strokes == k)]] = True
        lost = ~known[parts] & (new == k)
        kept[lost] = old[lost]
    return kept


def _without_scraps(new: NDArray[np.intp], old: NDArray[np.integer], strokes: NDArray[np.integer]) -> NDArray[np.intp]:
    """Nothing is left over: what a change cut off, smaller than a stroke and without one, goes with the rest."""
    kept, changed, cross = new.copy(), new != old, np.ones((3, 3), bool)
    least = np.pi * (LEAST_DEPTH * max(new.shape)) ** 2
    beside = ndimage.binary_dilation(changed, cross)
    for k in np.unique(old[changed]):
        parts, _ = ndimage.label(new == k)
        scrap = np.bincount(parts.ravel()) < least
        scrap[0] = False
        scrap[parts[strokes == k]] = False
        for number in np.unique(parts[beside & scrap[parts]]):
            part = parts == number
            kept[part] = np.bincount(new[ndimage.binary_dilation(part, cross) & ~part]).argmax()
    return kept


def _agreeing(depth: NDArray[np.float32], decided: NDArray[np.intp]) -> NDArray[np.float32]:
    """Depths whose largest is what was decided; where it is not, the pixel lies half a pixel within its new region."""
    other = depth.argmax(axis=0) != decided
    depth[:, other] = np.minimum(depth[:, other], -0.5)
    depth[decided[other], *np.nonzero(other)] = 0.5
    return depth
