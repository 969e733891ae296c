"""What the charts of each pane plot, and the phase of a schedule in words."""

import pytest

from tests import scripted
from tests.folding import folded
from tests.runs import changed_run
from tui_trainer.analysis.schedules import Schedule
from tui_trainer.run.events import ScheduleChanged
from tui_trainer.ui.charts.layout import render
from tui_trainer.ui.charts.options import ChartOptions
from tui_trainer.ui.charts.plot import Plot
from tui_trainer.ui.panes.chart_pane import Plotter
from tui_trainer.ui.panes.learning_rate import phase, rate_plot
from tui_trainer.ui.panes.loss import LossPane, loss_plot
from tui_trainer.ui.panes.norms import gradient_plot, weight_plot
from tui_trainer.ui.panes.perplexity import perplexity_plot
from tui_trainer.ui.panes.validation import read_validation
from tui_trainer.ui.view import View

RUN = scripted.running()


def test_plots_wait_for_data() -> None:
    for plot in (loss_plot, perplexity_plot, gradient_plot, weight_plot):
        assert plot(View()) is None


def test_the_perplexity_axis_includes_guessing() -> None:
    plot = perplexity_plot(View(folded(RUN).snapshot()))
    assert plot is not None and plot.log and plot.high >= scripted.VOCABULARY
    assert plot.rules[0].label == "guessing 65"


@pytest.mark.parametrize("make", [loss_plot, perplexity_plot])
def test_the_line_of_quick_evaluations_has_a_band_and_the_exact_ones_are_dots(make: Plotter) -> None:
    plot = make(View(folded(RUN).snapshot()))
    assert plot is not None
    band, sampled, exact = (line for line in plot.lines if line.style.startswith("second"))
    assert (band.band, band.style) == (True, "second-dim")
    assert (sampled.dotted, exact.dotted, exact.joined) == (False, True, False)
    assert (band.curve.low < sampled.curve.mean).all() and (sampled.curve.mean < band.curve.high).all()
    assert 40 not in exact.curve.steps and 100 not in sampled.curve.steps
    assert text_of(plot).count("●") == 12


@pytest.mark.parametrize("make", [loss_plot, perplexity_plot])
def test_without_quick_evaluations_the_exact_ones_are_joined(make: Plotter) -> None:
    plot = make(View(folded(event for event in RUN if getattr(event, "part", "") != "sample").snapshot()))
    assert plot is not None
    (exact,) = (line for line in plot.lines if line.style == "second")
    assert exact.dotted and exact.joined and "●" not in text_of(plot)


def text_of(plot: Plot) -> str:
    return "\n".join(render(plot, 120, 30).canvas.plain)


@pytest.mark.parametrize(
    ("step", "words"),
    [(360.0, "val 1.97 ±0.03"), (362.0, "val 1.97 ±0.03"), (400.0, "val 1.904"), (410.0, "val 1.904"), (20.0, "val –")],
)
def test_the_cursor_tells_a_sample_by_its_error(step: float, words: str) -> None:
    view = View(folded(RUN).snapshot(), options=ChartOptions(cursor=step), columns=5_000)
    assert any(each.content.plain == words for each in LossPane().numbers(view))


def test_an_exact_loss_in_the_cursors_column_comes_before_a_samples() -> None:
    view = View(folded(RUN).snapshot(), options=ChartOptions(cursor=430.0), columns=15)
    assert read_validation(view).error is None


def test_a_run_without_clipping_has_no_clip_line() -> None:
    events = [changed_run(scripted.RUN, clip=0.0), scripted.step_event(1)]
    plot = gradient_plot(View(folded(events).snapshot()))
    assert plot is not None and plot.rules == []


def rates(*events: scripted.Event) -> tuple[list[float], list[float]]:
    """The learning rates that are drawn as used, and as planned, from the first on."""
    plot = rate_plot(View(folded(events).snapshot()))
    assert plot is not None
    planned, used = plot.lines
    return used.curve.mean.tolist(), planned.curve.mean.tolist()


def test_the_whole_schedule_is_drawn_from_the_start() -> None:
    plot = rate_plot(View(folded([scripted.RUN]).snapshot()))
    assert plot is not None
    planned, used = plot.lines
    assert (planned.curve.steps[0], planned.curve.steps[-1], plot.start, plot.end) == (1, 5_000, 0, 5_000)
    assert len(used.curve) == 0 and plot.points[0].step == 0
    assert plot.high == scripted.PLAN.lr


def test_past_rates_are_those_of_the_steps() -> None:
    """Not the rates that the schedule of the longer run has for those steps."""
    first = changed_run(scripted.RUN, steps=100, warmup=10, schedule="linear")
    steps = [scripted.step_event(number, lr=number / 1_000) for number in range(1, 101)]
    used, planned = rates(first, *steps, changed_run(first, step=100, steps=400))
    assert used == [number / 1_000 for number in range(1, 101)]
    longer = Schedule("linear", 3e-3, 0.0, 10, 400)
    assert planned == pytest.approx([longer.at(number) for number in range(100, 400)])


def test_the_rates_after_a_rollback_are_drawn_to_its_end() -> None:
    run = changed_run(scripted.RUN, steps=100, warmup=0, schedule="constant", lr=0.1)
    plan = {"schedule": "constant", "lr": 0.1, "min_lr": 0.0, "warmup": 0, "steps": 100}
    reduced = ScheduleChanged(step=40, **plan, factor=0.5, until=60)
    before = [scripted.step_event(number, lr=0.1) for number in range(1, 41)]
    after = [scripted.step_event(number, lr=0.05) for number in range(41, 51)]
    used, planned = rates(run, *before, reduced, *after)
    assert used == [0.1] * 40 + [0.05] * 10
    assert planned == [0.05] * 10 + [0.1] * 40
    last = scripted.step_event(100, lr=0.1)
    assert rates(run, *before, reduced, *after, last) == ([*used, 0.1], [])


@pytest.mark.parametrize(
    ("step", "words"),
    [(0, "warmup 0/100"), (40, "warmup 40/100"), (150, "warmup done"), (4_000, "decaying"), (4_999, "decaying"),
     (5_000, "done")],
)  # fmt: skip
def test_the_phase_of_a_schedule(step: int, words: str) -> None:
    assert phase(Schedule("wsd", 3e-3, 0.0, 100, 5_000), step, "running") == words


def test_the_phase_while_loading_and_after_the_end() -> None:
    plan = Schedule("wsd", 3e-3, 0.0, 100, 5_000)
    assert phase(plan, 5_000, "loading") == ""
    assert phase(plan, 4_000, "finished") == "done"


def test_the_phase_of_a_lower_rate_names_its_end() -> None:
    reduced = Schedule("wsd", 3e-3, 0.0, 100, 5_000, factor=0.5, until=1_340)
    assert phase(reduced, 1_339, "running") == "×0.5 until 1,340"
    assert phase(reduced, 1_340, "running") == "warmup done"


def test_a_constant_schedule_is_steady() -> None:
    assert phase(Schedule("constant", 3e-3, 0.0, 0, 100), 50, "running") == "steady"
    assert phase(Schedule("constant", 3e-3, 0.0, 0, 100), 0, "running") == "steady"
