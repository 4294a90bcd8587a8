"""Damage small files of every format in many ways, and count what reading them comes to: `make fuzz`.

Every input is made on the spot. An image or a plain error is good; a decoder that dies or hangs is contained by its
child process and counted; anything else ends the run with exit code 1. So do, at the end, a file that took more than
20 s and one for which the child held more than 2 GB.

    python scripts/fuzz_reading.py --files 20000 --seed 0
    python scripts/fuzz_reading.py --first 5000 --files 1000    # the same files as numbers 5000 to 5999 of the above
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import pydicom
import SimpleITK as sitk
import tifffile
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io import read_image
from napari_s3net.io.reader_process import READERS
from tests.io.made_files import hounsfield, make_dicom, make_slice, phantom, volume, write_nifti2

#: Bytes from the beginning in which a header stands, in the several formats.
HEADS = (64, 352, 1024)
#: What a refusal says where the child died or was ended.
DIED = ("makes its decoder crash", "the system ended the process")
HUNG = "was given up"
#: What no file may take.
MOST_SECONDS, MOST_BYTES = 20.0, 2e9


def make_inputs(folder: Path) -> list[Path]:
    """One good input of each kind: files, headers with a file of pixels, and folders with a series."""
    _make_pictures(folder)
    for name in ("a.nii", "a.nii.gz", "a.hdr", "a.mha", "a.mhd", "a.nrrd", "a.nhdr"):
        sitk.WriteImage(volume(), str(folder / name))
    for name in ("b.mha", "b.nrrd"):
        sitk.WriteImage(volume(), str(folder / name), useCompression=True)
    write_nifti2(folder / "c.nii", phantom())
    make_slice(folder / "a.dcm", hounsfield())
    make_dicom(folder / "b.dcm", phantom((3, 24, 20), np.uint8), PhotometricInterpretation="MONOCHROME1")
    sitk.WriteImage(sitk.GetImageFromArray(phantom((24, 20))), str(folder / "c.dcm"))
    for name, syntax in (("d.dcm", "RLELossless"), ("e.dcm", "JPEG2000Lossless"), ("f.dcm", "JPEGLSLossless")):
        _pack(make_slice(folder / name, phantom((64, 48))), syntax)
    _pack_as_jpeg(make_dicom(folder / "g.dcm", phantom((2, 64, 48, 3), np.uint8), Modality="XC"))
    _make_series(folder / "series")
    for path in _make_series(folder / "series_packed"):
        _pack(path, "JPEG2000Lossless")
    _make_directory(folder / "directory")
    return sorted(path for path in folder.iterdir() if path.suffix != ".raw")


def _make_pictures(folder: Path) -> None:
    """Photographs and TIFF files."""
    rgb = phantom((20, 30, 3), np.uint8)
    for name in ("a.png", "a.jpg", "a.bmp"):
        PIL.Image.fromarray(rgb).save(folder / name)
    PIL.Image.fromarray(rgb).quantize(16).save(folder / "b.png")
    PIL.Image.fromarray(rgb).quantize(16).save(folder / "b.bmp")
    tifffile.imwrite(folder / "a.tif", phantom(), photometric="minisblack")
    tifffile.imwrite(folder / "b.tif", rgb, photometric="rgb", compression="zlib")
    tifffile.imwrite(folder / "c.tif", phantom((3, 20, 30), np.uint16), imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "d.ome.tif", phantom((2, 3, 20, 30), np.uint16), metadata={"axes": "CZYX"})
    tifffile.imwrite(folder / "e.tif", phantom((64, 48), np.float32), bigtiff=True, tile=(32, 32))
    for name, packing in (("f.tif", "tiff_lzw"), ("g.tif", "jpeg"), ("h.tif", "group4")):
        array = rgb if packing == "jpeg" else phantom((20, 30), np.uint8)
        picture = PIL.Image.fromarray(array)
        (picture.convert("1") if packing == "group4" else picture).save(folder / name, compression=packing)


def _make_series(folder: Path) -> list[Path]:
    """A folder with five slices."""
    folder.mkdir()
    return [make_slice(folder / f"{i}", hounsfield(i, (64, 48)), 3.0 * i, InstanceNumber=i) for i in range(5)]


def _make_directory(folder: Path) -> None:
    """A folder with a series and the DICOMDIR that lists it."""
    _make_series(folder)
    records = []
    for path in sorted(folder.iterdir()):
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", path.name
        records.append(record)
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = directory.SOPClassUID = "1.2.840.10008.1.3.10"
    directory.SOPInstanceUID = "1.2.3.4"
    directory.DirectoryRecordSequence = records
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)


def _pack_as_jpeg(path: Path) -> None:
    """Pack the colours of a DICOM file as JPEG."""
    dataset = pydicom.dcmread(path)
    frames = []
    for frame in dataset.pixel_array:
        packed = io.BytesIO()
        PIL.Image.fromarray(frame).save(packed, "JPEG")
        frames.append(packed.getvalue())
    dataset.file_meta.TransferSyntaxUID, dataset.PhotometricInterpretation = JPEGBaseline8Bit, "YBR_FULL_422"
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.save_as(path)


def _pack(path: Path, syntax: str) -> None:
    """Pack the pixels of a DICOM file, where the encoder is installed."""
    dataset = pydicom.dcmread(path)
    try:
        dataset.compress(getattr(pydicom.uid, syntax))
    except (RuntimeError, NotImplementedError):
        return
    dataset.save_as(path)


def damage(content: bytes, rng: random.Random) -> bytes:
    """One of many ways in which files get broken."""
    raw, head = bytearray(content), rng.choice(HEADS)
    place = rng.randrange(min(head, len(raw)))
    how = rng.choice(["cut", "flip", "header", "zeros", "ones", "insert", "repeat", "swap"])
    if how == "cut":
        return bytes(raw[: rng.randrange(1, len(raw))])
    if how == "flip":
        for _ in range(rng.choice([1, 8, 64])):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif how == "header":
        for _ in range(rng.choice([1, 4])):
            raw[rng.randrange(min(head, len(raw)))] = rng.randrange(256)
    else:
        old = raw[place : place + (40 if how == "repeat" else 8 if how == "swap" else 4)]
        new = {"zeros": bytes(4), "ones": b"\xff" * 4, "insert": rng.randbytes(3), "repeat": old * 2, "swap": old[::-1]}
        raw[place : place + (0 if how == "insert" else len(old))] = new[how]
    return bytes(raw)


def damaged_copy(source: Path, folder: Path, rng: random.Random) -> Path:
    """A copy of an input that is damaged: the file, its pixels beside it, or up to three files of a series."""
    target = folder / f"damaged{source.suffix}"
    if source.is_dir():
        shutil.copytree(source, target)
        for path in rng.sample(sorted(target.iterdir()), rng.choice([1, 1, 3])):
            path.write_bytes(damage(path.read_bytes(), rng))
        return next(target.glob("DICOMDIR"), target)
    content = source.read_bytes()
    for beside in source.parent.glob(f"{source.stem}.*"):
        if beside.suffix in (".img", ".raw") and beside != source:
            shutil.copy(beside, folder / (f"damaged{beside.suffix}" if beside.suffix == ".img" else beside.name))
    target.write_bytes(damage(content, rng))
    return target


def outcome(path: Path) -> str:
    """What reading comes to: "opened", "refused", "died" or "hung"; any other exception goes through."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReadWarning)
            image = read_image(path)
    except ReadError as error:
        text = str(error)
        if not text.startswith("Cannot read ") or "SECRET" in text:
            raise AssertionError(text) from error
        return "died" if any(words in text for words in DIED) else "hung" if HUNG in text else "refused"
    if image.array.size == 0:
        raise AssertionError("an image without pixels")
    return "opened"


