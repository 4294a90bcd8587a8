from __future__ import annotations

import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from napari_s3net.runtime.child_server import PipeCaller, limited_memory

SERVER = """
    import sys, numpy as np
    from napari_s3net.runtime.child_server import serve

    def answer(request, caller):
        print("chatter")
        return {"twice": 2 * request["n"]}, np.arange(request["n"], dtype=np.int16) if request["n"] else None

    serve(answer)
"""


@pytest.fixture
def server(tmp_path):
    """A child without its parent's side: the bare protocol."""
    folder = tmp_path / "napari-s3net-x"
    folder.mkdir()
    (folder / "unpacked").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env={"TMPDIR": str(folder)},
    )
    yield process, folder
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


def test_a_line_of_json_and_the_bytes_of_the_array(server):
    process, _ = server
    for n in (3, 0, 2):
        process.stdin.write(json.dumps({"n": n, "seconds": 60}).encode() + b"\n")
        process.stdin.flush()
        reply = json.loads(process.stdout.readline())
        assert reply["twice"] == 2 * n
        assert ("shape" in reply) == bool(n)
        if n:
            array = np.frombuffer(process.stdout.read(2 * n), reply["dtype"]).reshape(reply["shape"])
            np.testing.assert_array_equal(array, np.arange(n))


def test_it_ends_with_whoever_asks_and_clears_up(server):
    process, folder = server
    process.stdin.write(json.dumps({"n": 1, "seconds": 60}).encode() + b"\n")
    process.stdin.flush()
    process.stdout.readline()
    process.stdin.close()
    assert process.wait(60) == 0
    assert not folder.exists()
    assert folder.parent.exists()


def test_it_ends_by_itself_in_the_middle_of_a_request_that_nobody_waits_for(tmp_path):
    code = textwrap.dedent(
        """
        from napari_s3net.runtime import child_server
        child_server.GRACE_SECONDS = 0.5
        import time
        child_server.serve(lambda request, caller: [time.sleep(0.01) for _ in range(10**6)])
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2]
    )
    process.stdin.write(b'{"seconds": 0.1}\n')
    process.stdin.flush()
    assert process.wait(60) == 1
    process.stdin.close()


def test_a_caller_gets_lines_and_hears_that_the_process_is_worn():
    stream = io.BytesIO()
    caller = PipeCaller(stream)
    caller.tell(slice=1)
    caller.reply({"a": 1}, None)
    caller.wear_out()
    caller.reply({}, np.zeros((2, 3), np.uint8))
    lines = stream.getvalue().splitlines()
    assert [json.loads(line) for line in lines[:3]] == [
        {"news": {"slice": 1}},
        {"a": 1},
        {"shape": [2, 3], "dtype": "|u1", "worn": True},
    ]
    assert lines[3] == bytes(6)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_beyond_the_limit_an_allocation_fails_and_afterwards_it_does_not():
    with limited_memory(32 << 20) as limit:
        with pytest.raises(MemoryError):
            np.ones(200 << 20, np.uint8)
        limit(400 << 20)
        assert np.ones(200 << 20, np.uint8)[-1] == 1
        limit(32 << 20)
        with pytest.raises(MemoryError):
            np.ones(200 << 20, np.uint8)
    assert np.ones(200 << 20, np.uint8)[-1] == 1
