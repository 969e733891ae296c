"""Marks at the edges of a chart for what it has no room for; the axis of steps, tokens or time."""

import numpy as np

from tui_trainer.history.curve import exact_curve
from tui_trainer.ui.charts.axes import time_ticks
from tui_trainer.ui.charts.layout import render
from tui_trainer.ui.charts.options import TIME, TOKENS
from tui_trainer.ui.charts.plot import Flag, Line, Plot
from tui_trainer.ui.charts.step_axis import StepAxis

STEPS = np.arange(1.0, 1_001.0)


def drawn(values: np.ndarray, low: float, high: float, **changes: object) -> list[str]:
    plot = Plot(0, 1_000, low, high, [Line(exact_curve(STEPS, values), "raw", band=True)], **changes)  # type: ignore[arg-type]
    return render(plot, 70, 12).canvas.plain


def test_a_spike_has_its_value_at_the_upper_edge() -> None:
    values = np.full(1_000, 2.0)
    values[500] = 9.31
    top = drawn(values, 1.5, 2.5)[0]
    assert top.index("▲9.31") == 7 + 63 // 2 or top.index("▲9.31") == 7 + 63 // 2 - 1


def test_what_is_too_small_has_its_value_at_the_lower_edge() -> None:
    values = np.full(1_000, 2.0)
    values[900] = 0.01
    assert any("▼0.01" in line for line in drawn(values, 1.5, 2.5))


def test_a_value_at_the_right_edge_is_not_cut() -> None:
    values = np.full(1_000, 2.0)
    values[-1] = 123.0
    assert drawn(values, 1.5, 2.5)[0].endswith("▲123")


def test_of_spikes_too_near_the_greatest_keeps_its_value() -> None:
    values = np.full(1_000, 2.0)
    values[500], values[540] = 8.0, 9.0
    top = drawn(values, 1.5, 2.5)[0]
    assert "▲9.00" in top and "▲8.00" not in top


def test_what_fits_has_no_mark() -> None:
    assert not any("▲" in line or "▼" in line for line in drawn(np.linspace(1, 2, 1_000), 1, 2))


def test_on_a_logarithmic_scale_the_value_itself_is_told() -> None:
    values = np.full(1_000, 2.0)
    values[500] = 5_000.0
    assert "▲5.0K" in drawn(values, 1, 10, log=True)[0]


def test_flags_are_on_the_axis_and_the_most_important_wins() -> None:
    flags = [Flag(500, "!", priority=4), Flag(500, "e"), Flag(900, "c", priority=1)]
    drawing = render(Plot(0, 1_000, 1, 2, flags=flags), 70, 12)
    assert [letter for letter in drawing.canvas.plain[-2] if letter in "!ec"] == ["!", "c"]
    assert drawing.letters == {"!", "c"}


def test_steps_lie_where_their_tokens_are() -> None:
    positions = exact_curve(np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 20.0, 60.0, 100.0]))
    axis = StepAxis.of(Plot(0, 4, 0, 1, unit=TOKENS, positions=positions), 50)
    assert axis.scale.high == 100 and axis.at(np.array([2.5]))[0] == 40
    assert axis.step_at(1.0) == 4 and axis.at(np.array([5.0]))[0] > 100


def test_gaps_in_what_is_known_of_the_time_are_bridged() -> None:
    positions = exact_curve(np.array([1.0, 2.0, 3.0]), np.array([10.0, np.nan, 30.0]))
    assert StepAxis.of(Plot(0, 3, 0, 1, unit=TIME, positions=positions), 50).at(np.array([2.0]))[0] == 20


def test_ticks_of_time_are_round() -> None:
    assert [label for _, label in time_ticks(0, 100, 60)] == ["0", "30s", "1m", "1m30"]
    assert [label for _, label in time_ticks(0, 4 * 3_600, 60)] == ["0", "1h", "2h", "3h", "4h"]
    assert [label for _, label in time_ticks(0, 20 * 86_400, 60)][:3] == ["0", "5d", "10d"]
