"""Killed at any moment and started again, a batch ends with the files of one that was left alone."""

import collections
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from napari_s3net.batch.report import BatchReport

PROGRAM = """
import sys
from pathlib import Path
from tests.batch import segmenters
from napari_s3net.batch import Plan, iter_batch, open_executor
plan = Plan(source=Path(sys.argv[1]), output=Path(sys.argv[2]), device="cpu", write=("labels", "masks", "measurements"))
with open_executor(int(sys.argv[3])) as executor:
    for row in iter_batch(plan, executor=executor, segmenter=segmenters.threshold):
        if row is not None and row.is_final:
            print(row.file, row.status, flush=True)
"""


def start(source, output, log, jobs=2):
    command = [sys.executable, "-c", PROGRAM, str(source), str(output), str(jobs)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=log, stderr=subprocess.STDOUT)


def kill(process, *, everything):
    """The program alone, or like a power cut everything that it has started."""
    try:
        children = psutil.Process(process.pid).children(recursive=True) if everything else []
    except psutil.NoSuchProcess:
        children = []
    process.kill()
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def contents(output):
    """Every file but those that tell how long it took, and the rows without that."""
    files = {p.relative_to(output).as_posix(): p.read_bytes() for p in sorted(output.rglob("*")) if p.is_file()}
    timed = {"report.jsonl", "report.html", ".napari-s3net.lock"}
    rows = [replace(row, seconds=0.0) for row in BatchReport(output).rows()]
    return set(files), {name: data for name, data in files.items() if name not in timed}, rows


def check(tmp_path, save, *, kills, images):
    """Kill a batch so many times; how many rows were there at each kill."""
    rng = random.Random(0)
    for n in range(images):
        save(tmp_path / "in" / f"{n:04}.png", n)
    (tmp_path / "in" / "empty.png").touch()
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        assert start(tmp_path / "in", tmp_path / "calm", log, jobs=1).wait() == 0
        seen: list[int] = []
        while len(seen) < kills:
            process = start(tmp_path / "in", tmp_path / "out", log)
            # Half of the moments lie in the work, and half anywhere from the start of Python on.
            if rng.random() < 0.5:
                rows = seen[-1] + rng.randrange(1, 5) if seen else 1
                while process.poll() is None and count(tmp_path / "out") < rows:
                    time.sleep(0.002)
                time.sleep(rng.uniform(0, 0.05))
            else:
                time.sleep(rng.uniform(0, 2))
            if process.poll() is not None:
                assert process.returncode == 0, (tmp_path / "log").read_text(encoding="utf-8")
                pytest.fail(f"All was done after {len(seen)} kills; more images are needed.")
            kill(process, everything=rng.random() < 0.5)
            seen.append(count(tmp_path / "out"))
        assert start(tmp_path / "in", tmp_path / "out", log).wait() == 0, (tmp_path / "log").read_text(encoding="utf-8")
    names, files, rows = contents(tmp_path / "out")
    calm_names, calm_files, calm_rows = contents(tmp_path / "calm")
    assert names == calm_names
    assert files == calm_files
    assert rows == calm_rows
    lines = (tmp_path / "out" / "report.jsonl").read_bytes().splitlines()
    assert len(lines) == len(rows) == images + 1
    assert collections.Counter(row.status for row in rows) == {"done": images, "failed": 1}
    sys.stdout.write(f"{kills} kills, with so many rows in the report: {seen}\n")
    return seen


def count(output):
    try:
        return (output / "report.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def test_killed_twice(tmp_path, save):
    check(tmp_path, save, kills=2, images=250)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_fifty_random_moments(tmp_path, save):
    seen = check(tmp_path, save, kills=50, images=1500)
    assert max(seen) > 50
