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

from napari_s3net.io.reader_process import READERS
from napari_s3net.runtime import child_process
from napari_s3net.runtime.child_process import (
    ChildDiedError,
    ChildEndedError,
    ChildPool,
    ChildStartError,
    ChildTimeoutError,
)
from tests.io.made_files import phantom


@pytest.fixture(autouse=True)
def no_children():
    child_process.close_all()
    yield
    child_process.close_all()


@pytest.fixture
def stand_in():
    """A pool whose children run this Python code."""
    return lambda code, **how: ChildPool((sys.executable, "-c", textwrap.dedent(code)), **how)


@pytest.fixture
def readers():
    """The pool that reads files."""
    return READERS


ECHO = """
    from napari_s3net.runtime.child_server import serve

    def answer(request, caller):
        for news in request.get("news", []):
            caller.tell(it=news)
        if "allow" in request:
            caller.allow(request["allow"])
        exec(request.get("do", ""))
        return {"slot": __import__("sys").argv[1], "said": request.get("say")}, None

    serve(answer)
"""


def request(path):
    return {"task": "read", "path": str(path), "series": None}


def pids(pool):
    return {child._process.pid for child in pool.children}


def test_the_child_stays_warm(files, readers):
    readers.ask(request(files / "a.mha"), 30)
    first = pids(readers)
    for _ in range(10):
        _, array = readers.ask(request(files / "a.mha"), 30)
    assert pids(readers) == first
    np.testing.assert_array_equal(array, phantom())
    assert array.flags.writeable
    assert array.flags.owndata


def test_several_threads_use_several_children_and_two_are_kept(files, readers):
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: readers.ask(request(files / "a.mha"), 60)[1], range(12)))
    for array in answers:
        np.testing.assert_array_equal(array, phantom())
    assert 1 <= len(readers.children) <= 2


def test_each_child_has_a_slot_of_its_own(stand_in):
    pool = stand_in(ECHO)
    together = threading.Barrier(3)

    def ask(n):
        return pool.ask({"news": [n], "say": n}, 60, on_news=lambda _: together.wait(60))[0]

    with ThreadPoolExecutor(3) as threads:
        replies = list(threads.map(ask, range(3)))
    assert [reply["said"] for reply in replies] == [0, 1, 2]
    assert {reply["slot"] for reply in replies} == {"0", "1", "2"}
    assert len(pool.children) == 3
    pool.close_idle()
    assert not pool.children


def test_news_come_before_the_reply(stand_in):
    told = []
    reply, _ = stand_in(ECHO).ask({"news": ["a", "b"], "say": "c"}, 60, on_news=told.append)
    assert told == [{"it": "a"}, {"it": "b"}]
    assert reply["said"] == "c"


def test_a_large_array_arrives_whole(tmp_path, readers):
    import tifffile

    array = np.random.default_rng(0).integers(0, 65535, (12, 700, 600), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="minisblack")
    np.testing.assert_array_equal(readers.ask(request(tmp_path / "a.tif"), 60)[1], array)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("import os; os.abort()", -6),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -11),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("input(); print('{')", 0),
        ("input(); print('[]')", 0),
        ('input(); print(\'{"shape": [1000], "dtype": "<i2"}\')', 0),
        ("input(); import os; os.write(1, b'no newline')", 0),
    ],
)
def test_a_child_that_dies_is_an_error_and_leaves_nothing(stand_in, code, number):
    pool = stand_in(code)
    with pytest.raises(ChildDiedError) as died:
        pool.ask(request("a"), 30)
    assert died.value.code == number
    assert died.value.was_killed == (number == -9)
    assert not pool.children
    assert not [p for p in psutil.Process().children() if p.status() == psutil.STATUS_ZOMBIE]


def test_a_child_that_hangs_is_killed(stand_in, monkeypatch):
    monkeypatch.setattr(child_process, "START_SECONDS", 0.5)
    pool = stand_in("import time; time.sleep(100)")
    with pytest.raises(ChildTimeoutError) as late:
        pool.ask(request("a"), 1.0)
    assert late.value.seconds == 1.0
    assert not pool.children


