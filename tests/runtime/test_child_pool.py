from __future__ import annotations

import gc
import json
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_s3net.runtime.child_pool import ChildEndedError
from tests.io.made_files import phantom
from tests.runtime.children import ECHO, request, run

pytestmark = pytest.mark.usefixtures("no_children")


def pids(pool):
    return {child.pid for child in pool.children}


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


def test_an_interrupt_leaves_no_child_with_half_an_answer(stand_in):
    pool = stand_in("import time; time.sleep(100)")
    timer = threading.Timer(1.0, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        pool.ask(request("a"), 60)
    timer.join()
    assert not pool.children


def test_nothing_is_left_when_the_program_ends(files):
    code = """
        import sys
        from napari_s3net import read_image
        from napari_s3net.io.reader_process import READERS
        read_image(sys.argv[1])
        print([c.pid for c in READERS.children], [c._folder for c in READERS.children])
        assert not {"torch", "SimpleITK", "PIL", "qtpy"} & set(sys.modules)
    """
    done = run(code, files / "a.mha")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    left = json.loads("[" + done.stdout.strip().replace("] [", "], [").replace("'", '"') + "]")
    assert len(left[0]) == 1
    assert not psutil.pid_exists(left[0][0])
    assert not Path(left[1][0]).exists()


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


def test_no_resource_is_left_open(files, readers):
    readers.ask(request(files / "a.mha"), 30)
    readers.close()
    gc.collect()
