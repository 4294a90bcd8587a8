"""What goes wrong, and what goes on, in one line each."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from napari_s3net.errors import OutputError, ReadWarning


def printable(text: str) -> str:
    """Replace what could move a terminal's cursor or change its colours.

    Parameters
    ----------
    text : str
        Of any origin, such as a file's name.

    Returns
    -------
    str
        The text with a "?" for each such character, line breaks among them.
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def say(message: str) -> None:
    """Write one line to stderr; where that is not possible, there is nobody to tell.

    Parameters
    ----------
    message : str
        Put into one line, without control characters.
    """
    with suppress(OSError):
        sys.stderr.write(f"napari-s3net: {printable(' '.join(message.split()))}\n")
        sys.stderr.flush()


def say_more(message: str) -> None:
    """Write one line to stdout, at once; raises as `write_out` does.

    Parameters
    ----------
    message : str
        A "?" is written for each of its control characters.
    """
    write_out(f"{printable(message)}\n")


def write_out(text: str) -> None:
    """Write to stdout, at once.

    Parameters
    ----------
    text : str
        Without control characters but line breaks.

    Raises
    ------
    BrokenPipeError
        If the program that reads the output has ended, as `head` does.
    OutputError
        If it cannot be written, such as to a file on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        raise OutputError(
            f"Cannot write to the standard output: {error.strerror or error}. What was finished is kept."
        ) from error


@contextmanager
def remarks_as_lines() -> Iterator[None]:
    """Write what reading remarks on a file as a line on stderr, without the place in the program that Python names.

    Yields
    ------
    None
        In the body each `ReadWarning` that nobody else collects is a line.
    """
    with warnings.catch_warnings():
        show_as_usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, ReadWarning):
                say(str(message))
            else:
                show_as_usual(message, category, *where, **more)

        warnings.showwarning = show
        warnings.simplefilter("always", ReadWarning)
        yield


def drop_output() -> None:
    """Write nothing more to stdout. What waits in its buffer would fail once more when Python flushes it at exit."""
    with suppress(OSError, ValueError):  # a stand-in for stdout may have no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
