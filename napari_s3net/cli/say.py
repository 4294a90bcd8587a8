"""What goes wrong, in one line."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"napari-s3net: {' '.join(message.split())}\n")
    sys.stderr.flush()
