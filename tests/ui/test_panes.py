"""What each pane and the header show."""

import math
from dataclasses import replace

import pytest
from textual.widgets import Static

from tests import scripted
from tests.driving import Driver, driving
from tests.folding import folded
from tests.runs import changed_run
from tui_trainer.run.codec import decode, encode
from tui_trainer.run.events import Activity, Alert, Evaluation, PartialSample, Resources, Sample
from tui_trainer.state.pace import TimeLeft
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.clock import RunningClock
from tui_trainer.ui.panes.samples import sample_content
from tui_trainer.ui.panes.vitals import detail_rows, progress_rows

RUN = scripted.running()


async def test_titles_show_the_present_numbers() -> None:
    async with driving(RUN) as screen:
        assert "1 Loss ─" in screen.text and "train 1.60  val 1.70  best 1.70 ─╮" in screen.text
        assert "train 4.96  val 5.46  fairly confident ─╮" in screen.text
        assert "3.0e-3  wsd  warmup done ─╮" in screen.text
        assert "grad 0.56  (clip 1)  weight 131 ─╮" in screen.text
        assert "T 0.80  prompt “The ” ─╮" in screen.text


async def test_the_header_shows_the_state_in_words() -> None:
    async with driving(RUN) as screen:
        assert screen.lines[0].split() == [
            *("tui-trainer", "fables", "0.81M", "params", "cpu", "fp32"),
            *("RUNNING", "step", "1,240/5,000", "━━━╸──────────", "24", "%", "2m38s", "left"),
        ]


async def test_the_header_tells_runs_of_one_corpus_apart() -> None:
    run = changed_run(scripted.RUN, run="fables-2")
    async with driving([run, scripted.StateChanged(state="running")], size=(140, 40)) as screen:
        assert screen.lines[0].split()[:4] == ["tui-trainer", "fables-2", "fables", "0.81M"]
        await screen.resize(50, 24)
        assert "fables-2 " in screen.lines[0] and "fables " not in screen.lines[0]


async def test_the_perplexity_in_words_is_that_of_the_validation_text() -> None:
    overfitted = replace(scripted.evaluation_event(1_240), val_loss=math.log(310))
    async with driving([*RUN, overfitted]) as screen:
        assert "train 4.96  val 310  very confused ─╮" in screen.text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_header_shows_the_activity_of_a_run_between_steps(size: tuple[int, int]) -> None:
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
async def test_the_title_of_the_vitals_counts_the_alerts_listed(size: tuple[int, int], title: str) -> None:
    alerts = [Alert(kind="resume", severity=severity, message="A word.") for severity in ["info"] * 6 + ["error"] * 2]
    async with driving([*RUN, *alerts], size=size) as screen:
        assert title in screen.text


async def test_vitals_while_loading_list_the_stages() -> None:
    async with driving(scripted.loading()) as screen:
        assert "✓ reading the corpus" in screen.text
        assert "▸ encoding" in screen.text and " 45 %" in screen.text
        assert "LOADING" in screen.lines[0] and "encoding" in screen.lines[0]


async def test_a_failure_is_shown_in_a_banner() -> None:
    async with driving(scripted.failed("Out of memory: choose a smaller --batch-size.")) as screen:
        assert "FAILED" in screen.lines[0]
        assert screen.lines[1].startswith(" FAILED  Out of memory: choose a smaller --batch-size.")


def test_vitals_that_are_not_known_yet_are_dashes() -> None:
    rows = dict([*progress_rows(Snapshot()), *detail_rows(Snapshot())])
    assert rows["Tokens/s"] == rows["Best val"] == rows["Memory"] == "–"


def test_device_memory_is_shown_where_there_is_a_device() -> None:
    resources = Resources(memory_bytes=2**30, device_memory_bytes=3 * 2**30)
    assert ("GPU memory", "3.0 GiB") in detail_rows(replace(folded(RUN).snapshot(), resources=resources))


