import pytest
from qtpy.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from napari_s3net.plugin.widgets.parts import caption, column, fold, menu_button, more_button, one_line

pytestmark = pytest.mark.viewer


def test_a_fold_is_closed_at_first_and_no_key_reaches_what_is_in_it(qtbot):
    inside = QLineEdit()
    made = fold("Advanced", "More settings.", inside)
    qtbot.addWidget(made)
    made.show()
    assert not inside.isVisible()
    made.toggleButton().click()
    assert inside.isVisible()
    assert made.text() == "▾ Advanced"
    made.toggleButton().click()
    assert not inside.isVisible()
    assert made.text() == "▸ Advanced"


def test_an_open_fold_grows_with_what_is_in_it(qtbot):
    inside, more = QWidget(), QWidget()
    more.setFixedHeight(200)
    more.hide()
    column(inside, QLineEdit(), more)
    made = fold("Advanced", "More settings.", inside)
    around = QWidget()
    column(around, made).addStretch()
    qtbot.addWidget(around)
    around.resize(200, 600)
    around.show()
    made.toggleButton().click()
    QApplication.processEvents()
    more.show()
    qtbot.waitUntil(lambda: more.visibleRegion().boundingRect().height() == 200, timeout=3000)


def test_a_line_that_was_cleared_stays_empty_when_it_is_resized(qtbot):
    line = one_line("Looking for images…")
    qtbot.addWidget(line)
    line.show()
    line.clear()
    line.resize(line.width() + 50, line.height())
    QApplication.processEvents()
    assert line.text() == QLabel.text(line) == ""


def test_one_line_is_shortened_and_keeps_its_text(qtbot):
    line = one_line("slice 12 of 40 · 512 × 512, CT in HU, 0.7 mm a pixel")
    around = QWidget()
    column(around, line)
    qtbot.addWidget(around)
    around.resize(90, 40)
    around.show()
    assert line.text() == "slice 12 of 40 · 512 × 512, CT in HU, 0.7 mm a pixel"
    assert line.heightForWidth(90) <= line.fontMetrics().height() + 6
    assert around.minimumSizeHint().width() <= 60


def test_a_caption_never_widens_a_dock(qtbot):
    around = QWidget()
    column(around, caption("A sentence of many words that goes on and on, wherever there is room for it."))
    qtbot.addWidget(around)
    assert around.minimumSizeHint().width() <= 60


@pytest.mark.parametrize("make", [menu_button, more_button])
def test_a_menu_tells_its_actions_by_name(qtbot, make):
    button, menu = make("More", "Does more.", first="The first", second="The second")
    qtbot.addWidget(button)
    assert [(action.objectName(), action.text()) for action in menu.actions()] == [
        ("first", "The first"),
        ("second", "The second"),
    ]
    assert button.toolTip() == "Does more."
