"""Several workers: the same files, whoever makes them and whoever dies."""

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
import tifffile

from napari_s3net.batch import Plan, iter_batch, open_executor
from napari_s3net.batch.report import BatchReport
from napari_s3net.errors import S3NetError
from napari_s3net.runtime.generators import follow
from tests.batch import segmenters

get_worker = pytest.importorskip("distributed", reason="the extra `cluster` is not installed").get_worker


def drain(plan, executor, segmenter=segmenters.deadly, after=None):
    """Run to the end; call `after` at the first file that is done."""
    rows = []

    def take(row):
        if row is not None and row.is_final:
            rows.append(row)
            if after is not None and len(rows) == 1:
                after()

    return rows, follow(iter_batch(plan, executor=executor, segmenter=segmenter), take)


def contents(output):
    return {
        p.relative_to(output).as_posix(): p.read_bytes()
        for p in output.rglob("*")
        if p.is_file() and p.name not in ("report.jsonl", "report.html", ".napari-s3net.lock")
    }


def rows_of(output):
    return [replace(row, seconds=0.0, error="") for row in BatchReport(output).rows()]


@pytest.fixture
def many(folder, save, tmp_path):
    """Pictures, one that is empty and one that kills its process."""
    for n in range(20):
        save(folder / f"{n:02}.png", n)
    (folder / "empty.png").touch()
    save(folder / "abort.png")
    return lambda name: Plan(source=folder, output=tmp_path / name, device="cpu")


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, each a process of its own; their address and the workers."""
    path = tmp_path / "scheduler.json"
    words = [sys.executable, "-W", "ignore", "-m"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(
        [*words, "distributed.cli.dask_scheduler", "--scheduler-file", str(path), "--port", "0",
         "--dashboard-address", ":0", "--host", "127.0.0.1"], **quiet,
    )  # fmt: skip
    worker = [*words, "distributed.cli.dask_worker", "--scheduler-file", str(path), "--nthreads", "1", "--no-dashboard"]
    worker += ["--no-nanny", "--local-directory", str(tmp_path)]
    workers = [subprocess.Popen([*worker, "--name", str(n)], start_new_session=True, **quiet) for n in range(2)]
    end = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size) and time.monotonic() < end:
        time.sleep(0.05)
    yield json.loads(path.read_text(encoding="utf-8"))["address"], workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def test_two_jobs_make_the_same_files(many, executor):
    drain(many("plain"), executor)
    with open_executor(2) as two:
        assert two.workers == 2
        assert two.link == ""
        rows, summary = drain(many("two"), two)
    assert (summary.done, summary.failed) == (23, 2)
    assert len(rows) == 25
    assert contents(many("two").output) == contents(many("plain").output)
    assert rows_of(many("two").output) == rows_of(many("plain").output)


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_slice_of_a_volume_is_told_while_it_runs(plan, jobs):
    tifffile.imwrite(
        plan.source / "stack.tif",
        np.random.default_rng(0).integers(0, 99, (3, 24, 32), np.uint8),
        photometric="minisblack",
    )
    with open_executor(jobs) as executor:
        steps = iter_batch(replace(plan, pattern="stack.tif"), executor=executor, segmenter=segmenters.stepwise)
        rows = [row for row in steps if row is not None]
    assert [(row.slice, row.slices) for row in rows[1:-1]] == [(1, 3), (2, 3), (3, 3)]
    assert {row.status for row in rows[:-1]} == {"running"}
    assert (rows[-1].status, rows[-1].error) == ("done", "")
    assert [row.status for row in BatchReport(plan.output).rows()] == ["done"]


def test_a_worker_of_a_cluster_tells_how_far_it_is(cluster):
    heard = []
    with open_executor(scheduler=cluster[0]) as executor:
        executor.listen("run", heard.append)
        executor.pool.submit(say, "run", {"file": "a", "slice": 1, "slices": 2}).result(10)
        end = time.monotonic() + 60
        while not heard and time.monotonic() < end:
            time.sleep(0.02)
    assert heard == [{"file": "a", "slice": 1, "slices": 2}]


def say(topic, news):
    """What `run_there` does with what it hears."""
    get_worker().log_event(topic, {"news": news})


def test_a_worker_that_is_killed_in_mid_run_loses_nothing(many, executor, cluster):
    address, workers = cluster
    drain(many("plain"), executor)

    def kill():
        children = psutil.Process(workers[0].pid).children(recursive=True)
        workers[0].kill()
        workers[0].wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive  # a child ends with its worker

    with open_executor(scheduler=address) as two_workers:
        end = time.monotonic() + 60
        while two_workers.workers < 2 and time.monotonic() < end:
            time.sleep(0.1)
        _, summary = drain(many("cluster"), two_workers, after=kill)
        assert two_workers.workers == 1
    assert (summary.done, summary.failed) == (23, 2)
    assert contents(many("cluster").output) == contents(many("plain").output)
    assert rows_of(many("cluster").output) == rows_of(many("plain").output)


def test_stopping_ends_what_the_workers_do(many, cluster):
    address, workers = cluster
    with open_executor(scheduler=address) as two_workers:
        steps = iter_batch(many("stopped"), executor=two_workers, segmenter=segmenters.vanishing)
        begun = [next(steps) for _ in range(3)]
        while not busy(workers):
            time.sleep(0.1)
        with pytest.raises(StopIteration):
            steps.send(True)
        assert begun[0].status == "running"
        end = time.monotonic() + 60
        while busy(workers) and time.monotonic() < end:
            time.sleep(0.1)
        assert not busy(workers)


def busy(workers):
    """The children that work on files."""
    children = [child for one in workers for child in psutil.Process(one.pid).children()]
    return [child for child in children if "napari_s3net.batch.worker" in child.cmdline()]


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("napari_s3net.batch.executor.CONNECT_SECONDS", 1)
    with pytest.raises(S3NetError, match="does not answer"), open_executor(scheduler="tcp://127.0.0.1:9"):
        pass


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(S3NetError, match=r"napari-s3net\[cluster\]"), open_executor(scheduler="tcp://127.0.0.1:9"):
        pass


def test_a_paused_executor_has_no_room(executor):
    assert (executor.workers, executor.room, executor.link) == (1, 2, "")
    paused = replace(executor)
    paused.paused.set()
    assert paused.room == 0
    paused.paused.clear()


def test_no_jobs_are_refused():
    with pytest.raises(S3NetError, match="At least one"), open_executor(0):
        pass
