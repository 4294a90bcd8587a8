from napari_s3net.plugin.widgets.extent import RANGE, SLICE, VOLUME, ExtentChooser


def test_a_single_plane_has_no_choice(qtbot):
    chooser = ExtentChooser()
    qtbot.addWidget(chooser)
    chooser.choice.value = VOLUME
    assert chooser.span is None
    chooser.show_stack(1, "", "")
    assert not chooser.isVisibleTo(chooser.parentWidget())


def test_the_span_is_the_whole_volume_a_range_or_none(qtbot):
    chooser = ExtentChooser()
    qtbot.addWidget(chooser)
    chooser.show_stack(40, "2.5 mm apart", "at 7.5 mm")
    assert chooser.span is None
    chooser.choice.value = VOLUME
    assert chooser.span == (0, 39)
    assert chooser.line.text() == "0–39 on the slider · 2.5 mm apart"
    chooser.choice.value = RANGE
    chooser.range.setValue((20, 25))
    assert chooser.span == (20, 25)
    assert chooser.range.isVisibleTo(chooser)
    chooser.choice.value = SLICE
    assert chooser.line.text() == "2.5 mm apart · at 7.5 mm"
    assert not chooser.range.isVisibleTo(chooser)


def test_another_stack_keeps_the_choice_and_gets_a_range_of_its_own(qtbot):
    chooser = ExtentChooser()
    qtbot.addWidget(chooser)
    chooser.choice.value = RANGE
    chooser.show_stack(40, "", "")
    chooser.show_stack(8, "", "")
    first, last = chooser.span
    assert 0 <= first < last < 8
