import pytest
from napari.qt import get_stylesheet
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_s3net.plugin.widgets.fields import Chooser, add_fields, decimals, form_layout, make_field

pytestmark = pytest.mark.viewer


@pytest.mark.parametrize(
    ("step", "low", "digits"), [(0.01, 1e-4, 4), (0.1, 0.0, 1), (0.05, 0.0, 2), (10.0, -2000.0, 0), (5, 0, 0)]
)
def test_decimals(step, low, digits):
    assert decimals(step, low) == digits


def test_a_number_shows_its_unit_and_the_digits_of_its_step(qtbot):
    field = make_field(0.25, "Share", "How much.", unit="%", min=0.0, max=1.0, step=0.05)
    qtbot.addWidget(field.native)
    assert field.native.text() in ("0.25", "0,25")
    assert field.label == field.native.accessibleName() == "Share (%)"
    assert (field.min, field.max, field.step) == (0.0, 1.0, 0.05)


def test_the_lower_end_of_a_fine_range_is_not_rounded_away(qtbot):
    field = make_field(0.02, "Rate", "How fast.", min=1e-4, max=1.0, step=0.005)
    qtbot.addWidget(field.native)
    field.value = 1e-4
    assert field.value == 1e-4


def test_a_choice_shows_texts_and_holds_values(qtbot):
    field = make_field("b", "Letter", "Which one.", choices=[("First", "a"), ("Second", "b")])
    qtbot.addWidget(field.native)
    assert (field.native.currentText(), field.value) == ("Second", "b")


def wheel_down(widget):
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (5, {"min": 0, "max": 9, "step": 1}),
        (0.5, {"min": 0.0, "max": 1.0, "step": 0.1}),
        ("b", {"choices": list("abc")}),
    ],
)
def test_the_wheel_changes_a_field_only_while_it_has_the_focus(qtbot, value, options):
    field = make_field(value, "Name", "Tip.", **options)
    qtbot.addWidget(field.native)
    field.native.show()
    field.native.clearFocus()
    wheel_down(field.native)
    assert field.value == value
    field.native.activateWindow()
    field.native.setFocus()
    qtbot.waitUntil(field.native.hasFocus, timeout=3000)
    wheel_down(field.native)
    assert field.value != value


def test_labels_of_a_form_lead_to_their_fields(qtbot):
    form = QWidget()
    qtbot.addWidget(form)
    number, tick = make_field(1, "Number", "Tip of it.", min=0, max=3), make_field(True, "Tick", "Tip.")
    add_fields(form_layout(form), [number, tick])
    titles = {label.text(): label for label in form.findChildren(QLabel)}
    assert {name: title.buddy() for name, title in titles.items()} == {"Number": number.native, "Tick": tick.native}
    assert titles["Number"].toolTip() == "Tip of it."
    assert tick.native.text() == "", "the label says it"


def shown(chooser, name):
    chooser.clear()
    chooser.addItem(name)
    return chooser.grab().toImage()


def test_long_names_of_layers_are_told_apart_by_both_ends(qtbot):
    chooser = Chooser("Image", "Which image.")
    qtbot.addWidget(chooser)
    chooser.setStyleSheet(get_stylesheet("dark"))
    chooser.resize(120, 26)
    long = "anonymised_thorax_with_contrast_series_0004_slice_03"
    assert shown(chooser, f"{long}3") != shown(chooser, f"{long}4")
    assert shown(chooser, f"A{long}") != shown(chooser, f"B{long}")
    assert shown(chooser, f"{long[:20]}X{long[20:]}") == shown(chooser, f"{long[:20]}Y{long[20:]}")
    assert chooser.itemText(0) == f"{long[:20]}Y{long[20:]}", "only what is shown is shortened"
