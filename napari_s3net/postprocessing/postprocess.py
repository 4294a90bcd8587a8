"""From probabilities at the working size to clean, numbered and named labels at the image's size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_s3net.foreground.propose import Proposal, lens_shadow
from napari_s3net.foreground.run_length import runs_of
from napari_s3net.image import Image, Meaning
from napari_s3net.labels.measure import tissue_name
from napari_s3net.preprocessing.features import sampling_step, to_grey, to_unit
from napari_s3net.settings import Settings

#: Clusters and parts of clusters below this share of the image are joined to their neighbours.
SMALLEST_SHARE = 0.004
#: So are parts below this share of their cluster: the rim between the network's border and the object's.
SMALLEST_OF_CLUSTER = 0.1
#: Pixels at the borders of clusters that are interpolated at a time.
BORDER_PIXELS = 2**18
#: Guided filter: radius in pixels of the working size, and the variance below which the image counts as flat.
GUIDE_RADIUS, GUIDE_FLAT = 3, 0.01


def finish(
    image: Image, features: NDArray[np.float32], probabilities: Tensor, proposal: Proposal, settings: Settings
) -> tuple[NDArray[np.int32], tuple[int, ...], dict[int, Meaning]]:
    """Bring clusters and object to the image's size, number them and say what they are.

    Parameters
    ----------
    image : Image
        The plane that was segmented.
    features : numpy.ndarray
        (h, w, C) in [0, 1].
    probabilities : torch.Tensor
        (1, K, h, w).
    proposal : Proposal
        The object at the working size.

    Returns
    -------
    labels : numpy.ndarray
        (H, W) int32 from 1: the object's labels first, each side from dark to light.
    foreground : tuple of int
        The object's labels.
    meanings : dict of int to Meaning
        What each label is, with its name.
    """
    mask = object_mask(proposal.object_probability, features, image, settings)
    clusters = full_clusters(probabilities, image.shape)
    pairs = join_small(2 * clusters + ~mask)
    step = sampling_step(image.shape)
    sampled, grey = pairs[::step, ::step].astype(np.intp), to_grey(to_unit(image, settings, step=step))
    used = np.flatnonzero(np.bincount(pairs.ravel()))
    means = _means(sampled, grey, np.bincount(sampled.ravel(), minlength=int(used[-1]) + 1))
    order = sorted(used, key=lambda pair: (pair % 2, means[pair]))
    rank = np.zeros(len(means), np.int32)
    rank[order] = np.arange(1, len(order) + 1)
    foreground = tuple(int(rank[pair]) for pair in order if pair % 2 == 0)
    meanings = name_labels(rank.take(sampled), len(order), foreground, image, grey, features, proposal.names)
    return rank.take(pairs), foreground, meanings


def object_mask(
    probability: NDArray[np.float32], features: NDArray[np.float32], image: Image, settings: Settings
) -> NDArray[np.bool_]:
    """Where the object is, at the image's size.

    A probability of the image's size is taken as it is. A smaller one (h, w) is enlarged smoothly, or by a guided
    filter that lets its border follow the image, of which `features` (h, w, C) is the copy at the working size; then
    parts below `min_area` are dropped and holes filled.
    """
    if probability.shape == image.shape:
        return np.asarray(probability > 0.5)
    if settings.sharpen_boundary:
        enlarged = guided(probability, to_grey(features), to_grey(to_unit(image, settings)))
    else:
        enlarged = _enlarge(probability, image.shape)
    runs = runs_of((enlarged > 0.5)[None])
    parts = runs.parts()
    sizes = np.bincount(parts, runs.ends - runs.starts)
    keep = sizes >= min(settings.min_area / 100 * enlarged.size, sizes.max(initial=0))  # never all of them dropped
    return np.asarray(runs.only(keep[parts]).filled()[0])


def guided(p: NDArray[np.float32], guide: NDArray[np.float32], full: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fast guided filter (He and Sun 2015): p ≈ a · guide + b in every window, with a and b enlarged to `full`."""

    def mean(values: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(ndimage.uniform_filter(values, 2 * GUIDE_RADIUS + 1))

    mean_g, mean_p = mean(guide), mean(p)
    a = (mean(guide * p) - mean_g * mean_p) / (mean(guide * guide) - mean_g**2 + GUIDE_FLAT)
    b = mean_p - a * mean_g
    return _enlarge(mean(a), full.shape) * full + _enlarge(mean(b), full.shape)


def full_clusters(probabilities: Tensor, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Arg-max of the probabilities (1, K, h, w) enlarged bilinearly to (H, W), over clusters that are not tiny.

    Between four pixels of one cluster all of the enlarged ones are of that cluster, so only what lies at the borders
    of clusters is interpolated.
    """
    p = probabilities.detach().float().cpu()[0].permute(1, 2, 0).contiguous()  # (h, w, K)
    shares = torch.bincount(p.argmax(dim=2).ravel(), minlength=p.shape[2]) / p[..., 0].numel()
    p = p.where(shares >= min(SMALLEST_SHARE, float(shares.max())), -1.0)  # a copy: p may be the caller's memory
    small = p.argmax(dim=2).numpy().astype(np.uint8)
    corner = small[:-1, :-1]
    alike = (corner == small[:-1, 1:]) & (corner == small[1:, :-1]) & (corner == small[1:, 1:])
    (top, down), (left, right) = (_between(n, m) for n, m in zip(shape, small.shape, strict=True))
    clusters = corner.take(left, axis=1).take(top, axis=0)
    borders = np.flatnonzero(~alike.take(left, axis=1).take(top, axis=0))
    table, wide = p.flatten(0, 1), small.shape[1]
    for part in range(0, len(borders), BORDER_PIXELS):
        places = borders[part : part + BORDER_PIXELS]
        rows, columns = places // shape[1], places % shape[1]
        first = top[rows] * wide + left[columns]
        around = np.stack([first, first + 1, first + wide, first + wide + 1], axis=1)
        y, x = down[rows], right[columns]
        weights = np.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], axis=1)
        mixed = F.embedding_bag(
            torch.from_numpy(around), table, per_sample_weights=torch.from_numpy(weights), mode="sum"
        )
        clusters.ravel()[places] = mixed.argmax(dim=1).numpy()
    return clusters


def _between(n: int, m: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where n enlarged pixels lie among m: the pixel before, (n,), and the share of the way to the next one."""
    place = np.clip((np.arange(n) + 0.5) * (m / n) - 0.5, 0, m - 1)
    before = np.minimum(place.astype(np.int64), m - 2)
    return before, (place - before).astype(np.float32)


def join_small(pairs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let what is tiny, or a mere rim of its cluster across the object's border, take the nearest label of its side.

    A pair is twice the cluster, plus one outside the object: odd numbers are background, even ones object.
    """
    counts = np.bincount(pairs.ravel(), minlength=int(pairs.max() | 1) + 1)
    of_cluster = (counts[0::2] + counts[1::2]).repeat(2)
    stays = (counts >= SMALLEST_SHARE * pairs.size) & (counts >= SMALLEST_OF_CLUSTER * of_cluster)
    for side in (0, 1):
        if not stays[side::2].any():
            stays[side + 2 * int(np.argmax(counts[side::2]))] = True
    step = sampling_step(pairs.shape)
    sampled, joined = pairs[::step, ::step], pairs.copy()
    for side in (0, 1):
        of_side = np.arange(len(counts)) % 2 == side
        kept = (of_side & stays).take(sampled)
        if counts[of_side & ~stays].any() and kept.any():
            near = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
            rows, columns = np.nonzero((of_side & ~stays).take(pairs))
            joined[rows, columns] = sampled[near[0], near[1]][rows // step, columns // step]
    return joined


def name_labels(
    labels: NDArray[np.int32],
    n_labels: int,
    foreground: tuple[int, ...],
    image: Image,
    grey: NDArray[np.float32],
    features: NDArray[np.float32],
    names: tuple[str, str],
) -> dict[int, Meaning]:
    """What each label is: the tissue for CT; else what it is, and whether darker or lighter than the main.

    Where several are darker, or lighter, they are numbered from the main one outwards. Labels and grey values (h, w)
    may be of every so many rows and columns of the image.
    """
    ids = range(1, n_labels + 1)
    n = np.bincount(labels.ravel(), minlength=n_labels + 1)
    light = _means(labels, grey, n)
    in_shadow = np.zeros(n_labels + 1)
    if image.kind == "rgb":
        in_shadow = _means(labels, nearest(lens_shadow(features), labels.shape), n)
    step = sampling_step(image.shape)
    hu = _means(labels, image.array[::step, ::step], n) if image.kind == "ct" else light
    given: dict[int, Meaning] = {}
    for side, name in ((set(foreground), names[0]), (set(ids) - set(foreground), names[1])):
        lit = [i for i in sorted(side) if in_shadow[i] <= 0.5]
        main = max(lit, key=lambda i: n[i], default=None)
        for i in side:
            is_object = i in foreground
            if image.kind == "ct" and not is_object:
                tissue = tissue_name(float(hu[i]))
                given[i] = Meaning("Air and tissue" if tissue == names[0] else tissue)
            elif in_shadow[i] > 0.5 and not is_object:
                given[i] = Meaning("Dark corner")
            else:
                same = main is None or i == main
                given[i] = Meaning(name, 0 if same else 1 if light[i] > light[main] else -1)
    return _numbered({i: given[i] for i in ids})


def _numbered(meanings: dict[int, Meaning]) -> dict[int, Meaning]:
    """Ranks for shades that occur more than once; labels of a side go from dark to light."""
    numbered = dict(meanings)
    for meaning in {meaning for meaning in meanings.values() if meaning.shade}:
        same = [i for i in meanings if meanings[i] == meaning]
        outwards = same[::-1] if meaning.shade < 0 else same
        if len(same) > 1:
            numbered.update({i: meaning._replace(rank=rank) for rank, i in enumerate(outwards, start=1)})
    return numbered


def preview(clusters: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Clusters at the image's size, nearest neighbour, from 1: a quick look while the run goes on."""
    return nearest((clusters + 1).astype(np.uint8), shape)


def nearest(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Values (h, w) at another size, nearest neighbour."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(shape, values.shape, strict=True))
    return np.asarray(values[np.ix_(rows, columns)])


def _means(labels: NDArray[Any], values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean value of each label that occurs so many times, (n,); 0 where it does not."""
    sums = np.bincount(labels.ravel(), values.ravel(), minlength=len(counts))
    return np.asarray(sums / np.maximum(counts, 1))


def _enlarge(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Bilinear, to the image's size."""
    small = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    return np.asarray(F.interpolate(small, tuple(shape), mode="bilinear", align_corners=False)[0, 0].numpy())
