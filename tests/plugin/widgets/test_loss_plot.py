import itertools

import pytest

from napari_s3net.plugin.widgets.loss_plot import MARGIN, LossPlot, layout_lines, spread

HISTORY = [{"cluster": 2.0 / i, "transformation": 1.0 / i, "spatial": 0.2} for i in range(1, 11)]


def test_nothing_to_draw():
    assert layout_lines([], 10, 200, 80, 12) == ()


def test_lines_grow_to_the_right_and_never_squeeze():
    few, many = layout_lines(HISTORY[:4], 10, 180, 80, 12), layout_lines(HISTORY, 10, 180, 80, 12)
    assert [line.name for line in many] == ["cluster", "transformation", "spatial"]
    assert [x for x, _ in few[0].points] == [x for x, _ in many[0].points[:4]]
    assert many[0].points[-1][0] == pytest.approx(180)


def test_everything_lies_inside():
    for line in layout_lines(HISTORY, 10, 180, 80, 12):
        assert all(0 <= x <= 180 and MARGIN <= y <= 80 - MARGIN for x, y in line.points)
        assert 6 <= line.label_y <= 74


@pytest.mark.parametrize("losses", [{"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.01, "c": 0.0}])
def test_no_name_lies_over_the_line_at_the_bottom(losses):
    lines = layout_lines([losses] * 2, 10, 180, 54, 14)
    assert max(line.label_y + 14 / 2 for line in lines) <= 54 - MARGIN


def test_of_steps_that_nobody_saw_nothing_is_drawn():
    (line,) = layout_lines([{}, {}, {"a": 1.0}, {"a": 0.5}], 5, 100, 80, 12)
    assert [x for x, _ in line.points] == [50, 75]


def test_larger_is_higher():
    cluster, transformation, _ = layout_lines(HISTORY[:1], 10, 180, 80, 12)
    assert cluster.points[0][1] < transformation.points[0][1]


def test_a_term_that_is_switched_off_is_a_flat_line():
    (line,) = layout_lines([{"spatial": 0.0}, {"spatial": 0.0}], 5, 100, 80, 12)
    assert line.points[0][1] == line.points[1][1] == 80 - MARGIN


@pytest.mark.parametrize("heights", [[10, 10, 10], [75, 76, 77], [1, 40, 41], [40]])
def test_names_never_overlap_and_keep_their_order(heights):
    placed = spread(heights, 12, 80)
    ordered = sorted(placed)
    assert all(b - a >= 12 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert ordered[0] >= 6
    assert ordered[-1] <= 74
    assert sorted(range(len(heights)), key=lambda i: (heights[i], i)) == sorted(
        range(len(placed)), key=lambda i: placed[i]
    )


@pytest.mark.viewer
def test_it_paints_a_line_for_each_loss(qtbot):
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.resize(260, 84)
    empty = plot.grab().toImage()
    plot.clear(10)
    plot.add(HISTORY[:6])
    drawn = plot.grab().toImage()
    assert drawn != empty
    plot.add(HISTORY[6:])
    assert plot.grab().toImage() != drawn
    plot.clear(10)
    assert plot.grab().toImage() == empty
