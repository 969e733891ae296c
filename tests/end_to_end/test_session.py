"""A person's session with the screen: from the first frame to the summary."""

import signal
import sys
from pathlib import Path

from tests.end_to_end.terminal import SMALL_MODEL, Terminal, events, trainer

LONG = (*SMALL_MODEL, "--steps", "1000000", "--eval-every", "1000", "--sample-every", "500")
ESCAPE = "\x1b"
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"


def start(corpus: Path, *options: str, size: tuple[int, int] = (120, 40)) -> Terminal:
    terminal = Terminal(trainer(corpus, *LONG, *options), corpus.parent, *size)
    terminal.wait_for("RUNNING")
    return terminal


def values(run: Path, name: str) -> list[object]:
    return [event["value"] for event in events(run, "command") if event["name"] == name]


def save_and_change_temperature(terminal: Terminal, run: Path) -> None:
    terminal.press("s")
    terminal.wait_until(lambda: any(e["reason"] == "asked" for e in events(run, "checkpoint")), "checkpoint")
    terminal.press("]")
    terminal.wait_for("T 0.90")
    terminal.press("[")
    terminal.wait_for("T 0.80")
    terminal.wait_until(lambda: values(run, "set_temperature") == [0.9, 0.8], "both temperatures")


def write_samples(terminal: Terminal, run: Path) -> None:
    terminal.press("p")
    terminal.wait_for("Samples go on from this text")
    terminal.press("the red owl")
    terminal.wait_for("the red owl")
    terminal.press("\r")
    terminal.wait_until(lambda: any(e["prompt"] == "the red owl" for e in events(run, "sample")), "sample")
    assert values(run, "set_prompt") == ["the red owl"]
    samples = len(events(run, "sample"))
    terminal.press("g")
    terminal.wait_until(lambda: len(events(run, "sample")) > samples, "one more sample")


def test_a_session_from_the_first_frame_to_the_summary(corpus: Path) -> None:
    run = corpus.parent / "runs" / "woods"
    terminal = start(corpus, size=(80, 24))
    terminal.wait_for("tui-trainer", "woods", "Loss", "Samples")
    assert "quit" in terminal.screen.display[-1], "the screen fills the terminal"

    terminal.press(" ")
    terminal.wait_for("PAUSED")
    steps = len(events(run, "step"))
    terminal.press(".")
    terminal.wait_until(lambda: len(events(run, "step")) == steps + 1, "single step")

    save_and_change_temperature(terminal, run)
    write_samples(terminal, run)
    assert len(events(run, "step")) == steps + 1, "paused means paused"

    terminal.press("?")
    terminal.wait_for("Save a checkpoint", "escape closes")
    terminal.press(ESCAPE)
    terminal.wait_until(lambda: "escape closes" not in terminal.text, "help closed")
    terminal.press(" ")
    terminal.wait_for("RUNNING")
    terminal.press("q")
    terminal.wait_for("Save and quit")
    terminal.press("s")
    assert terminal.wait_for_end() == 0
    assert LEFT_ALTERNATE_SCREEN in terminal.raw
    assert "resumewoods" in terminal.unwrapped
    assert events(run, "state")[-1]["state"] == "stopped"


def test_the_second_ctrl_c_saves_and_quits(corpus: Path) -> None:
    terminal = start(corpus)
    terminal.press("\x03")
    terminal.wait_for("Save and quit")
    terminal.press("\x03")
    terminal.press("\x03")
    assert terminal.wait_for_end() == 0
    assert events(corpus.parent / "runs" / "woods", "checkpoint")[-1]["reason"] == "stopped"


def test_sigterm_saves_and_ends_with_143(corpus: Path) -> None:
    terminal = start(corpus, size=(200, 60))
    assert "quit" in terminal.screen.display[-1], "the screen fills the terminal"
    terminal.process.kill(signal.SIGTERM)
    assert terminal.wait_for_end() == 143
    assert LEFT_ALTERNATE_SCREEN in terminal.raw
    assert events(corpus.parent / "runs" / "woods", "checkpoint")[-1]["reason"] == "stopped"


def test_a_failure_is_shown_and_the_terminal_restored(corpus: Path) -> None:
    breaking = (
        "import tui_trainer.training.step.stepper as stepper, sys\n"
        "def broken(self, *rest): raise RuntimeError('the flux capacitor is empty')\n"
        "stepper.Stepper.take = broken\n"
        "from tui_trainer.cli import main\n"
        f"sys.argv = ['tui-trainer', {str(corpus)!r}, *{list(LONG)}]\n"
        "main()\n"
    )
    terminal = Terminal([sys.executable, "-c", breaking], corpus.parent)
    terminal.wait_for("FAILED", "flux capacitor")
    terminal.press("q")
    assert terminal.wait_for_end() == 1
    assert LEFT_ALTERNATE_SCREEN in terminal.raw
    assert "flux capacitor" in terminal.text
    assert "Traceback" not in terminal.text


def test_a_corpus_from_standard_input_leaves_the_keyboard_to_the_screen(corpus: Path) -> None:
    command = " ".join(map(str, trainer("-", *LONG)))
    terminal = Terminal(["sh", "-c", f"cat {corpus} | {command}"], corpus.parent)
    terminal.wait_for("RUNNING", "stdin")
    terminal.press(" ")
    terminal.wait_for("PAUSED")
    terminal.press("q")
    terminal.wait_for("Save and quit")
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_the_screen_stays_after_the_end_and_escape_sequences_in_a_corpus_are_text(tmp_path: Path) -> None:
    hostile = tmp_path / "[bold]a\x1b]0;owned\x07.txt"
    hostile.write_text("\x1b]0;pwned\x07 [bold]x[/bold] \x1b[31m [/] \u202e" * 400, encoding="utf-8")
    terminal = Terminal(
        trainer(hostile, *SMALL_MODEL, "--steps", "30", "--prompt", "\x1b]0;pwned\x07[/nope]"), tmp_path
    )
    terminal.wait_for("FINISHED", "[bold]a")
    (run,) = (tmp_path / "runs").iterdir()
    samples = len(events(run, "sample"))
    terminal.press("g")
    terminal.wait_until(lambda: len(events(run, "sample")) > samples, "sample of a finished run")
    terminal.press("q")
    assert terminal.wait_for_end() == 0
    assert "finished at step 30 of 30" in terminal.text
    assert b"\x1b]0;pwned" not in terminal.raw
    assert b"\x1b]0;owned" not in terminal.raw
    assert "Traceback" not in terminal.text
