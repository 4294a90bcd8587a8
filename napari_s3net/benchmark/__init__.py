"""Measure methods on a folder of images with masks: protocol, plain methods, tables and pictures."""

from __future__ import annotations

from napari_s3net.benchmark.command import add_arguments, run

__all__ = ["add_arguments", "run"]
