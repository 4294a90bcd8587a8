"""Good files of each kind, as the readers' tests have them; pools of children, and an end to those that live."""

import sys
import textwrap

import pytest

from napari_s3net.io.reader_process import READERS
from napari_s3net.runtime import child_pool
from tests.io.conftest import files, good_files

__all__ = ["files", "good_files"]


@pytest.fixture
def no_children():
    child_pool.close_all()
    yield
    child_pool.close_all()


@pytest.fixture
def stand_in():
    """A pool whose children run this Python code."""
    return lambda code, **how: child_pool.ChildPool((sys.executable, "-c", textwrap.dedent(code)), **how)


@pytest.fixture
def readers():
    """The pool that reads files."""
    return READERS
