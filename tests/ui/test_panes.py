"""What each pane says."""

import math
from dataclasses import replace

import pytest
from textual.widgets import Static

from tests import scripted
from tests.driving import Driver, driving
from tests.folding import folded
from tests.runs import changed_run
from tui_trainer.analysis.schedules import Schedule
from tui_trainer.run.events import Activity, Alert, Evaluation, PartialSample, Resources, Sample, ScheduleChanged
from tui_trainer.run.journal import decode, encode
from tui_trainer.state.run_state import RunState, Snapshot
from tui_trainer.ui.clock import RunningClock
from tui_trainer.ui.notifications import notifications
from tui_trainer.ui.panes.learning_rate import phase, rate_plot
from tui_trainer.ui.panes.loss import loss_plot
from tui_trainer.ui.panes.norms import gradient_plot, weight_plot
from tui_trainer.ui.panes.perplexity import perplexity_plot
from tui_trainer.ui.panes.samples import sample_content
from tui_trainer.ui.panes.vitals import pace_rows, rest_rows
from tui_trainer.ui.view import View

RUN = scripted.running()


def snapshot_of(events: list[scripted.Event]) -> Snapshot:
    state = RunState()
    for event in events:
        state.apply(event)
    return state.snapshot()


async def test_titles_show_the_present_numbers() -> None:
    async with driving(RUN) as screen:
        assert "1 Loss ─" in screen.text and "train 1.60  val 1.70  best 1.70 ─╮" in screen.text
        assert "4.96  “fairly confident” ─╮" in screen.text
        assert "3.0e-3  wsd  warmup done ─╮" in screen.text
        assert "grad 0.56  (clip 1)  weight 131 ─╮" in screen.text
        assert "T 0.80  prompt “The ” ─╮" in screen.text


async def test_the_header_tells_the_state_in_words() -> None:
    async with driving(RUN) as screen:
        assert screen.lines[0].split() == [
            *("tui-trainer", "fables", "0.81M", "params", "cpu", "fp32"),
            *("RUNNING", "step", "1,240/5,000", "━━━╸──────────", "24", "%", "2m38s", "left"),
        ]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_header_says_what_a_run_does_that_takes_no_steps(size: tuple[int, int]) -> None:
    async with driving(RUN, size=size) as screen:
        await screen.publish(Activity(step=1_240, doing="validating"))
        assert "24 %  validating…" in screen.text and "left" not in screen.lines[0] + screen.lines[1]
        await screen.publish(Activity(step=1_240, doing=""))
        assert "validating" not in screen.text and "2m38s left" in screen.text


async def test_vitals_while_running() -> None:
    async with driving(RUN) as screen:
        for row in ("Tokens/s    18,286", "Step time   42 ms", "Time left   2m38s", "Best val    1.6974 at step 1,200"):
            assert row in screen.text
        assert "warning  step 700  The gradient was three times its" in screen.text
        assert "1 warning ─╮" in screen.text


@pytest.mark.parametrize(
    ("size", "title"), [((80, 24), "2 errors  1 warning ─╮"), ((120, 40), "2 errors  1 warning  6 info ─╮")]
)
async def test_what_the_title_of_the_vitals_counts_is_what_the_list_has(size: tuple[int, int], title: str) -> None:
    told = [Alert(kind="resume", severity=severity, message="A word.") for severity in ["info"] * 6 + ["error"] * 2]
    async with driving([*RUN, *told], size=size) as screen:
        assert title in screen.text


async def test_vitals_while_loading_list_the_stages() -> None:
    async with driving(scripted.loading()) as screen:
        assert "✓ reading the corpus" in screen.text
        assert "▸ encoding" in screen.text and " 45 %" in screen.text
        assert "LOADING" in screen.lines[0] and "encoding" in screen.lines[0]


async def test_a_failure_is_told_prominently() -> None:
    async with driving(scripted.failed("Out of memory: choose a smaller --batch-size.")) as screen:
        assert "FAILED" in screen.lines[0]
        assert screen.lines[1].startswith(" FAILED  Out of memory: choose a smaller --batch-size.")


