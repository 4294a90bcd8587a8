import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QCheckBox, QComboBox, QSpinBox

from napari_s3net.plugin.widgets.settings_form import Decimal, SettingsForm, decimals
from napari_s3net.plugin.widgets.text import NARROW, suffix
from napari_s3net.settings import Settings, describe, presets

ROWS = {row["name"]: row for row in describe()}


@pytest.fixture
def forms(qtbot):
    forms = [SettingsForm(basic=True), SettingsForm(basic=False)]
    for form in forms:
        qtbot.addWidget(form)
    return forms


def fields(forms):
    return {**forms[0].fields, **forms[1].fields}


@pytest.mark.parametrize(
    ("step", "low", "digits"), [(0.01, 1e-4, 4), (0.1, 0.0, 1), (0.05, 0.0, 2), (10.0, -2000.0, 0), (5, 0, 0)]
)
def test_decimals(step, low, digits):
    assert decimals(step, low) == digits


@pytest.mark.parametrize(
    ("unit", "label", "text"),
    [
        ("px", "Working size", NARROW + "px"),
        ("°", "Rotation up to", "°"),
        ("clusters", "Clusters at least", ""),
        ("", "x", ""),
    ],
)
def test_suffix(unit, label, text):
    assert suffix(unit, label) == text


@pytest.mark.viewer
def test_every_setting_has_one_field_with_its_own_range_and_help(forms):
    assert set(fields(forms)) == set(ROWS)
    assert set(forms[0].fields) == {name for name, row in ROWS.items() if row["basic"]}
    kinds = {"int": QSpinBox, "float": Decimal, "bool": QCheckBox, "str": QComboBox}
    for name, field in fields(forms).items():
        row = ROWS[name]
        assert type(field) is kinds[row["type"]]
        assert field.toolTip() == row["help"]
        assert field.accessibleName() == row["label"]
        if row["type"] in ("int", "float"):
            assert (field.minimum(), field.maximum(), field.singleStep()) == (row["low"], row["high"], row["step"])
        if row["type"] == "str":
            assert tuple(field.itemText(i) for i in range(field.count())) == row["choices"]


@pytest.mark.viewer
@pytest.mark.parametrize("name", presets)
def test_presets_come_back_as_they_went_in(forms, name):
    wanted = presets[name].settings
    for form in forms:
        form.show_settings(wanted)
    assert Settings(**forms[0].values(), **forms[1].values()) == wanted


@pytest.mark.viewer
def test_a_value_finer_than_its_field_stays_exact_until_it_is_changed(forms):
    form = forms[1]
    form.show_settings(Settings(weight_spatial=1.2345))
    assert form.values()["weight_spatial"] == 1.2345
    form.fields["weight_spatial"].setValue(2.0)
    assert form.values()["weight_spatial"] == 2.0


@pytest.mark.viewer
def test_a_change_is_told_once(forms, qtbot):
    told = []
    forms[1].changed.connect(lambda: told.append(1))
    forms[1].fields["working_size"].setValue(256)
    assert told == [1]
    forms[1].show_settings(Settings(working_size=96, target="lung"))
    assert told == [1, 1]


@pytest.mark.viewer
def test_numbers_carry_no_empty_zeros(forms):
    forms[1].show_settings(Settings(learning_rate=0.1))
    assert forms[1].fields["learning_rate"].text() in ("0.1", "0,1")


@pytest.mark.viewer
def test_the_wheel_scrolls_past_a_field_that_has_no_focus(forms):
    field = forms[0].fields["seed"]
    down = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    field.setValue(5)
    QApplication.sendEvent(field, down)
    assert field.value() == 5
