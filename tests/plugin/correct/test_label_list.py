"""The list of the labels in view."""

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_s3net.plugin.correct.label_list import MOST, LabelList

ROWS = [(1, "Lesion", "#00aaff"), (2, "Skin", "#ccaa88")]


def shown(qtbot, rows=ROWS, locked=()):
    labels = LabelList()
    qtbot.addWidget(labels)
    labels.fold.expand(animate=False)
    labels.show_labels(rows, locked)
    labels.show()
    return labels


def rename(labels, row, text):
    labels.list.setCurrentRow(row)
    QTest.keyClick(labels.list, Qt.Key.Key_F2)
    field = labels.list.findChild(QLineEdit)
    before = field.text()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    QApplication.processEvents()
    return before


def test_f2_renames_and_the_field_begins_with_the_name_alone(qtbot):
    labels, heard = shown(qtbot, locked=[2]), []
    labels.renamed.connect(lambda *asked: heard.append(asked))
    assert rename(labels, 1, "Healthy") == "Skin"
    assert heard == [(2, "Healthy")]


def test_the_same_name_or_none_is_no_renaming(qtbot):
    labels = shown(qtbot)
    labels.renamed.connect(lambda *_: heard.append(1))
    heard = []
    rename(labels, 0, "Lesion")
    rename(labels, 0, " ")
    assert not heard


def test_a_look_at_the_same_labels_ends_no_typing(qtbot):
    labels = shown(qtbot)
    labels.list.setCurrentRow(0)
    QTest.keyClick(labels.list, Qt.Key.Key_F2)
    labels.show_labels(ROWS, ())
    assert labels.list.findChild(QLineEdit) is not None


def test_selection_stays_and_long_lists_scroll(qtbot):
    labels = shown(qtbot)
    labels.select(2)
    labels.show_labels([(n, "", "#000000") for n in range(2, 30)], ())
    assert labels.selected == [2]
    assert labels.list.height() < (MOST + 1) * labels.list.sizeHintForRow(0)