def test_vitals_of_a_run_that_knows_nothing_yet_are_dashes() -> None:
    rows = dict([*pace_rows(Snapshot()), *rest_rows(Snapshot())])
    assert rows["Tokens/s"] == rows["Best val"] == rows["Memory"] == "–"


def test_device_memory_is_shown_where_there_is_a_device() -> None:
    resources = Resources(memory_bytes=2**30, device_memory_bytes=3 * 2**30)
    assert ("GPU memory", "3.0 GiB") in rest_rows(replace(snapshot_of(RUN), resources=resources))


def test_losses_that_are_not_finite_are_dashes() -> None:
    lost = Evaluation(train_loss=None, val_loss=None, perplexity=None, bits_per_byte=None, best=True)
    rows = dict(rest_rows(snapshot_of([lost])))
    assert rows["Best val"] == "– at step 0" and rows["Bits/byte"] == "–"


async def test_the_sample_being_written_stands_on_top() -> None:
    async with driving(RUN) as screen:
        assert screen.text.index("step 1,240  T 0.80  writing…") < screen.text.index("step 1,000  T 0.80")
        await screen.publish(scripted.sample_event(1_240, "cheese was gone."))
        assert "writing…" not in screen.text and "The cheese was gone." in screen.text


async def test_the_place_of_the_samples_is_never_silent() -> None:
    async with driving(scripted.running(3)[:-1], answer=False) as screen:
        assert "Samples appear here as the model learns." in screen.text
        await screen.press("g")
        assert "A sample begins as soon as the step ends…" in screen.text
        screen.session.reply(screen.commands[0])
        await screen.settle()
        assert "A sample begins" not in screen.text and "The wolf was hungry." in screen.text


def test_a_prompt_is_distinguished_from_what_follows() -> None:
    content = sample_content(Sample(prompt="Once", text=" upon", temperature=0.5, top_k=0, seed=0, step=3))
    assert content.plain == "step 3  T 0.50\nOnce upon"
    assert {content.plain[span.start : span.end]: span.style for span in content.spans}["Once"] == "bold underline"


async def test_what_is_being_read_stays_in_place_while_samples_arrive() -> None:
    async with driving(RUN, size=(80, 24)) as screen:
        await screen.press("5", "down", "down", "down")
        samples = screen.app.main_screen.pane(5)
        await screen.pilot.pause()
        above = samples.max_scroll_y - samples.scroll_offset.y
        await screen.publish(scripted.sample_event(1_241, "new sample that is long enough to wrap at least once."))
        await screen.pilot.pause()
        assert samples.max_scroll_y - samples.scroll_offset.y == above


async def test_a_reader_at_the_top_sees_the_newest() -> None:
    async with driving(RUN, size=(80, 24)) as screen:
        await screen.publish(scripted.sample_event(1_241, "newest."))
        assert screen.app.main_screen.pane(5).scroll_offset.y == 0
        assert "The newest." in screen.text


async def test_an_error_in_a_pane_stays_in_that_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    async with driving(RUN) as screen:
        vitals = screen.app.main_screen.pane(6)

        def broken(*_: object) -> None:
            raise ZeroDivisionError("[/] oh dear")

        with monkeypatch.context() as patch:
            patch.setattr(vitals, "draw", broken)
            await screen.settle()
            assert "cannot draw: ZeroDivisionError('[/] oh dear')" in screen.text
        await screen.settle()
        assert "cannot draw" not in screen.text


async def test_an_error_in_a_chart_stays_in_that_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oh dear")

    monkeypatch.setattr("tui_trainer.ui.charts.layout.render", broken)
    async with driving(RUN) as screen:
        assert "cannot draw: ZeroDivisionError('oh dear')" in screen.text
        assert "18,286" in screen.text


def test_plots_wait_for_data() -> None:
    for plot in (loss_plot, perplexity_plot, gradient_plot, weight_plot):
        assert plot(View()) is None


