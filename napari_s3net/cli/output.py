"""What goes wrong, and what goes on, in one line."""

from __future__ import annotations

import sys


def say(message: str) -> None:
    """Write one line to stderr."""
    sys.stderr.write(f"napari-s3net: {' '.join(message.split())}\n")
    sys.stderr.flush()


def say_more(message: str) -> None:
    """Write one line to stdout, at once."""
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()
