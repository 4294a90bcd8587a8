"""Write the table in docs/reading.md: what becomes of public files, beside what an independent reader makes of them.

The files are those that pydicom brings with it, and the development data beside the project where they are. Independent
are pydicom's own decoders, nibabel, tifffile and Pillow; each file is opened whole, and the values are compared.

    python scripts/reading_table.py [--check]
"""

from __future__ import annotations

import argparse
import logging
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import PIL.Image
import pydicom
import SimpleITK as sitk
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from napari_s3net.errors import AmbiguousSeriesError, HoldsLabelsError, ReadError, ReadWarning
from napari_s3net.io import read_image
from scripts.fuzz_reading import peak_memory

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reading.md"
SHARED = ROOT.parent / "shared" / "data"
BEGIN, END = "<!-- table: made by scripts/reading_table.py -->\n", "<!-- end of table -->\n"
#: Lossy packings may differ by as much between decoders, in grey levels.
LOSSY = 4
LOSSY_PACKINGS = tuple(
    syntax.name for syntax in (pydicom.uid.JPEGBaseline8Bit, pydicom.uid.JPEGExtended12Bit, pydicom.uid.JPEG2000)
)


class Row(NamedTuple):
    """What became of one input.

    Parameters
    ----------
    name : str
        Of the file or folder.
    source : str
        Where it is from.
    outcome : {"equal", "different", "opened", "labels", "refused"}
        "opened" where no independent reader opens it.
    words : str
        The reason, or what was said.
    """

    name: str
    source: str
    outcome: str
    words: str


def inputs() -> Iterator[tuple[str, Path]]:
    """(source, path) of every input; a folder with a series is one."""
    data = Path(pydicom.__file__).parent / "data" / "test_files"
    for path in sorted(data.rglob("*")):
        other = path.suffix in (".txt", ".json", ".dump", ".icc", ".gz") or path.name == "README"
        alike = "TINY_ALPHA" in path.parts and path.name not in ("DICOMDIR", "IM000000")
        if path.is_file() and not other and not alike:
            yield "pydicom", path
    for folder in ("formats", "faults"):
        for path in sorted((SHARED / folder).rglob("*")) if SHARED.exists() else []:
            series = path.is_dir() and path.name.startswith(("ct_series", "series_"))
            single = path.is_file() and path.suffix not in (".md", ".raw")
            if series or (single and not path.parent.name.startswith(("ct_series", "series_"))):
                yield folder, path


def row_of(source: str, path: Path) -> Row:
    """Open an input and compare."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            image = read_image(path)
    except HoldsLabelsError as error:
        return Row(path.name, source, "labels", _reason(error))
    except AmbiguousSeriesError as error:
        return Row(path.name, source, "opened", f"{len(error.series)} series are listed, one of which can be chosen.")
    except ReadError as error:
        return Row(path.name, source, "refused", _reason(error))
    words = " ".join(str(w.message).partition(": ")[2] for w in said if issubclass(w.category, ReadWarning))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = independent(path)
    except Exception:  # noqa: BLE001 - whatever another reader thinks up
        expected = None
    if expected is None:
        return Row(path.name, source, "opened", words)
    return Row(path.name, source, "equal" if _same(image.array, expected, _tolerance(path)) else "different", words)


def _reason(error: ReadError) -> str:
    """What a refusal says, without the file's name."""
    return str(error).partition(": ")[2]


def independent(path: Path) -> Any:
    """The values that another reader finds in a file; None where none opens it."""
    name = path.name.lower()
    if path.is_dir() or name == "dicomdir" or name.startswith("dicomdir-"):
        return None
    if name.endswith((".nii", ".nii.gz", ".hdr")):
        array = np.asarray(nibabel.load(path).dataobj)
        while array.ndim > 3:
            array = array[..., 0]
        return array.T
    if name.endswith((".tif", ".tiff")):
        with tifffile.TiffFile(path) as file:
            return max((series.asarray() for series in file.series), key=np.size)
    if name.endswith((".png", ".jpg")):
        return np.asarray(PIL.Image.open(path))
    if name.endswith((".mha", ".mhd", ".nrrd")):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return _by_pydicom(path)


def _by_pydicom(path: Path) -> Any:
    """Values by pydicom's own decoders: modality table and palette applied, white never zero."""
    dataset = pydicom.dcmread(path, force=True)
    array = pydicom.pixels.pixel_array(dataset)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        array = pydicom.pixels.apply_color_lut(array, dataset)
        return array >> 8 if array.dtype == np.uint16 else array
    if "DoseGridScaling" in dataset:
        return array * float(dataset.DoseGridScaling)
    has_units = dataset.get("Modality") in ("CT", "PT") or dataset.get("RescaleSlope", 1) != 1
    if dataset.PhotometricInterpretation == "MONOCHROME1" and not has_units:
        low = -(1 << dataset.BitsStored - 1) if dataset.PixelRepresentation else 0
        return 2 * low + (1 << dataset.BitsStored) - 1 - array.astype(np.int64)
    return pydicom.pixels.apply_modality_lut(array, dataset)


def _tolerance(path: Path) -> float:
    """How much values may differ: nothing, unless the packing loses something and decoders round differently."""
    try:
        syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    except Exception:  # noqa: BLE001 - no DICOM file, or none with a header
        return 0.0
    return LOSSY if syntax.name in LOSSY_PACKINGS else 0.0


def _same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two arrays hold the same values, turned by flips and swaps of axes or not."""
    one, other = np.squeeze(one).astype(float), np.squeeze(other).astype(float)
    if sorted(one.shape) != sorted(other.shape):
        return False
    if one.shape == other.shape and np.abs(one - other).max(initial=0) <= tolerance:
        return True
    return bool(np.allclose(np.sort(one, axis=None), np.sort(other, axis=None), rtol=1e-12, atol=0))


def table(rows: list[Row], largest: tuple[float, str]) -> str:
    """The table as Markdown, totals first; `largest` is the most bytes that a child held, and the name of the input."""
    count = Counter(row.outcome for row in rows)
    words = {
        "equal": "opened and equal to an independent reader",
        "opened": "opened, and no independent reader at hand",
        "labels": "labels, for `read_labels`",
        "refused": "refused with the reason",
        "different": "different",
    }
    totals = "; ".join(f"{count[key]} {text}" for key, text in words.items())
    memory = f"The child that read them held {largest[0] / 1e6:.0f} MB at most ({largest[1]})."
    lines = [textwrap.fill(f"{len(rows)} inputs: {totals}. {memory}", 120), ""]
    lines += ["| input | from | outcome | what was said |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.source} | {row.outcome} | {row.words.replace('|', '/')} |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="print the table, and write nothing")
    options = parser.parse_args()
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    rows, largest = [], (0.0, "")
    for source, path in inputs():
        rows.append(row_of(source, path))
        largest = max(largest, (peak_memory(), path.name))
    made = table(rows, largest)
    if options.check:
        print(made)
    else:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")
    return int(any(row.outcome == "different" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
