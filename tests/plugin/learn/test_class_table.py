"""The classes as a table."""

import pytest
from qtpy.QtGui import QColor

from napari_s3net.plugin.learn.class_table import NAME, ClassTable

pytestmark = pytest.mark.viewer


@pytest.fixture
def table(qtbot):
    table = ClassTable()
    qtbot.addWidget(table)
    return table


def test_classes_have_names_and_colours_of_their_own(table):
    table.show_classes([2, 1], {2: "Dark"}, {2: "#00ff00"})
    assert table.names() == {1: "Class 1", 2: "Dark"}
    assert table.colours()[2] == "#00ff00"
    assert len(set(table.colours().values())) == 2


def test_what_was_typed_and_chosen_stays_when_more_classes_come(table):
    table.show_classes([1], {}, {})
    assert table.names() == {1: "Object"}
    table.item(0, NAME).setText(" Lesion ")
    table.set_colour(0, QColor("#0000ff"))
    table.set_colour(0, QColor())  # the dialog was left
    table.show_classes([1, 5], {1: "Spot"}, {1: "#111111"})
    assert table.names() == {1: "Lesion", 5: "Class 5"}
    assert table.colours()[1] == "#0000ff"


def test_names_and_colours_that_nobody_gave_go_with_the_labels_that_they_were_of(table):
    table.show_classes([1, 3], {3: "Rim"}, {1: "#111111"})
    table.show_classes([1, 2, 3], {}, {})
    assert table.names() == {1: "Class 1", 2: "Class 2", 3: "Class 3"}
    assert table.colours()[1] != "#111111"
    table.show_classes([1], {}, {})
    assert table.names() == {1: "Object"}


def test_of_other_folders_nothing_stays_that_was_typed_or_chosen(table):
    table.show_classes([1], {}, {})
    table.item(0, NAME).setText("Lesion")
    table.set_colour(0, QColor("#0000ff"))
    table.show_classes([1], {}, {})
    table.show_classes([1, 2], {}, {})
    assert (table.names()[1], table.colours()[1]) == ("Lesion", "#0000ff")
    table.forget()
    assert (table.isHidden(), table.names()) == (True, {})
    table.show_classes([1, 2], {}, {})
    assert table.names() == {1: "Class 1", 2: "Class 2"}
    assert table.colours()[1] != "#0000ff"


def test_without_classes_it_is_not_there(table):
    table.show_classes([], {}, {})
    assert table.isHidden()
    assert table.names() == {}
