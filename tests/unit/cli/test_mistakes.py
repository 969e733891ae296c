"""Mistakes of the user's: one sentence on standard error and exit status 2; failures of a run: status 1."""

from pathlib import Path

import pytest

from tests.unit.cli.program import BINARY, SMALL, Program, refused
from tui_trainer.training.step.stepper import Stepper
from tui_trainer.training.trainer import Trainer


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stepz=5"], "--stepz"),
        (["--steps=many"], "'many' is not a valid integer"),
        (["--steps=0"], "--steps 0 is out of range: it must be at least 1"),
        (["--steps=-1"], "--steps -1 is out of range"),
        (["--steps=1" + "0" * 400], "is out of range"),
        (["--lr=nan"], "--lr nan is out of range: it must be above 0 and at most 10"),
        (["--lr=inf"], "--lr inf is out of range"),
        (["--lr=-1"], "--lr -1 is out of range: it must be above 0 and at most 10"),
        (["--epochs=inf"], "--epochs inf is out of range"),
        (["--epochs=1e300"], "--epochs 1e+300 is out of range"),
        (["--dropout=1"], "--dropout 1 is out of range: it must be at least 0 and at most 0.9"),
        (["--seed=1" + "0" * 400], "is out of range"),
        (["--val-fraction=0"], "--val-fraction 0 is out of range"),
        (["--tokenizer=word"], "--tokenizer"),
        (["--schedule=step"], "--schedule"),
        (["--tokenizer=char", "--vocab-size=300"], "--vocab-size does nothing to the char tokenizer"),
        (["--width=100", "--heads=3"], "choose --heads from 1, 2, 5, 10, 25, 50"),
        (["--width=18", "--heads=2"], "choose --heads from 1, 3, 9"),
        (["--width=17", "--heads=1"], "choose an even --width"),
        (["--steps"], "requires an argument"),
        (["--steps=5", "--epochs=2"], "--steps and --epochs"),
        (["--name=../out"], "cannot name a run"),
        (["--name=a\x1b[2Jb"], "\u241b[2Jb"),
        (["--config=nowhere.toml"], "Cannot read the configuration nowhere.toml"),
    ],
)
def test_a_bad_option(program: Program, corpus: Path, runs: Path, arguments: list[str], says: str) -> None:
    refused(program(corpus, "--headless", *arguments), says)
    assert not runs.exists()


def test_a_gpu_that_is_not_there(program: Program, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    outcome = program(corpus, *SMALL, "--device=cuda")
    refused(outcome, "No CUDA GPU can be used here: leave --device out, or use --device cpu.")
    assert not runs.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "There is no file"),
        (b"", "is empty"),
        (b" \n\n\t ", "nothing but white space"),
        (BINARY, "is binary, not text"),
        (b"caf\xe9\n" * 1000, "is not UTF-8 at byte 3 (line 1)"),
        (b"hi", "The corpus is too short"),
        (b"A short text, too short for a context of 64.\n", "use about 74 characters or more, or a smaller --context"),
    ],
)
def test_a_bad_corpus(program: Program, tmp_path: Path, runs: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_bytes(content)
    refused(program(path, "--headless"), says)
    assert not runs.exists()


def test_no_corpus(program: Program) -> None:
    refused(program("train"), "No corpus was given")


@pytest.mark.parametrize(("word", "meant"), [("statsu", "status"), ("RUNS", None), ("atach", "attach"), ("xyz", None)])
def test_a_mistyped_command(
    program: Program, tmp_path: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, word: str, meant: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(program(word, "--json"), f"did you mean {meant}?" if meant else "--json")
    refused(program(f"./{word}"), "There is no file")
    (tmp_path / word).write_bytes(b"")
    refused(program(word), "is empty")
    assert not runs.exists()


def test_an_unreadable_corpus(program: Program, tmp_path: Path, runs: Path) -> None:
    loop = tmp_path / "loop.txt"
    loop.symlink_to(loop)
    refused(program(loop, "--headless"), "Cannot read")
    refused(program("x" * 300, "--headless"), "Cannot read")
    assert not runs.exists()


def test_a_directory_without_text(program: Program, tmp_path: Path, runs: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "cat.png").write_bytes(BINARY)
    refused(program(folder, "--headless"), "has no text file in it")
    refused(program(f"{folder}/*.txt", "--headless"), "matches no text file")
    assert not runs.exists()


def test_control_characters_in_a_file_name_are_made_visible(program: Program, tmp_path: Path) -> None:
    outcome = program(tmp_path / "a\x1b]0;owned\x07\nb\u202e.txt", "--headless")
    refused(outcome, "\u241b]0;owned\u2407\u23ceb<U+202E>.txt")


@pytest.mark.parametrize("place", ["cats.txt", "cats.txt/runs", "cats.txt/deep/runs"])
def test_a_runs_directory_that_cannot_be_made(program: Program, corpus: Path, place: str) -> None:
    outcome = program(corpus, *SMALL, f"--runs-dir={corpus.parent / place}")
    refused(outcome, "cats.txt is not a directory: choose another place with --runs-dir.")


def test_a_name_that_is_taken(program: Program, corpus: Path, runs: Path) -> None:
    (runs / "mine").mkdir(parents=True)
    refused(program(corpus, *SMALL, "--name=mine"), "A run named mine exists")
    assert list((runs / "mine").iterdir()) == []


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("steps = 5", "'steps' stands outside a section: put it under one, such as [schedule]"),
        ("[schedule]\nstepz = 5", "there is no setting 'stepz' in [schedule]"),
        ("[weather]\nsteps = 5", "there is no setting 'steps' in [weather]"),
        ('[schedule]\nsteps = "5"', "--steps must be a whole number, not '5'"),
        ("[schedule]\nsteps = 5.5", "--steps must be a whole number, not 5.5"),
        ("[optimizer]\nlr = true", "--lr must be a number, not True"),
        ("[data]\ncorpus = [1]", "--corpus must be a list of texts"),
        ("[schedule\nsteps = 5", "Cannot read the configuration"),
        ("[sampling]\nprompt = '\x00'", "Cannot read the configuration"),
    ],
)
def test_a_bad_configuration(program: Program, corpus: Path, tmp_path: Path, runs: Path, toml: str, says: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text(toml, encoding="utf-8")
    refused(program(f"--config={file}", "--headless"), says)
    assert not runs.exists()


def test_a_configuration_that_is_a_directory(program: Program, corpus: Path, tmp_path: Path) -> None:
    refused(program(corpus, f"--config={tmp_path}", "--headless"), "Cannot read the configuration")


def test_resume_without_a_run(program: Program, tmp_path: Path, runs: Path) -> None:
    refused(program("resume", "--headless"), "There is no run in")
    refused(program("resume", "nothing", "--headless"), "nothing is not a run")
    refused(program("resume", tmp_path, "--headless"), "is not a run")
    refused(program("resume", "--steps=0", "--headless"), "--steps")
    assert not runs.exists()


def test_a_failed_run_is_status_1(program: Program, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(Trainer, "_advance", fail)
    outcome = program(corpus, *SMALL)
    assert outcome.status == 1
    assert "cats: failed at step 0 of 6" in outcome.out
    assert "RuntimeError: the device is gone. Details are in" in outcome.out
    assert "Traceback" not in outcome.out + outcome.err


def test_a_failure_before_there_is_a_run_is_status_1(
    program: Program, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(Stepper, "take", fail)
    outcome = program(corpus, *SMALL)
    assert outcome.status == 1
    assert "failed: RuntimeError: the device is gone." in outcome.out
    assert "Traceback" not in outcome.out + outcome.err
    assert not runs.exists()
