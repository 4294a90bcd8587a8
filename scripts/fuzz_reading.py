"""Damage small files of every format in many ways, and count what reading them comes to: `make fuzz`.

Every input is made on the spot. An image or a plain error is good; a decoder that dies or hangs is contained by its
child process and counted; anything else ends the run with exit code 1.

    python scripts/fuzz_reading.py --files 20000 --seed 0
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import SimpleITK as sitk
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from napari_s3net.errors import ReadError, ReadWarning
from napari_s3net.io import read_image
from tests.io.made_files import hounsfield, make_dicom, make_slice, phantom, volume, write_nifti2

#: Bytes from the beginning in which a header stands, in the several formats.
HEADS = (64, 352, 1024)
#: What a refusal says where the child died or was ended.
DIED = ("makes its decoder crash", "the system ended the process")
HUNG = "was given up"


def make_inputs(folder: Path) -> list[Path]:
    """One good input of each kind: files, headers with a file of pixels, and a folder with a series."""
    rgb = phantom((20, 30, 3), np.uint8)
    for name in ("a.png", "a.jpg", "a.bmp"):
        PIL.Image.fromarray(rgb).save(folder / name)
    tifffile.imwrite(folder / "a.tif", phantom(), photometric="minisblack")
    tifffile.imwrite(folder / "b.tif", rgb, photometric="rgb", compression="zlib")
    tifffile.imwrite(folder / "c.tif", phantom((3, 20, 30), np.uint16), imagej=True, metadata={"axes": "ZYX"})
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
    series = folder / "series"
    series.mkdir()
    for i in range(5):
        make_slice(series / f"{i}", hounsfield(i), 3.0 * i, InstanceNumber=i)
    return sorted(path for path in folder.iterdir() if path.suffix != ".raw")


def _pack(path: Path, syntax: str) -> None:
    """Pack the pixels of a DICOM file, where the encoder is installed."""
    import pydicom

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
        return target
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


def fuzz(files: int, seed: int) -> tuple[Counter[str], float]:
    """Read damaged inputs; how often each outcome came, and the longest time that one took, in seconds."""
    totals: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        sources = make_inputs(Path(name))
        for number in range(files):
            rng = random.Random(f"{seed} {number}")
            with tempfile.TemporaryDirectory() as folder:
                path = damaged_copy(sources[number % len(sources)], Path(folder), rng)
                start = time.monotonic()
                totals[outcome(path)] += 1
                slowest = max(slowest, time.monotonic() - start)
    return totals, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    totals, slowest = fuzz(options.files, options.seed)
    parts = ", ".join(f"{totals[name]} {name}" for name in ("opened", "refused", "died", "hung"))
    print(f"{options.files} files: {parts}; the slowest took {slowest:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