def test_losses_that_are_not_finite_are_dashes() -> None:
    lost = Evaluation(train_loss=None, val_loss=None, perplexity=None, bits_per_byte=None, best=True)
    rows = dict(detail_rows(folded([lost]).snapshot()))
    assert rows["Best val"] == "– at step 0" and rows["Bits/byte"] == "–"


async def test_the_sample_being_generated_is_on_top() -> None:
    async with driving(RUN) as screen:
        assert screen.text.index("step 1,240  T 0.80  writing…") < screen.text.index("step 1,000  T 0.80")
        await screen.publish(scripted.sample_event(1_240, "cheese was gone."))
        assert "writing…" not in screen.text and "The cheese was gone." in screen.text


async def test_the_samples_pane_says_why_it_is_empty() -> None:
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


async def test_the_scroll_position_is_kept_while_samples_arrive() -> None:
    async with driving(RUN, size=(80, 24)) as screen:
        await screen.press("5", "down", "down", "down")
        samples = screen.app.main_screen.pane(5)
        await screen.pilot.pause()
        above = samples.max_scroll_y - samples.scroll_offset.y
        await screen.publish(scripted.sample_event(1_241, "new sample that is long enough to wrap at least once."))
        await screen.pilot.pause()
        assert samples.max_scroll_y - samples.scroll_offset.y == above


async def test_at_the_top_the_newest_sample_is_shown() -> None:
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


def test_the_clock_advances_during_a_long_step() -> None:
    now = [0.0]
    clock = RunningClock(now=lambda: now[0])
    running = replace(folded(RUN).snapshot(), elapsed=50.0, time_left=TimeLeft(10.0, 8.0, 12.0))
    assert clock.advance(running).elapsed == 50.0
    now[0] = 4.0
    later = clock.advance(running)
    assert (later.elapsed, later.time_left) == (54.0, TimeLeft(6.0, 4.0, 8.0))
    assert clock.advance(replace(running, state="paused")).elapsed == 50.0


def shown_samples(screen: Driver) -> list[str]:
    """The samples in their pane, from the top."""
    return [str(text.content) for text in screen.app.main_screen.pane(5).query(".sample").results(Static)]


async def test_a_replaced_state_shows_no_sample_twice() -> None:
    """As after a reconnect: the same samples as other objects, and those that were missed."""
    events = scripted.running(600)
    async with driving(events) as screen:
        before = shown_samples(screen)
        screen.session.replace_state(folded([decoded for event in events if (decoded := decode(encode(event)))]))
        await screen.publish(scripted.step_event(601))
        assert shown_samples(screen) == before and len(before) == 2
        missed = scripted.sample_event(602, "missed")
        screen.session.replace_state(folded([*events, missed]))
        await screen.publish(scripted.step_event(603))
        assert shown_samples(screen) == [sample_content(missed).plain, *before]


async def test_a_resume_shows_a_repeated_sample_once_and_a_superseded_one_not() -> None:
    again = scripted.sample_event(500, scripted.WRITTEN[500])
    async with driving(scripted.running(800)) as screen:
        assert len(shown_samples(screen)) == 3
        screen.session.replace_state(folded(scripted.running(600)))
        await screen.publish(replace(again, time=again.time + 1_000))
        assert [text.splitlines()[0] for text in shown_samples(screen)] == ["step 500  T 0.80", "step 250  T 0.80"]


def test_a_partial_sample_is_marked_by_a_word() -> None:
    content = sample_content(PartialSample(prompt="", text="Onc", temperature=1.0, step=1))
    assert content.plain == "step 1  T 1.00  writing…\nOnc▌"


async def test_a_run_that_diverges_is_drawn() -> None:
    events = [*scripted.running(20)]
    for step, loss in ((21, math.inf), (22, 1e9), (23, None)):
        events.append(scripted.step_event(step, loss=loss, grad_norm=loss, weight_norm=loss))
    async with driving(events) as screen:
        assert "cannot draw" not in screen.text
