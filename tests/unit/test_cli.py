"""The command line, in process; a mistake of the user's is one sentence on standard error and status 2."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.run import journals
from tests.unit.run.test_lock import held
from tests.waiting import TIMEOUT
from tui_trainer import cli
from tui_trainer.cli import look
from tui_trainer.config import Config, options
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import RunStarted, Step
from tui_trainer.training.local import LocalSession
from tui_trainer.training.planning import calibration
from tui_trainer.training.step.stepper import Stepper
from tui_trainer.training.trainer import Trainer

TEXT = "The cat sat on the mat, and the dog lay by the door.\n" * 40
SMALL = ["--layers=2", "--width=16", "--heads=2", "--context=8", "--batch-size=4", "--steps=6"]
SMALL += ["--sample-tokens=5", "--device=cpu", "--threads=1", "--precision=fp32", "--compile=off", "--headless"]
BINARY = b"\x7fELF\x00\x01\x02"


class Outcome:
    """What a call left behind."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


class Program:
    """The program, called with arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: str | Path) -> Outcome:
        self._monkeypatch.setattr(sys, "argv", ["tui-trainer", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, *self._capfd.readouterr())


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    monkeypatch.setattr(calibration, "SECONDS", 0.0)
    return Program(monkeypatch, capfd)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def refused(outcome: Outcome, says: str) -> None:
    assert outcome.status == 2
    assert outcome.err.startswith("tui-trainer: ")
    assert outcome.err.count("\n") == 1
    assert outcome.err.endswith((".\n", "?\n", "?)\n"))
    assert says in outcome.err
    assert "Traceback" not in outcome.out + outcome.err


def test_a_corpus_is_all_it_takes(program: Program, corpus: Path, runs: Path) -> None:
    short, long = program(corpus, *SMALL), program("train", corpus, *SMALL)
    assert (short.status, short.err) == (long.status, long.err) == (0, "")
    assert {path.name for path in runs.iterdir()} == {"cats", "cats-2"}
    losses = [
        [event.loss for event in journals.read(runs / name / "journal.jsonl") if isinstance(event, Step)]
        for name in ("cats", "cats-2")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_what_is_left_on_the_terminal(program: Program, corpus: Path, runs: Path) -> None:
    out = program(corpus, *SMALL).out
    assert "run cats: " in out
    assert "finished: all steps taken" in out
    assert "\ncats: finished at step 6 of 6 after " in out
    assert "Go on with:\n  tui-trainer resume cats --again\n" in out


def test_options_before_or_after_the_corpus(program: Program, corpus: Path, runs: Path) -> None:
    assert program(*SMALL, corpus).status == 0
    assert program("--headless", *SMALL, "--name=other", corpus).status == 0
    assert {path.name for path in runs.iterdir()} == {"cats", "other"}


def test_every_setting_reaches_the_run(program: Program, corpus: Path, runs: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    given = ["--lr=0.02", "--clip=0.5", "--keep=1", "--prompt=dog", "--temperature=0", "--seed=5", "--schedule=linear"]
    outcome = program(corpus, *SMALL, *given, f"--runs-dir={elsewhere}", "--name=mine", "--tokenizer=byte")
    assert outcome.status == 0
    config = Config.from_toml(elsewhere / "mine" / "config.toml")
    assert (config.optimizer.lr, config.optimizer.clip, config.run.keep, config.run.seed) == (0.02, 0.5, 1, 5)
    assert (config.sampling.prompt, config.sampling.temperature) == ("dog", 0.0)
    assert (config.schedule.schedule, config.data.tokenizer) == ("linear", "byte")
    assert not runs.exists()


def test_a_file_of_settings_and_options_before_it(program: Program, corpus: Path, runs: Path, tmp_path: Path) -> None:
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


def test_resume_goes_on(program: Program, corpus: Path, runs: Path) -> None:
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


def test_replay_without_a_name_takes_a_run_that_is_over(
    program: Program, corpus: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("over", "live"):
        program(corpus, *SMALL, "--name", name)
    viewed: list[str] = []
    monkeypatch.setattr(look, "view", lambda session, name: viewed.append(name) or 0)
    with held(RunDirectory(runs / "live")):
        assert program("replay").status == 0
    assert program("replay").status == 0
    assert viewed == ["over", "live"]


def test_the_corpus_may_come_through_standard_input(
    program: Program, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    outcome = program("-", *SMALL)
    assert (outcome.status, outcome.err) == (0, "")
    assert "\nstdin: finished at step 6 of 6" in outcome.out
    assert (runs / "stdin" / "checkpoints" / "latest").is_file()


# -- help ----------------------------------------------------------------------------------------------------------


def test_help_names_every_option(program: Program) -> None:
    outcome = program("train", "--help")
    assert (outcome.status, outcome.err) == (0, "")
    for _, spec in options():
        if spec.name != "corpus":
            assert f"--{spec.name.replace('_', '-')} " in outcome.out
    for name in ("--headless", "--config", "CORPUS"):
        assert name in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_names_the_commands(program: Program, arguments: list[str]) -> None:
    outcome = program(*arguments)
    text = outcome.out + outcome.err
    assert "Usage: " in text
    assert "\n  train " in text
    assert "\n  resume " in text
    assert "tui-trainer CORPUS..." in text


def test_version(program: Program) -> None:
    assert program("--version").out == "tui-trainer, version 0.1.0\n"


# -- mistakes ------------------------------------------------------------------------------------------------------


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


def test_a_hostile_file_name_stays_one_harmless_line(program: Program, tmp_path: Path) -> None:
    outcome = program(tmp_path / "a\x1b]0;owned\x07\nb\u202e.txt", "--headless")
    refused(outcome, "\u241b]0;owned\u2407\u23ceb<U+202E>.txt")


@pytest.mark.parametrize("place", ["cats.txt", "cats.txt/runs", "cats.txt/deep/runs"])
def test_a_place_where_no_run_can_be(program: Program, corpus: Path, place: str) -> None:
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


def test_resume_of_what_is_no_run(program: Program, tmp_path: Path, runs: Path) -> None:
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


# -- live runs without a screen ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["stop", "pause", "save"])
def test_without_a_live_run_there_is_nothing_to_steer(program: Program, corpus: Path, runs: Path, command: str) -> None:
    refused(program(command), "No run is being trained")
    refused(program(command, "nothing"), "nothing is not a run")
    program(corpus, *SMALL)
    refused(program(command), "No run is being trained")
    refused(program(command, "cats"), "The run cats is not being trained")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["stop", "--all", "cats"], "--all stops every run"),
        (["pause", "--timeout=nan"], "--timeout takes a number of seconds"),
        (["pause", "--timeout=-1"], "--timeout"),
        (["save", "--timeout=soon"], "--timeout"),
        (["save", "cats", "dogs"], "unexpected extra argument"),
    ],
)
def test_a_bad_way_to_steer(program: Program, arguments: list[str], says: str) -> None:
    refused(program(*arguments), says)


def test_to_stop_all_of_none_is_no_mistake(program: Program) -> None:
    outcome = program("stop", "--all")
    assert (outcome.status, outcome.out, outcome.err) == (0, "No run is being trained.\n", "")
    assert program("stop", "--all", "--json").out == ""


@pytest.mark.parametrize("option", ["--again", "--steps=50"])
def test_the_length_of_a_live_run_is_fixed(program: Program, corpus: Path, runs: Path, option: str) -> None:
    program(corpus, *SMALL)
    with held(RunDirectory(runs / "cats")):
        refused(program("resume", option), "so its length is fixed: stop it first")


def test_a_run_elsewhere_is_listed_and_found(
    program: Program, corpus: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(corpus, *SMALL)
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "none"))
    assert str(runs / "cats") in program("runs").out.splitlines()
    assert program("status", "cats").out.startswith("cats  finished")
    runs.rename(tmp_path / "moved")
    assert program("runs").out.startswith("There is no run in")
    refused(program("status", "cats"), "is not a run")


# -- the process ---------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_does_not_end_the_run(corpus: Path, runs: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tui_trainer", str(corpus), *SMALL]
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, "")
    assert (runs / "cats" / "checkpoints" / "step-00000006").is_dir()


@pytest.mark.parametrize("redirection", [">&-", "| true"])
def test_what_nobody_can_read_is_not_missed(runs: Path, redirection: str) -> None:
    """By now: `true` may end before or after the program writes."""
    shell = f"set -o pipefail; {sys.executable} -m tui_trainer stop --all {redirection}"
    result = subprocess.run(["bash", "-c", shell], stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_terminal_of_few_characters_shows_what_it_can(tmp_path: Path, runs: Path) -> None:
    path = tmp_path / "katze.txt"
    path.write_text("\u732b\u306f\u8db3\u304c\u56db\u672c\u3042\u308b\u3002\n" * 300, encoding="utf-8")
    command = [sys.executable, "-m", "tui_trainer", str(path), *SMALL]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment, encoding="ascii"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "katze: finished at step 6 of 6" in result.stdout


def test_nothing_is_trained_in_a_directory_that_was_deleted(
    program: Program, corpus: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program(corpus, *SMALL).status == 0
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    refused(program("resume", runs / "cats", "--again", "--headless"), "was deleted")
    refused(program(corpus, *SMALL), "was deleted")
    assert program("status", runs / "cats").status == 0
