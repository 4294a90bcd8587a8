from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_s3net.runtime import child_process
from napari_s3net.runtime.child_pool import ChildPool
from napari_s3net.runtime.child_process import ChildDiedError, ChildStartError, ChildTimeoutError
from tests.runtime.children import ECHO, request, run

pytestmark = pytest.mark.usefixtures("no_children")


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


def test_a_python_that_cannot_be_started(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(child_process.tempfile, "tempdir", None)
    pool = ChildPool(["/no/such/python"])
    with pytest.raises(ChildStartError, match="No such file"):
        pool.ask(request("a"), 30)
    assert not pool.children
    assert not list(tmp_path.iterdir())


def test_what_a_killed_child_had_unpacked_is_cleared_away(stand_in, monkeypatch):
    monkeypatch.setattr(child_process, "START_SECONDS", 2.0)
    folders = []
    make = child_process.tempfile.mkdtemp
    monkeypatch.setattr(child_process.tempfile, "mkdtemp", lambda **how: folders.append(make(**how)) or folders[-1])
    with pytest.raises(ChildTimeoutError):
        stand_in("import tempfile, time; open(tempfile.mkstemp()[1], 'w').close(); time.sleep(100)").ask({}, 0.1)
    assert folders
    assert not Path(folders[0]).exists()


def test_a_child_whose_parent_is_killed_ends_too(files):
    code = """
        import os, signal, sys
        from napari_s3net import read_image
        from napari_s3net.io.reader_process import READERS
        read_image(sys.argv[1])
        (child,) = READERS.children
        print(child.pid, child._folder, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    pid, folder = run(code, files / "a.mha").stdout.split()
    pid = int(pid)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not Path(folder).exists()


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
