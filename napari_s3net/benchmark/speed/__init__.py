"""How long it takes, where the time goes, how far it is from what the machine can do, and how it grows."""

from __future__ import annotations

from napari_s3net.benchmark.speed.command import run_speed, write_speed_page

__all__ = ["run_speed", "write_speed_page"]
