"""Synthetic images with their true masks, made from a seed: for samples, docs and tests, without any download."""

from __future__ import annotations

from napari_s3net.phantom.chest import chest_ct
from napari_s3net.phantom.simple import Phantom, disc, quadrants
from napari_s3net.phantom.skin import dermoscopy

__all__ = ["Phantom", "chest_ct", "dermoscopy", "disc", "quadrants"]
