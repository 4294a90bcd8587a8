from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_s3net.errors import ReadError
from napari_s3net.runtime import child_process as process
from tests.io.made_files import phantom


@pytest.fixture(autouse=True)
def no_children():
    process.close_all()
    yield
    process.close_all()
    assert not process._living


@pytest.fixture
def stand_in(monkeypatch):
    """Run this Python code instead of the child."""

    def use(code):
        monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", textwrap.dedent(code)))

    return use


def request(path):
    return {"task": "read", "path": str(path), "series": None}


def pids():
    return {child._process.pid for child in process._living}


def test_the_child_stays_warm(files):
    process.ask(request(files / "a.mha"), 30)
    first = pids()
    start = time.perf_counter()
    for _ in range(10):
        _, array = process.ask(request(files / "a.mha"), 30)
    assert (time.perf_counter() - start) / 10 < 1.0
    assert pids() == first
    np.testing.assert_array_equal(array, phantom())
    assert array.flags.writeable
    assert array.flags.owndata


def test_several_threads_use_several_children_and_two_are_kept(files):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: process.ask(request(files / "a.mha"), 60)[1], range(12)))
    for array in answers:
        np.testing.assert_array_equal(array, phantom())
    assert len(process._living) == len(process._idle) <= process.KEEP


def test_a_large_array_arrives_whole(tmp_path):
    import tifffile

    array = np.random.default_rng(0).integers(0, 65535, (12, 700, 600), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack")
    np.testing.assert_array_equal(process.ask(request(tmp_path / "a.tif"), 60)[1], array)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.abort()", "crash .code -6"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash .code -11"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory ran out"),
        ("input(); print('{')", "crash"),
        ('input(); print(\'{"shape": [1000], "dtype": "<i2"}\')', "crash"),
        ("input(); import os; os.write(1, b'no newline')", "crash"),
    ],
)
def test_a_child_that_dies_is_an_error_and_leaves_nothing(stand_in, code, words):
    stand_in(code)
    with pytest.raises(ReadError, match=words):
        process.ask(request("a"), 30)
    assert not process._living
    assert not [p for p in psutil.Process().children() if p.status() == psutil.STATUS_ZOMBIE]


def test_a_child_that_hangs_is_killed(stand_in, monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 0.5)
    stand_in("import time; time.sleep(100)")
    start = time.perf_counter()
    with pytest.raises(ReadError, match="longer than 1 seconds"):
        process.ask(request("a"), 1.0)
    assert time.perf_counter() - start < 10
    assert not process._living


def test_a_file_gets_a_second_chance_when_a_used_child_dies(files):
    process.ask(request(files / "a.mha"), 30)
    (pid,) = pids()
    os.kill(pid, signal.SIGKILL)
    _, array = process.ask(request(files / "a.mha"), 30)
    np.testing.assert_array_equal(array, phantom())
    assert pids().isdisjoint({pid})
    assert not psutil.pid_exists(pid)


def test_a_worn_child_is_not_used_again(stand_in):
    stand_in("""
        while True:
            input(); print('{"error": "ReadError", "worn": true}', flush=True)
    """)
    process.ask(request("a"), 30)
    assert not process._living


def test_a_python_that_cannot_be_started(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "COMMAND", ("/no/such/python",))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(process.tempfile, "tempdir", None)
    with pytest.raises(ReadError, match="could not be started: No such file"):
        process.ask(request("a"), 30)
    assert not process._living
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_no_child_with_half_an_answer(stand_in):
    stand_in("import time; time.sleep(100)")
    timer = threading.Timer(1.0, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        process.ask(request("a"), 60)
    timer.join()
    assert not process._living


def test_what_a_killed_child_had_unpacked_is_cleared_away(stand_in, monkeypatch):
    monkeypatch.setattr(process, "START_SECONDS", 2.0)
    stand_in("import tempfile, time; open(tempfile.mkstemp()[1], 'w').close(); time.sleep(100)")
    folders = []
    make = process.tempfile.mkdtemp
    monkeypatch.setattr(process.tempfile, "mkdtemp", lambda **how: folders.append(make(**how)) or folders[-1])
    with pytest.raises(ReadError, match="longer"):
        process.ask(request("a"), 0.1)
    assert folders
    assert not Path(folders[0]).exists()


def run(code, *arguments, **how):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True, encoding="utf-8", timeout=120, check=False, **how,
    )  # fmt: skip


def test_nothing_is_left_when_the_program_ends(files):
    code = """
        import sys
        from napari_s3net import read_image
        from napari_s3net.runtime import child_process as process
        read_image(sys.argv[1])
        print([c._process.pid for c in process._living], [c._folder for c in process._living])
        assert not {"torch", "SimpleITK", "PIL", "qtpy"} & set(sys.modules)
    """
    done = run(code, files / "a.mha")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    left = json.loads("[" + done.stdout.strip().replace("] [", "], [").replace("'", '"') + "]")
    assert len(left[0]) == 1
    assert not psutil.pid_exists(left[0][0])
    assert not Path(left[1][0]).exists()


def test_a_child_whose_parent_is_killed_ends_too(files):
    code = """
        import os, signal, sys
        from napari_s3net import read_image
        from napari_s3net.runtime import child_process as process
        read_image(sys.argv[1])
        (child,) = process._living
        print(child._process.pid, child._folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    pid, folder = run(code, files / "a.mha").stdout.split()
    pid = int(pid)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not Path(folder).exists()


def test_a_forked_copy_leaves_the_children_of_its_parent_alone(files):
    code = """
        import os, sys
        from napari_s3net import read_image
        from napari_s3net.runtime import child_process as process
        read_image(sys.argv[1])
        (child,) = process._living
        pid = os.fork()
        if pid == 0:
            assert not process._living and not process._idle
            process.close_all()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert child._process.poll() is None
        read_image(sys.argv[1])
        assert process._living == {child}
    """
    done = run(code, files / "a.mha")
    assert done.returncode == 0, done.stderr


def test_decoders_do_not_chatter_in_the_terminal(files):
    raw = (files / "a.mha").read_bytes()
    (files / "a.mha").write_bytes(raw.replace(b"TransformMatrix = 1 0 0", b"TransformMatrix = 1 " + b"7 " * 2000))
    code = """
        import sys
        from napari_s3net.errors import ReadError
        from napari_s3net.io import read_image
        try:
            read_image(sys.argv[1])
        except ReadError as error:
            print(error)
    """
    done = run(code, files / "a.mha")
    assert done.stdout.startswith("Cannot read a.mha: ")
    assert done.stdout.count("\n") == 1
    assert not done.stderr


def test_the_working_directory_does_not_mislead_the_child(files, tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')", encoding="utf-8")
    code = """
        import sys
        sys.path.pop(0)
        from napari_s3net import read_image
        read_image(sys.argv[1])
    """
    done = run(code, files / "a.mha", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_no_resource_is_left_open(files):
    process.ask(request(files / "a.mha"), 30)
    process.close_all()
    gc.collect()
