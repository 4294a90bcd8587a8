"""Work that waits until there was a pause."""

import pytest
from qtpy.QtCore import QObject

from napari_s3net.plugin.jobs.pause import after_pause

pytestmark = pytest.mark.viewer


def test_many_changes_in_a_row_are_followed_once(qtbot):
    done, owner = [], QObject()
    soon = after_pause(40, lambda: done.append(1), owner)
    for _ in range(5):
        soon.start()
        qtbot.wait(5)
    assert done == []
    qtbot.waitUntil(lambda: done == [1], timeout=2000)
    assert not soon.isActive()


def test_what_is_left_out_is_not_done(qtbot):
    done = []
    soon = after_pause(10, lambda: done.append(1))
    soon.start()
    soon.stop()
    qtbot.wait(60)
    assert done == []