def test_perplexity_reaches_up_to_guessing() -> None:
    plot = perplexity_plot(View(snapshot_of(RUN)))
    assert plot is not None and plot.log and plot.high >= scripted.VOCABULARY
    assert plot.rules[0].label == "guessing 65"


def test_a_run_without_clipping_has_no_clip_line() -> None:
    events = [changed_run(scripted.RUN, clip=0.0), scripted.step_event(1)]
    plot = gradient_plot(View(snapshot_of(events)))
    assert plot is not None and plot.rules == []


def rates(*events: scripted.Event) -> tuple[list[float], list[float]]:
    """The learning rates that are drawn as used, and as planned, from the first on."""
    plot = rate_plot(View(snapshot_of(list(events))))
    assert plot is not None
    planned, used = plot.lines
    return used.curve.mean.tolist(), planned.curve.mean.tolist()


def test_the_whole_schedule_is_drawn_from_the_start() -> None:
    plot = rate_plot(View(snapshot_of([scripted.RUN])))
    assert plot is not None
    planned, used = plot.lines
    assert (planned.curve.steps[0], planned.curve.steps[-1], plot.start, plot.end) == (1, 5_000, 0, 5_000)
    assert len(used.curve) == 0 and plot.marks[0].step == 0
    assert plot.high == scripted.PLAN.lr


def test_the_rates_of_the_past_are_those_that_were_used() -> None:
    """Not those that the plan of a longer run would have had there."""
    first = changed_run(scripted.RUN, steps=100, warmup=10, schedule="linear")
    steps = [scripted.step_event(number, lr=number / 1_000) for number in range(1, 101)]
    used, planned = rates(first, *steps, changed_run(first, step=100, steps=400))
    assert used == [number / 1_000 for number in range(1, 101)]
    longer = Schedule("linear", 3e-3, 0.0, 10, 400)
    assert planned == pytest.approx([longer.at(number) for number in range(100, 400)])


def test_a_rollback_is_drawn_where_it_was_and_as_far_as_it_will_hold() -> None:
    run = changed_run(scripted.RUN, steps=100, warmup=0, schedule="constant", lr=0.1)
    plan = {"schedule": "constant", "lr": 0.1, "min_lr": 0.0, "warmup": 0, "steps": 100}
    eased = ScheduleChanged(step=40, **plan, factor=0.5, until=60)
    before = [scripted.step_event(number, lr=0.1) for number in range(1, 41)]
    after = [scripted.step_event(number, lr=0.05) for number in range(41, 51)]
    used, planned = rates(run, *before, eased, *after)
    assert used == [0.1] * 40 + [0.05] * 10
    assert planned == [0.05] * 10 + [0.1] * 40
    last = scripted.step_event(100, lr=0.1)
    assert rates(run, *before, eased, *after, last) == ([*used, 0.1], [])


@pytest.mark.parametrize(
    ("step", "words"),
    [(0, "warmup 0/100"), (40, "warmup 40/100"), (150, "warmup done"), (4_000, "decaying"), (4_999, "decaying"),
     (5_000, "done")],
)  # fmt: skip
def test_the_schedule_says_where_it_is(step: int, words: str) -> None:
    assert phase(Schedule("wsd", 3e-3, 0.0, 100, 5_000), step, "running") == words


def test_a_run_that_may_get_another_plan_or_has_stopped_early_says_no_phase_of_this_one() -> None:
    plan = Schedule("wsd", 3e-3, 0.0, 100, 5_000)
    assert phase(plan, 5_000, "loading") == ""
    assert phase(plan, 4_000, "finished") == "done"


def test_a_lower_rate_after_a_rollback_is_told_with_its_end() -> None:
    eased = Schedule("wsd", 3e-3, 0.0, 100, 5_000, factor=0.5, until=1_340)
    assert phase(eased, 1_339, "running") == "×0.5 until 1,340"
    assert phase(eased, 1_340, "running") == "warmup done"


