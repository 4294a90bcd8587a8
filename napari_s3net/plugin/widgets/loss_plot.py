"""A small plot of the losses: one thin line each, named at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

#: Told apart in light and dark themes and by colour-blind people; the names at the ends say it as well.
COLOURS = ("#2a9df4", "#e08a1e", "#2bb58a", "#c678b4")
MARGIN = 6.0
LABEL_GAP = 5.0


@dataclass(frozen=True)
class Line:
    """One loss, ready to be drawn: its name, its points in the widget's pixels, and the height of its name."""

    name: str
    points: tuple[tuple[float, float], ...]
    label_y: float


def layout_lines(
    history: Sequence[Mapping[str, float]], total: int, width: float, height: float, line_height: float
) -> tuple[Line, ...]:
    """Place the lines in a field of `width` × `height` pixels.

    Parameters
    ----------
    history : sequence of mapping
        The losses of each iteration so far; of one that nobody saw there are none, and a line begins after it.
    total : int
        Iterations at most: the right end of the field, so that lines grow and never squeeze.
    width, height : float
        Of the field without the names.
    line_height : float
        Least distance between two names, in pixels.

    Returns
    -------
    tuple of Line
        One for each loss of the newest iteration, on one scale from 0 to the largest loss so far; y points down. Names
        end above the line at the bottom, which stands for 0.
    """
    names = list(history[-1]) if history else []
    top = max((value for losses in history for value in losses.values()), default=0.0) or 1.0
    step = width / max(total - 1, 1)

    def y(value: float) -> float:
        return MARGIN + (height - 2 * MARGIN) * (1 - min(max(value / top, 0.0), 1.0))

    points = {
        name: tuple((i * step, y(losses[name])) for i, losses in enumerate(history) if name in losses) for name in names
    }
    places = spread([points[name][-1][1] for name in names], line_height, height - MARGIN)
    return tuple(Line(name, points[name], place) for name, place in zip(names, places, strict=True))


def spread(heights: Sequence[float], gap: float, height: float) -> list[float]:
    """Move heights apart, so that names beside them do not overlap; their order stays.

    Parameters
    ----------
    heights : sequence of float
        Where each would like to be, in pixels from the top.
    gap : float
        Least distance between two.
    height : float
        Of the field in which all have to lie.

    Returns
    -------
    list of float
        A height for each; where there is not room for all, the last ones lie below the field.
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed: list[float] = []
    for n, i in enumerate(order):
        lowest = placed[-1] + gap if placed else gap / 2
        room_below = height - gap / 2 - gap * (len(order) - 1 - n)
        placed.append(min(max(heights[i], lowest), max(room_below, lowest)))
    result = [0.0] * len(heights)
    for i, place in zip(order, placed, strict=True):
        result[i] = place
    return result


class LossPlot(QWidget):
    """The losses so far; draws what it is given and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._history: list[Mapping[str, float]] = []
        self._total = 1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMaximumHeight(84)
        self.setAccessibleName("Losses")
        self.setToolTip(
            "What the network minimises. cluster: each pixel belongs to one cluster. transformation: labels move with "
            "the image. spatial: neighbours of similar colour agree. All three settle when the labels do."
        )

    def sizeHint(self) -> QSize:
        """For Qt: the wanted size.

        Returns
        -------
        QSize
            240 × 54 pixels.
        """
        return QSize(240, 54)

    def clear(self, total: int) -> None:
        """Begin a plot of at most `total` iterations.

        Parameters
        ----------
        total : int
            The most iterations that may come.
        """
        self._history, self._total = [], total
        self.update()

    def add(self, history: Sequence[Mapping[str, float]]) -> None:
        """Add the losses of the newest iterations.

        Parameters
        ----------
        history : sequence of mapping
            One mapping an iteration, from a loss's name to its value.
        """
        self._history.extend(history)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """For Qt: draw a line for each loss."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(self.foregroundRole())
        frame = QColor(text)
        frame.setAlpha(50)
        names = self._history[-1] if self._history else {}
        metrics = painter.fontMetrics()
        names_width = max((metrics.horizontalAdvance(name) for name in names), default=0)
        width = self.width() - names_width - 2 * LABEL_GAP - MARGIN
        painter.setPen(QPen(frame, 1))
        painter.drawLine(QPointF(MARGIN, self.height() - MARGIN), QPointF(MARGIN + width, self.height() - MARGIN))
        lines = layout_lines(self._history, self._total, width, self.height(), metrics.height() * 0.95)
        for line, colour in zip(lines, COLOURS * 2, strict=False):
            self._draw(painter, line, QColor(colour), text)
        painter.end()

    def _draw(self, painter: QPainter, line: Line, colour: QColor, text: QColor) -> None:
        """One line, a dot at its end, and its name beside it."""
        painter.setPen(QPen(colour, 1.6))
        painter.drawPolyline(QPolygonF([QPointF(MARGIN + x, y) for x, y in line.points]))
        x, y = line.points[-1]
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(MARGIN + x, y), 1.8, 1.8)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour.lighter(130) if text.lightness() > 128 else colour.darker(140)))
        height = painter.fontMetrics().height()
        place = QRectF(MARGIN + x + LABEL_GAP, line.label_y - height / 2, self.width(), height)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line.name)
