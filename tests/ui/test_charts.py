"""Charts: ticks, limits, decimation, and that they are drawn at every size with every kind of data."""

import math
from itertools import pairwise

import numpy as np
import pytest

from tui_trainer.history.curve import Curve, exact_curve
from tui_trainer.history.history import History
from tui_trainer.ui.charts import axes
from tui_trainer.ui.charts.layout import Drawing, message, render
from tui_trainer.ui.charts.plot import Line, Plot, Point, Rule
from tui_trainer.ui.charts.series import between, clipped, envelope, mean_line, quantile_limits, spaced_indexes
from tui_trainer.ui.view import CURVE_POINTS


def series(values: list[float | None]) -> Curve:
    history = History()
    for step, value in enumerate(values, 1):
        history.add(step, {"metric": value})
    return history.window("metric", 0, len(values), CURVE_POINTS)


def plot_of(values: list[float | None], log: bool = False) -> Plot:
    curve = series(values)
    finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0]
    lines = [Line(curve, "raw", band=True), Line(curve, "bright", dotted=True)]
    rules, points = [Rule(max(finite), "top")], [Point(1, finite[0], "here")]
    return Plot(0, len(values), min(finite), max(finite), lines, rules, points, log=log)


def text(drawing: Drawing) -> str:
    return "\n".join(drawing.canvas.plain)


def labels(scale: axes.Scale) -> list[str]:
    return [label for _, label in scale.ticks]


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (1.4, 4.6, 4, ["1", "2", "3", "4", "5"]),
        (1.42, 1.58, 4, ["1.40", "1.45", "1.50", "1.55", "1.60"]),
        (0, 3e-3, 4, ["0", "1e-3", "2e-3", "3e-3"]),
        (0, 2.5e-3, 6, ["0", "5e-4", "1e-3", "1.5e-3", "2e-3", "2.5e-3"]),
        (100, 1450, 3, ["0", "500", "1k", "1.5k"]),
        (-1, 1, 2, ["-1", "0", "1"]),
    ],
)
def test_linear_ticks_are_few_and_round(low: float, high: float, count: int, expected: list[str]) -> None:
    assert labels(axes.linear_scale(low, high, count)) == expected


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (5, 65, 4, ["5", "10", "20", "50"]),
        (5, 65, 3, ["10", "30"]),
        (2, 60_000, 5, ["10", "100", "1k", "10k"]),
        (1, 1, 5, ["0.7", "1"]),
    ],
)
def test_log_ticks(low: float, high: float, count: int, expected: list[str]) -> None:
    assert labels(axes.log_scale(low, high, count)) == expected


@pytest.mark.parametrize("end", [1, 7, 50, 1_240, 98_765, 4_000_000])
@pytest.mark.parametrize("width", [20, 51, 92, 190])
def test_step_ticks_do_not_collide(end: int, width: int) -> None:
    places = axes.step_ticks(0, end, width)
    for (here, label), (there, _) in pairwise(places):
        assert (there - here) / end * width > len(label) + 1


@pytest.mark.parametrize("magnitude", [1e-8, 1e-3, 1.0, 1e3, 1e6, 1e12, 1e30])
def test_labels_fit_their_column(magnitude: float) -> None:
    for count in range(1, 9):
        for scale in (axes.linear_scale(0, magnitude, count), axes.log_scale(magnitude / 50, magnitude, count)):
            assert all(len(label) <= axes.LABEL_WIDTH for label in labels(scale))


@pytest.mark.parametrize("value", [0.0, 1.62, 1e-12, -5.0, 1e30])
def test_a_constant_gets_an_axis(value: float) -> None:
    scale = axes.linear_scale(value, value, 4)
    assert scale.low < value < scale.high


@pytest.mark.parametrize("columns", [5, 17, 60, 200])
def test_a_spike_of_one_step_survives_decimation(columns: int) -> None:
    values: list[float | None] = [1.0] * 5_000
    values[3_333], values[1_111] = 9.0, -9.0
    points = np.concatenate([y for _, y in envelope(series(values), 0, 5_000, columns)])
    assert points.max() == 9.0 and points.min() == -9.0
    assert len(points) <= 2 * (columns + 1)