def test_a_child_may_ask_for_more_or_less_time(stand_in):
    pool = stand_in(ECHO)
    pool.ask({}, 60)
    reply, _ = pool.ask({"allow": 60, "do": "import time; time.sleep(0.6)", "say": 1}, 0.3)
    assert reply["said"] == 1
    with pytest.raises(ChildTimeoutError) as late:
        pool.ask({"allow": 0.2, "do": "import time; time.sleep(100)"}, 60)
    assert late.value.seconds == 0.2


def test_a_request_gets_a_second_chance_when_a_used_child_dies(files, readers):
    readers.ask(request(files / "a.mha"), 30)
    (pid,) = pids(readers)
    os.kill(pid, signal.SIGKILL)
    _, array = readers.ask(request(files / "a.mha"), 30)
    np.testing.assert_array_equal(array, phantom())
    assert pids(readers).isdisjoint({pid})
    assert not psutil.pid_exists(pid)


def test_a_worn_child_is_not_used_again(stand_in):
    pool = stand_in(ECHO)
    reply, _ = pool.ask({"do": "caller.wear_out()"}, 60)
    assert "worn" not in reply
    assert not pool.children


def test_a_group_is_ended_at_once_and_for_good(stand_in):
    pool = stand_in(ECHO)
    waiting, other = threading.Event(), threading.Event()
    sleep = {"news": [1], "do": "import time; time.sleep(600)"}
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(pool.ask, sleep, 900, on_news=lambda _: waiting.set(), group="ended")
        kept = threads.submit(
            pool.ask, {"news": [1], "do": "import sys; sys.stdin"}, 900, on_news=lambda _: other.set(), group="other"
        )
        assert waiting.wait(60)
        assert other.wait(60)
        pool.end("ended")
        with pytest.raises(ChildEndedError):
            asked.result(60)
        assert kept.result(60)
    with pytest.raises(ChildEndedError):
        pool.ask({}, 60, group="ended")
    assert pool.ask({"say": 1}, 60, group="other")[0]["said"] == 1


def test_a_python_that_cannot_be_started(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(child_process.tempfile, "tempdir", None)
    pool = ChildPool(["/no/such/python"])
    with pytest.raises(ChildStartError, match="No such file"):
        pool.ask(request("a"), 30)
    assert not pool.children
    assert not list(tmp_path.iterdir())


def test_an_interrupt_leaves_no_child_with_half_an_answer(stand_in):
    pool = stand_in("import time; time.sleep(100)")
    timer = threading.Timer(1.0, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        pool.ask(request("a"), 60)
    timer.join()
    assert not pool.children


def test_what_a_killed_child_had_unpacked_is_cleared_away(stand_in, monkeypatch):
    monkeypatch.setattr(child_process, "START_SECONDS", 2.0)
    folders = []
    make = child_process.tempfile.mkdtemp
    monkeypatch.setattr(child_process.tempfile, "mkdtemp", lambda **how: folders.append(make(**how)) or folders[-1])
    with pytest.raises(ChildTimeoutError):
        stand_in("import tempfile, time; open(tempfile.mkstemp()[1], 'w').close(); time.sleep(100)").ask({}, 0.1)
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
        from napari_s3net.io.reader_process import READERS
        read_image(sys.argv[1])
        print([c._process.pid for c in READERS.children], [c._folder for c in READERS.children])
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
        from napari_s3net.io.reader_process import READERS
        read_image(sys.argv[1])
        (child,) = READERS.children
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
        from napari_s3net.io.reader_process import READERS
        read_image(sys.argv[1])
        (child,) = READERS.children
        pid = os.fork()
        if pid == 0:
            assert not READERS.children
            READERS.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert child._process.poll() is None
        read_image(sys.argv[1])
        assert READERS.children == (child,)
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


def test_no_resource_is_left_open(files, readers):
    readers.ask(request(files / "a.mha"), 30)
    readers.close()
    gc.collect()
