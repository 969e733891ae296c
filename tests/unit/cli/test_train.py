"""The commands train and resume."""

import io
import sys
from pathlib import Path

import pytest

from tests.unit.cli.program import SMALL, TEXT, Program
from tests.unit.run import journals
from tui_trainer.config import Config
from tui_trainer.run.events import RunStarted, Step
from tui_trainer.training.local import LocalSession


def test_train_is_the_default_command(program: Program, corpus: Path, runs: Path) -> None:
    short, long = program(corpus, *SMALL), program("train", corpus, *SMALL)
    assert (short.status, short.err) == (long.status, long.err) == (0, "")
    assert {path.name for path in runs.iterdir()} == {"cats", "cats-2"}
    losses = [
        [event.loss for event in journals.read(runs / name / "journal.jsonl") if isinstance(event, Step)]
        for name in ("cats", "cats-2")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_the_summary_after_a_run(program: Program, corpus: Path, runs: Path) -> None:
    out = program(corpus, *SMALL).out
    assert "run cats: " in out
    assert "finished: all steps taken" in out
    assert "\ncats: finished at step 6 of 6 after " in out
    assert "Go on with:\n  tui-trainer resume cats --again\n" in out


def test_options_before_or_after_the_corpus(program: Program, corpus: Path, runs: Path) -> None:
    assert program(*SMALL, corpus).status == 0
    assert program("--headless", *SMALL, "--name=other", corpus).status == 0
    assert {path.name for path in runs.iterdir()} == {"cats", "other"}


def test_every_option_is_in_the_runs_configuration(program: Program, corpus: Path, runs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    given = ["--lr=0.02", "--clip=0.5", "--keep=1", "--prompt=dog", "--temperature=0", "--seed=5", "--schedule=linear"]
    outcome = program(corpus, *SMALL, *given, f"--runs-dir={elsewhere}", "--name=mine", "--tokenizer=byte")
    assert outcome.status == 0
    config = Config.from_toml(elsewhere / "mine" / "config.toml")
    assert (config.optimizer.lr, config.optimizer.clip, config.run.keep, config.run.seed) == (0.02, 0.5, 1, 5)
    assert (config.sampling.prompt, config.sampling.temperature) == ("dog", 0.0)
    assert (config.schedule.schedule, config.data.tokenizer) == ("linear", "byte")
    assert not runs.exists()


def test_options_override_a_configuration_file(program: Program, corpus: Path, runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text(f'[data]\ncorpus = ["{corpus}"]\n[model]\nlayers = 3\nwidth = 16\nheads = 2\ncontext = 8\n')
    assert program(f"--config={file}", "--steps=2", "--layers=1", "--headless", "--device=cpu").status == 0
    config = Config.from_toml(runs / "cats" / "config.toml")
    assert (config.model.layers, config.model.width, config.schedule.steps) == (1, 16, 2)


def test_a_run_repeats_from_its_own_configuration(program: Program, corpus: Path, runs: Path) -> None:
    program(corpus, *SMALL)
    outcome = program(f"--config={runs / 'cats' / 'config.toml'}", "--name=again", "--headless")
    assert (outcome.status, outcome.err) == (0, "")
    first, again = (journals.read(runs / name / "journal.jsonl") for name in ("cats", "again"))
    assert [e.loss for e in first if isinstance(e, Step)] == [e.loss for e in again if isinstance(e, Step)]


def test_resume(program: Program, corpus: Path, runs: Path) -> None:
    program(corpus, *SMALL)
    assert program("resume", "--headless").status == 0
    assert program("resume", "--again", "--headless").status == 0
    assert program("resume", "cats", "--steps=14", "--headless").status == 0
    assert program("resume", runs / "cats", "--steps=15", "--headless").status == 0
    events = list(journals.read(runs / "cats" / "journal.jsonl"))
    assert [event.step for event in events if isinstance(event, RunStarted)] == [0, 6, 6, 12, 14]
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 16))


def test_fewer_steps_than_were_taken_are_refused_before_the_run_is_loaded(
    program: Program, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(corpus, *SMALL)
    monkeypatch.setattr(LocalSession, "run", lambda self: pytest.fail("the run was taken up"))
    outcome = program("resume", "--steps=5", "--headless")
    assert (outcome.status, outcome.out) == (2, "")
    assert "The run has taken 6 steps already: give --steps a larger number." in outcome.err


def test_a_run_whose_configuration_is_empty_or_gone_says_so(program: Program, corpus: Path, runs: Path) -> None:
    program(corpus, *SMALL)
    config = runs / "cats" / "config.toml"
    config.write_text("")
    outcome = program("resume", "--headless")
    assert (outcome.status, outcome.out) == (2, "")
    assert "The config.toml of cats is empty, or lacks the corpus: restore that file." in outcome.err
    config.unlink()
    outcome = program("resume", "--headless")
    assert (outcome.status, outcome.out) == (2, "")
    assert f"Cannot read the configuration {config}: No such file or directory." in outcome.err


def test_the_corpus_may_come_through_standard_input(
    program: Program, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    outcome = program("-", *SMALL)
    assert (outcome.status, outcome.err) == (0, "")
    assert "\nstdin: finished at step 6 of 6" in outcome.out
    assert (runs / "stdin" / "checkpoints" / "latest").is_file()