def test_few_points_are_drawn_as_they_are() -> None:
    curve = series([3.0, 2.0, 1.0])
    [(x, y)] = envelope(curve, 0, 3, 50)
    assert x.tolist() == [1, 2, 3] and y.tolist() == [3, 2, 1]


def test_the_mean_line_passes_over_gaps() -> None:
    x, y = mean_line(series([1.0, None, 3.0, None]), 0, 4, 2)
    assert len(x) == len(y)
    assert np.nanmax(y) == 3.0


def test_a_line_that_leaves_the_chart_is_cut_where_it_leaves() -> None:
    values = np.array([9.0, 9.0, 9.0, 2.0, 1.0, math.nan, math.inf])
    kept = clipped(values, 0, 4)
    assert np.isnan(kept[:2]).all()
    assert kept[2:5].tolist() == [4.0, 2.0, 1.0]
    assert np.isnan(kept[5:]).all()


def test_a_plateau_at_the_limit_is_drawn_although_its_mean_is_rounded() -> None:
    values = np.full(5, np.nextafter(0.003, 1))
    assert clipped(values, 0, 0.003).tolist() == [0.003] * 5


def test_rare_spikes_and_the_steep_beginning_do_not_set_the_limits() -> None:
    falling = series([10.0] * 50 + [2.0] * 949 + [50.0])
    low, high = quantile_limits(between(falling, 100, 1_000))
    assert (low, high) == (2.0, 2.0)


def test_dots_are_spaced_and_mark_the_end() -> None:
    steps = np.arange(0.0, 100.0)
    chosen = spaced_indexes(steps, 30)
    assert chosen == [99, 69, 39, 9]


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 1), (1, 2), (3, 2), (7, 3), (24, 5), (25, 4), (51, 9), (93, 17), (300, 100)]
)
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values",
    [
        [4.0 - 0.01 * step for step in range(300)],
        [1.0],
        [2.5] * 40,
        [None, math.nan, 1.0, math.inf, -math.inf, 3.0],
        [0.0, -1.0, 0.0, 5.0],
        [1e-300, 1e300, -1e300],
    ],
    ids=["falling", "one", "constant", "gaps", "zero", "huge"],
)
def test_every_chart_has_the_size_requested(size: tuple[int, int], log: bool, values: list[float | None]) -> None:
    width, height = size
    lines = render(plot_of(values, log), width, height).canvas.plain
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_without_room_nothing_is_drawn(size: tuple[int, int]) -> None:
    assert text(render(plot_of([1.0, 2.0]), *size)).strip() == ""


def test_without_data_the_chart_is_empty() -> None:
    empty = exact_curve(np.empty(0), np.empty(0))
    picture = render(Plot(0, 10, 0, 1, [Line(empty, "bright"), Line(empty, "raw", band=True)]), 40, 8)
    assert "┤" in text(picture)


def test_the_plot_keeps_its_left_edge_as_numbers_change() -> None:
    edges = set()
    for scale in (1e-3, 1.0, 1e3, 1e6):
        picture = render(plot_of([scale, 2 * scale, 3 * scale]), 60, 12)
        edges.add(picture.canvas.plain[-2].index("└"))
    assert edges == {axes.LABEL_WIDTH}


def test_a_rule_shows_its_label() -> None:
    falling = Line(series([80.0 - 0.7 * step for step in range(100)]), "bright")
    plot = Plot(0, 100, 5, 80, [falling], [Rule(65, "guessing 65")])
    row = next(line for line in render(plot, 60, 12).canvas.plain if "guessing" in line)
    assert "╌ guessing 65 ╌" in row


def test_a_message_is_centred_and_cut_to_the_room() -> None:
    assert message("hello", 11, 3).canvas.plain == [" " * 11, "   hello   ", " " * 11]
    assert message("hello", 2, 2).canvas.plain == ["he", "ll"]
    assert message("hello", 0, 0).canvas.plain == []