class Totals(NamedTuple):
    """What came of reading many files.

    Parameters
    ----------
    outcomes : Counter of str
        How often each outcome came.
    seconds, memory : tuple of (float, str)
        The longest time that one file took, and the most bytes that a child held; each with the number and the name of
        its file.
    """

    outcomes: Counter[str]
    seconds: tuple[float, str]
    memory: tuple[float, str]


def peak_memory() -> float:
    """The most bytes that a child has held since this was asked last; 0 where the system does not tell."""
    most = 0.0
    for child in READERS.children:
        process = Path(f"/proc/{child.pid}")
        try:
            status = (process / "status").read_text(encoding="ascii", errors="replace")
            most = max(most, 1024.0 * int(status.partition("VmHWM:")[2].split()[0]))
            (process / "clear_refs").write_text("5", encoding="ascii")
        except (OSError, IndexError, ValueError):  # it has ended, or this is not Linux
            continue
    return most


def fuzz(files: int, seed: int, first: int = 0) -> Totals:
    """Read damaged inputs, those with the numbers from `first` on."""
    outcomes: Counter[str] = Counter()
    slowest = most = (0.0, "")
    with tempfile.TemporaryDirectory() as name:
        sources = make_inputs(Path(name))
        for number in range(first, first + files):
            rng = random.Random(f"{seed} {number}")
            source = sources[number % len(sources)]
            with tempfile.TemporaryDirectory() as folder:
                path = damaged_copy(source, Path(folder), rng)
                start = time.monotonic()
                outcomes[came := outcome(path)] += 1
                which = f"{number}, {source.name}, {came}"
                slowest = max(slowest, (time.monotonic() - start, which))
                most = max(most, (peak_memory(), which))
                if came in ("died", "hung"):
                    print(which, flush=True)
    return Totals(outcomes, slowest, most)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first file")
    options = parser.parse_args()
    outcomes, (seconds, slowest), (held, largest) = fuzz(options.files, options.seed, options.first)
    parts = ", ".join(f"{outcomes[name]} {name}" for name in ("opened", "refused", "died", "hung"))
    print(f"{options.files} files: {parts}.")
    print(f"The slowest took {seconds:.1f} s ({slowest}); the largest child held {held / 1e6:.0f} MB ({largest}).")
    return int(seconds > MOST_SECONDS or held > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