def test_a_constant_schedule_is_steady() -> None:
    assert phase(Schedule("constant", 3e-3, 0.0, 0, 100), 50, "running") == "steady"
    assert phase(Schedule("constant", 3e-3, 0.0, 0, 100), 0, "running") == "steady"


def test_news_tell_alerts_checkpoints_and_the_end_once() -> None:
    before = snapshot_of(RUN)
    alert = Alert(kind="loss", severity="error", message="The loss is not finite.")
    now = snapshot_of([*RUN, alert, scripted.StateChanged(state="finished", step=1_240)])
    assert [item.message for item in notifications(before, now, saving=False)] == [
        "The loss is not finite.",
        "Finished after 1,240 steps. g writes samples, s saves, q leaves.",
    ]
    assert list(notifications(now, now, saving=False)) == []


def test_that_others_train_is_told_at_once_though_nothing_is_wrong() -> None:
    others = Alert(kind="other_runs", severity="info", message="Another run trains on this machine: owls (pid 1).")
    resumed = Alert(kind="resume", severity="info", message="Resumed at step 3, exactly as it was saved.")
    before, now = snapshot_of(scripted.loading()), snapshot_of([*scripted.loading(), others, resumed])
    assert [(item.message, item.severity) for item in notifications(before, now, saving=False)] == [
        (others.message, "information")
    ]


def test_the_past_of_a_run_that_was_joined_is_no_news() -> None:
    assert list(notifications(Snapshot(), snapshot_of(scripted.finished()), saving=False)) == []


def test_time_goes_on_during_a_long_step() -> None:
    now = [0.0]
    clock = RunningClock(now=lambda: now[0])
    running = replace(snapshot_of(RUN), elapsed=50.0, seconds_left=10.0)
    assert clock.advance(running).elapsed == 50.0
    now[0] = 4.0
    later = clock.advance(running)
    assert (later.elapsed, later.seconds_left) == (54.0, 6.0)
    assert clock.advance(replace(running, state="paused")).elapsed == 50.0


def written(screen: Driver) -> list[str]:
    """The samples in their pane, from the top."""
    return [str(text.content) for text in screen.app.main_screen.pane(5).query(".sample").results(Static)]


async def test_what_is_recalled_is_not_written_twice() -> None:
    """As after a reconnect: the same samples as other objects, and those that were missed."""
    events = scripted.running(600)
    async with driving(events) as screen:
        before = written(screen)
        screen.session.replace_state(folded([decoded for event in events if (decoded := decode(encode(event)))]))
        await screen.publish(scripted.step_event(601))
        assert written(screen) == before and len(before) == 2
        missed = scripted.sample_event(602, "missed")
        screen.session.replace_state(folded([*events, missed]))
        await screen.publish(scripted.step_event(603))
        assert written(screen) == [sample_content(missed).plain, *before]


async def test_a_sample_that_a_resume_takes_again_is_written_once_and_one_it_undoes_not_at_all() -> None:
    again = scripted.sample_event(500, scripted.WRITTEN[500])
    async with driving(scripted.running(800)) as screen:
        assert len(written(screen)) == 3
        screen.session.replace_state(folded(scripted.running(600)))
        await screen.publish(replace(again, time=again.time + 1_000))
        assert [text.splitlines()[0] for text in written(screen)] == ["step 500  T 0.80", "step 250  T 0.80"]


def test_a_partial_sample_is_marked_by_a_word() -> None:
    content = sample_content(PartialSample(prompt="", text="Onc", temperature=1.0, step=1))
    assert content.plain == "step 1  T 1.00  writing…\nOnc▌"


async def test_a_run_that_diverges_is_drawn() -> None:
    events = [*scripted.running(20)]
    for step, loss in ((21, math.inf), (22, 1e9), (23, None)):
        events.append(scripted.step_event(step, loss=loss, grad_norm=loss, weight_norm=loss))
    async with driving(events) as screen:
        assert "cannot draw" not in screen.text
