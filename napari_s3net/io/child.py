"""The process that decodes files, and that may die of them. Started by `napari_s3net.runtime.child_process` alone.

It reads one request a line from its standard input, and answers with a line of JSON and the bytes of the array.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_s3net.errors import AmbiguousSeriesError, ReadError, ReadWarning
from napari_s3net.image import Image
from napari_s3net.io.validation import headers
from napari_s3net.io.validation.limits import physical_memory

#: The parent ends a request that takes too long; should the parent be gone, the child ends itself this much later.
GRACE_SECONDS = 30.0
#: What a decoder's message means. Its own words are not passed on: they may quote the file, names included.
_REASONS = {
    r"orthonormal": "its axes are not at right angles (sheared), which is not read here.",
    r"domain axes": "its axes do not fit the space that its header describes.",
    r"does not match the required size|Size mismatch": "its slices are not of one size.",
    r"bad.?alloc|allocat|out of memory": "there is not enough memory for it.",
    r"(?i)unsupported|not support|can ?not handle|unknown (component|pixel)": "it is of a variant not read here.",
}
_DAMAGED = "its header or its pixels are damaged, or it was cut off while copying."


def decode(path: Path, series: str | None = None) -> Image:
    """Read a file or folder in this very process; see `napari_s3net.io.read_image` for what it takes and gives.

    Raises
    ------
    ReadError
        With the reason alone; the caller adds the name.
    """
    name = path.name if path.is_dir() else headers.stem(path)
    if path.is_dir():
        from napari_s3net.io.dicom.series import read_series

        return read_series(path, series, name)
    path = _header_of(path)
    file_format = headers.sniff(path)
    if file_format == "dicom":
        from napari_s3net.io.dicom.series import read_file

        return read_file(path, series, name)
    if series is not None:
        raise ReadError("a series can be chosen in a folder or DICOMDIR only.")
    if file_format == "nifti":
        from napari_s3net.io.nifti import read_nifti

        return read_nifti(path, name)
    if file_format == "tiff":
        from napari_s3net.io.tiff import read_tiff

        return read_tiff(path, name)
    if file_format == "meta" or file_format == "nrrd":
        from napari_s3net.io.meta_nrrd import read_meta_or_nrrd

        headers.check_meta(path) if file_format == "meta" else headers.check_nrrd(path)
        return read_meta_or_nrrd(path, file_format, name)
    from napari_s3net.io.photograph import read_photograph

    return read_photograph(path, file_format, name)


def _header_of(path: Path) -> Path:
    """The .hdr that belongs to an .img; any other file itself."""
    if not re.search(r"(?i)\.img(\.gz)?$", path.name):
        return path
    wanted = re.compile(rf"{re.escape(headers.stem(path))}\.hdr(\.gz)?", re.IGNORECASE)
    header = next((p for p in path.parent.iterdir() if wanted.fullmatch(p.name)), None)
    if header is None:
        raise ReadError(f"its header is missing: {headers.stem(path)}.hdr should be in the same folder.")
    return header


def answer(request: Mapping[str, Any]) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """What to send back for a request: a reply for JSON, and the array if there is one."""
    path = Path(request["path"])
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if request["task"] == "list":
                from napari_s3net.io.dicom.series import list_series

                return {"series": list_series(path)}, None
            image = decode(path, request["series"])
            if not image.array.size:
                raise ReadError("it holds no pixels.")  # noqa: TRY301 - an answer like any other
    except AmbiguousSeriesError as error:
        return {"error": type(error).__name__, "reason": str(error), "series": error.series}, None
    except ReadError as error:
        return {"error": type(error).__name__, "reason": str(error)}, None
    except Exception as error:  # noqa: BLE001 - whatever a decoder thinks up has to become an answer
        # SimpleITK's errors; where it stumbled the heap may be in pieces, and this process is not to be used again.
        worn = isinstance(error, RuntimeError)
        return {"error": "ReadError", "reason": _reason(error), "worn": worn}, None
    notes = [str(w.message) for w in caught if issubclass(w.category, ReadWarning)]
    array = np.ascontiguousarray(image.array)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    reply = {"shape": array.shape, "dtype": array.dtype.str, "geometry": asdict(image.geometry)}
    return {**reply, "kind": image.kind, "name": image.name, "notes": notes}, array


def _reason(error: Exception) -> str:
    """Plain words for an exception of a decoder or of the system."""
    if isinstance(error, PermissionError):
        return "there is no permission to read it."
    if isinstance(error, OSError) and error.strerror:
        return f"the system says: {error.strerror}."
    if isinstance(error, MemoryError):
        return "there is not enough memory for it."
    if isinstance(error, ImportError):
        return f"a part of the installation is missing ({error.name}). Install napari-s3net again."
    return next((reason for pattern, reason in _REASONS.items() if re.search(pattern, str(error))), _DAMAGED)


def _limit_memory() -> None:
    """Let an allocation beyond this machine's memory fail here, rather than bring the machine down."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (physical_memory(), resource.RLIM_INFINITY))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more requests."""
    for line in requests:
        request = json.loads(line)
        faulthandler.dump_traceback_later(request["seconds"] + GRACE_SECONDS, exit=True)
        reply, array = answer(request)
        answers.write(json.dumps(reply).encode() + b"\n")
        if array is not None:
            answers.write(array.data.cast("B"))
        answers.flush()
        del array  # not to be held while waiting
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    _limit_memory()
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # decoders chatter on the standard output; the answers have their own way
    with contextlib.suppress(OSError, KeyboardInterrupt):
        serve(sys.stdin.buffer, channel)
        Path(os.environ["TMPDIR"]).rmdir()  # the parent made it, and is gone without having cleared up
    os._exit(0)  # no last words of a heap that may be damaged
