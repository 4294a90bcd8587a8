"""The command line. What is heavy is imported by the command that needs it, so that `--help` is there at once."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from napari_s3net import __version__
from napari_s3net.cli.output import drop_output, remarks_as_lines, say
from napari_s3net.errors import S3NetError
from napari_s3net.runtime.threads import wait_asleep

#: Name, where its `add_arguments` and `run` live, and what it does.
COMMANDS = (
    ("segment", "napari_s3net.cli.segment", "segment images and volumes, and write labels and masks"),
    ("batch", "napari_s3net.cli.batch", "segment every image of a folder; resumes where it was ended"),
    ("refine", "napari_s3net.cli.refine", "correct saved labels by saved strokes"),
    ("settings", "napari_s3net.cli.settings", "list every setting with its value, range and help"),
    ("samples", "napari_s3net.cli.samples", "write two synthetic images with their true masks"),
    ("teach", "napari_s3net.cli.teach", "teach a network on synthetic images, from nothing"),
    ("learn", "napari_s3net.cli.learn", "learn a model from the few images that were corrected"),
    ("pretrain", "napari_s3net.cli.pretrain", "pre-train an encoder on images without labels, for learn"),
    ("predict", "napari_s3net.cli.predict", "apply a learned model to images and volumes"),
    ("benchmark", "napari_s3net.benchmark", "measure label-free results on images with masks"),
    ("info", "napari_s3net.cli.info", "print versions, devices and memory"),
)
WRONG_USE, INTERRUPTED = 2, 130


class _Parser(ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Without the program's name; from the command line when left out.

    Returns
    -------
    int
        0 done; 1 some inputs failed; 2 wrong use; 130 interrupted.
    """
    wait_asleep()
    # Started with a closed stdout or stderr, Python has none; the work is done all the same.
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the program ends
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a letter of a file's name is no reason to stop.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        options = _parser().parse_args(argv)
        with remarks_as_lines():
            code: int = options.run(options)
        sys.stdout.flush()
    except SystemExit as end:
        return int(end.code or 0)
    except S3NetError as error:
        say(str(error))
        return WRONG_USE
    except KeyboardInterrupt:
        say("interrupted; what was finished is kept.")
        return INTERRUPTED
    except BrokenPipeError:  # the program that reads the output has ended, as `head` does
        drop_output()
        return 0
    return code


def _parser() -> ArgumentParser:
    """Every command with its flags."""
    parser = _Parser(prog="napari-s3net", description="Segment medical images without labels.")
    parser.add_argument("--version", action="version", version=f"napari-s3net {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, home, text in COMMANDS:
        module = import_module(home)
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
