"""Ask the processes that decode files, and say what came of it."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from napari_s3net import errors
from napari_s3net.errors import AmbiguousSeriesError, ReadError, ReadWarning
from napari_s3net.geometry import UPRIGHT, forms_of_json
from napari_s3net.image import Geometry
from napari_s3net.io.validation.limits import reading_seconds, shown
from napari_s3net.runtime.child_pool import ChildPool
from napari_s3net.runtime.child_process import (
    ONE_THREAD,
    ChildDiedError,
    ChildError,
    ChildStartError,
    ChildTimeoutError,
    Reply,
    python_module,
)

#: The processes that decode files.
READERS = ChildPool(python_module("napari_s3net.io.child"), keep=2, environment=ONE_THREAD)
#: Where remarks go that are told later; None where each is a warning at once.
_held: ContextVar[list[str] | None] = ContextVar("held", default=None)
#: Has a request answered: (request, seconds) → (reply, array).
Ask = Callable[[dict[str, Any], float], Reply]


def ask_reader(request: dict[str, Any], seconds: float) -> Reply:
    """Have a process that reads files answer a request.

    Parameters
    ----------
    request : dict
        As `io.child.answer` takes it.
    seconds : float
        How long it may take.

    Returns
    -------
    (dict, numpy.ndarray or None)
        The answer, and the array that came with it.

    Raises
    ------
    ReadError
        If that process is too slow, does not start, or ends.
    """
    try:
        return READERS.ask(request, seconds)
    except ChildError as error:
        raise ReadError(why_unread(error)) from None
    except MemoryError:
        raise ReadError("there is not enough memory for it.") from None


def ask_about(path: Path, request: Mapping[str, Any], ask: Ask) -> Reply:
    """Have a request about a file answered.

    Parameters
    ----------
    path : Path
        The file or folder.
    request : mapping
        The rest of the request.
    ask : Ask
        Who answers: `ask_reader`, or this very process.

    Returns
    -------
    (dict, numpy.ndarray or None)
        The answer, and the array that came with it.

    Raises
    ------
    ReadError
        Of the kind that the answer names, with the file's name and what is wrong with it.
    """
    try:
        _check_exists(path)
        reply, array = ask({**request, "path": str(path)}, reading_seconds(path))
        if "error" not in reply:
            return reply, array
        if reply["error"] == "AmbiguousSeriesError":
            raise AmbiguousSeriesError(reply["reason"], tuple((i, text) for i, text in reply["series"]))
        raise getattr(errors, reply["error"])(reply["reason"])
    except ReadError as error:
        error.args = (f"Cannot read {shown(path)}: {error}",)
        raise


def warn_of(path: Path, notes: Sequence[str], level: int) -> None:
    """Warn of what was odd about a file.

    Parameters
    ----------
    path : Path
        The file.
    notes : sequence of str
        Sentences without its name.
    level : int
        How many calls up the warning points: at the code that asked for the file.

    Warns
    -----
    ReadWarning
        For each note; within `holding_remarks` none.
    """
    held = _held.get()
    for note in notes:
        if held is None:
            warnings.warn(f"{shown(path)}: {note}", ReadWarning, stacklevel=level)
        else:
            held.append(f"{shown(path)}: {note}")


@contextmanager
def holding_remarks() -> Iterator[list[str]]:
    """Collect what is remarked on files that are read in this thread, to be told when they are wanted.

    Yields
    ------
    list of str
        A sentence for each `ReadWarning` that is not given.
    """
    remarks: list[str] = []
    token = _held.set(remarks)
    try:
        yield remarks
    finally:
        _held.reset(token)


def why_unread(error: ChildError) -> str:
    """Say why a file could not be read, from what became of the process that read it.

    Parameters
    ----------
    error : ChildError
        Of that process: too slow, not started, died, or ended by the system.

    Returns
    -------
    str
        A sentence without the file's name.
    """
    if isinstance(error, ChildTimeoutError):
        return f"reading it took longer than {error.seconds:.0f} seconds and was given up."
    if isinstance(error, ChildStartError):
        return f"the process that reads files could not be started: {error}."
    if isinstance(error, ChildDiedError) and not error.was_killed:
        return f"it is damaged in a way that makes its decoder crash (code {error.code})."
    return "the system ended the process that was reading it, probably because memory ran out."


def _check_exists(path: Path) -> None:
    """Refuse what is neither a folder nor a file with something in it."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            os.scandir(path).close()
            return
    except FileNotFoundError:
        raise ReadError("there is no such file or folder.") from None
    except PermissionError:
        raise ReadError("there is no permission to read it.") from None
    except ValueError:
        raise ReadError("no file can have a null character in its name.") from None
    except OSError as error:
        raise ReadError(f"the system says: {error.strerror or error}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise ReadError("it is neither a file nor a folder.")
    if not status.st_size:
        raise ReadError("the file is empty (0 bytes).")


def geometry_of_json(values: Mapping[str, Any]) -> Geometry:
    """Make a geometry of `dataclasses.asdict`'s values that went through JSON.

    Parameters
    ----------
    values : mapping
        Its fields.

    Returns
    -------
    Geometry
        Equal to the one from before.
    """
    volume, forms = values["volume"], values["nifti_forms"]
    return Geometry(
        tuple(values["spacing"]),
        tuple(values["origin"]),
        tuple(map(tuple, values["direction"])),
        values["unit"],
        values["orientation"],
        None if volume is None else geometry_of_json(volume),
        values["shown"],
        forms_of_json(forms),
        values.get("file_unit", "mm"),
        values.get("noted", UPRIGHT),
    )
