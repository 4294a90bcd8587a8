"""Made-up photographs of dark discs on skin."""

import numpy as np


def disc(shape, centre, radius):
    y, x = np.indices(shape)
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def skin(shape=(60, 80), centre=(30, 40), radius=14, seed=0):
    """A photograph of a brown disc on skin with some noise, and its mask."""
    mask = disc(shape, centre, radius)
    colours = np.where(mask[..., None], (110, 70, 60), (220, 170, 150))
    noisy = colours + np.random.default_rng(seed).normal(0, 6, colours.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), mask
