"""Children that answer as a test wants them to, and programs that have children."""

from __future__ import annotations

import subprocess
import sys
import textwrap

#: What a child runs that answers what it is asked to.
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


def run(code, *arguments, **how):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True, encoding="utf-8", timeout=120, check=False, **how,
    )  # fmt: skip
