"""The panel of slices by itself."""

import pytest
from qtpy.QtCore import QPoint, Qt

from napari_s3net.plugin.correct.stack_panel import COLOURS, StackPanel
from napari_s3net.plugin.layers.slice_states import SliceState

pytestmark = pytest.mark.viewer
STATES = [SliceState.SEEN] * 5 + [SliceState.CORRECTED] * 2 + [SliceState.UNSEEN] * 3


@pytest.fixture
def panel(qtbot):
    panel = StackPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 200)
    panel.show()
    return panel


def test_states_are_told_in_words_and_drawn(panel):
    panel.show_states(STATES, 8)
    assert panel.states_line.text() == "here: not looked at · 3 to look at"
    assert panel.states_line.toolTip() == "Slice 8: not looked at. 3 slices to look at, 2 corrected, 5 looked at."
    image = panel.strip.grab().toImage()
    scale = image.width() / panel.strip.width()
    for n, state in enumerate(STATES):
        if n != 8:  # where the mark stands
            at = QPoint(round((n + 0.5) / 10 * panel.strip.width() * scale), image.height() // 2)
            assert image.pixelColor(at).name() == COLOURS[state]


def test_a_click_on_the_strip_picks_the_slice(panel, qtbot):
    panel.show_states(STATES, 0)
    picked = []
    panel.strip.picked.connect(picked.append)
    for share in (0.0, 0.55, 0.999):
        qtbot.mouseClick(panel.strip, Qt.MouseButton.LeftButton, pos=QPoint(int(share * panel.strip.width()), 5))
    assert picked == [0, 5, 9]


def test_while_a_correction_is_carried_only_stop_works(panel):
    asked = []
    panel.asked.connect(asked.append)
    panel.show_busy(busy=True)
    for made in panel.buttons.values():
        made.click()
    assert asked == ["stop", "cancel"]
    panel.show_busy(busy=False)
    for made in panel.buttons.values():
        made.click()
    assert asked[2:] == ["rerun all", "propagate down", "propagate up", "fill", "next slice"]


def test_while_something_else_goes_on_nothing_can_be_begun_or_stopped_here(panel):
    asked = []
    panel.asked.connect(asked.append)
    panel.show_busy(busy=False, waits=True)
    assert panel.bar.isHidden()
    assert panel.ways_to_end.isHidden()
    for made in panel.buttons.values():
        made.click()
    assert not asked
