import pytest
from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, SpinBox
from qtpy.QtWidgets import QAbstractSpinBox

from napari_s3net.plugin.widgets.settings_form import SettingsForm
from napari_s3net.plugin.widgets.text import unit_text
from napari_s3net.settings import Settings, presets

SETTINGS = {setting["name"]: setting for setting in Settings.describe()}
KINDS = {"int": SpinBox, "float": FloatSpinBox, "bool": CheckBox, "str": ComboBox}


@pytest.fixture
def forms(qtbot):
    forms = [SettingsForm(basic=True), SettingsForm(basic=False)]
    for form in forms:
        qtbot.addWidget(form)
    return forms


@pytest.mark.parametrize(
    ("unit", "label", "text"),
    [
        ("px", "Working size", "px"),
        ("% of the image", "Smallest part", "%"),
        ("°", "Rotation up to", "°"),
        ("clusters", "Clusters at start", ""),
        ("", "x", ""),
    ],
)
def test_unit_text(unit, label, text):
    assert unit_text(unit, label) == text


@pytest.mark.viewer
def test_no_setting_is_left_out_or_asked_for_twice(forms):
    assert set(forms[0].fields) == {name for name, setting in SETTINGS.items() if setting["basic"]}
    assert set(forms[1].fields) == set(SETTINGS) - set(forms[0].fields)


@pytest.mark.viewer
def test_values_are_known_before_there_are_fields_and_fill_them_then(forms):
    form, told = forms[1], []
    form.changed.connect(lambda: told.append(form.values()))
    asked = presets["ct-lung"].settings.replace(seed=7, learning_rate=0.012345678)
    form.show_settings(asked)
    assert form.findChildren(QAbstractSpinBox) == [], "nothing is made that nobody sees"
    known = {name: getattr(asked, name) for name in form.labels}
    assert told == [known] == [form.values()]
    assert form.fields["seed"].value == 7
    assert form.values() == known, "also what a field shows rounded"
    assert len(told) == 1
    form.fields["seed"].value = 8
    assert told[1:] == [{**known, "seed": 8}]


@pytest.mark.viewer
@pytest.mark.parametrize("name", SETTINGS)
def test_a_field_has_the_range_and_the_help_of_its_setting(forms, name):
    setting, field = SETTINGS[name], {**forms[0].fields, **forms[1].fields}[name]
    assert type(field) is KINDS[setting["type"]]
    assert field.native.toolTip() == setting["help"]
    assert field.label.startswith(setting["label"])
    assert field.value == setting["default"]
    if setting["type"] in ("int", "float"):
        assert (field.min, field.max, field.step) == (setting["low"], setting["high"], setting["step"])
    if setting["type"] == "str":
        assert field.choices == setting["choices"]


@pytest.mark.viewer
@pytest.mark.parametrize("end", ["low", "high"])
def test_both_ends_of_every_range_can_be_shown(forms, end):
    for form in forms:
        for name, field in form.fields.items():
            if SETTINGS[name]["type"] in ("int", "float"):
                field.value = SETTINGS[name][end]
                assert form.values()[name] == SETTINGS[name][end]


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
    form.fields["weight_spatial"].value = 2.0
    assert form.values()["weight_spatial"] == 2.0


@pytest.mark.viewer
def test_a_change_is_told_once(forms):
    told = []
    forms[0].changed.connect(lambda: told.append(1))
    forms[0].fields["working_size"].value = 256
    assert told == [1]
    forms[0].show_settings(Settings(working_size=96, target="lung"))
    assert told == [1, 1]
