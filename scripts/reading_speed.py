"""How long reading takes, beside another version of the program: both read the same files in turn.

    python scripts/reading_speed.py [--against FOLDER] [--seconds 10]

`FOLDER` is a checkout of another version. Files are made on the spot, and each is read for so many seconds, five times
at least. The best time of all is printed, in milliseconds, with a child process that is warm; the last column is this
version's time over the other's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def make_files(folder: Path) -> dict[str, Path]:
    """One input of each kind, by what it is."""
    import PIL.Image
    import pydicom
    import SimpleITK as sitk
    import tifffile
    from scipy import ndimage

    sys.path.insert(0, str(ROOT))
    from tests.io.made_files import make_slice

    rng = np.random.default_rng(0)

    def smooth(*shape: int) -> np.ndarray:
        values = ndimage.gaussian_filter(rng.normal(size=shape), 3)
        return (values - values.min()) / np.ptp(values)

    files = {}
    picture = PIL.Image.fromarray((255 * np.stack([smooth(576, 768)] * 3, axis=-1)).astype(np.uint8))
    for name, title in (("a.png", "PNG, 768 × 576, RGB"), ("a.jpg", "JPEG, 768 × 576"), ("a.bmp", "BMP, 768 × 576")):
        picture.save(folder / name)
        files[title] = folder / name
    grey = (4000 * smooth(512, 512)).astype(np.uint16)
    tifffile.imwrite(folder / "a.tif", grey)
    files["TIFF, 512 × 512, 16-bit"] = folder / "a.tif"
    slices = (4000 * smooth(20, 512, 512) - 1024).astype(np.int16)
    for title, syntax in (("plain", None), ("JPEG 2000", pydicom.uid.JPEG2000Lossless)):
        series = folder / title
        series.mkdir()
        for i, values in enumerate(slices):
            path = make_slice(series / f"{i:02}.dcm", values, 3.0 * i, InstanceNumber=i)
            if syntax is not None:
                dataset = pydicom.dcmread(path)
                dataset.compress(syntax)
                dataset.save_as(path)
        files[f"DICOM slice, {title}, 512 × 512"] = series / "00.dcm"
        files[f"DICOM folder, 20 such slices, {title}"] = series
    volume = sitk.GetImageFromArray(np.concatenate([slices, slices[::-1]]))
    for name, title in (("a.nii.gz", "NIfTI, gzipped"), ("a.nii", "NIfTI"), ("a.nrrd", "NRRD"), ("a.mha", "MetaImage")):
        sitk.WriteImage(volume, str(folder / name))
        files[f"{title}, 512 × 512 × 40"] = folder / name
    return files


def answer() -> None:
    """Read the file of each line, and print how many milliseconds that took."""
    from napari_s3net.io import read_image

    for line in sys.stdin:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = time.perf_counter()
            read_image(line.rstrip("\n"))
        print(1000 * (time.perf_counter() - start), flush=True)


def ask(process: subprocess.Popen[str], path: Path) -> float:
    """Milliseconds of one more reading."""
    if process.stdin is None or process.stdout is None:
        raise ValueError("Expected a process with pipes.")
    process.stdin.write(f"{path}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def start(tree: Path) -> subprocess.Popen[str]:
    """A process that reads with the program of a folder."""
    command = [sys.executable, str(Path(__file__).resolve()), "--answer"]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    return subprocess.Popen(
        command, cwd=tree, env=environment, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each file")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer()
        return 0
    trees = [ROOT] if options.against is None else [ROOT, options.against.resolve()]
    with tempfile.TemporaryDirectory() as name:
        files = make_files(Path(name))
        processes = [start(tree) for tree in trees]
        for title, path in files.items():
            times: list[list[float]] = []
            until = time.monotonic() + options.seconds
            while len(times) < 5 or time.monotonic() < until:
                times.append([ask(process, path) for process in processes])
            best = np.min(times, axis=0)
            ratio = f" {best[0] / best[1]:.2f} |" if len(best) > 1 else ""
            print(f"| {title} |" + "".join(f" {value:.1f} |" for value in best) + ratio, flush=True)
        for process in processes:
            process.terminate()
            process.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
