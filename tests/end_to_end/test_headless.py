"""The program without a screen, as a script or a scheduler runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.terminal import SMALL_MODEL, Terminal, events, trainer
from tests.waiting import TIMEOUT, until

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"

ROOM_FOR_THEM = ("--layers", "2", "--width", "64", "--heads", "4", "--context", "32", "--batch-size", "16")
PINNED = ("--threads", "1", "--precision", "fp32", "--compile", "off", "--optimizer", "muon", "--seed", "1")
BY_HEART = (
    "--steps",
    "150",
    "--lr",
    "3e-3",
    "--dropout",
    "0",
    "--token-masking",
    "0",
    "--patience",
    "0",
    "--sample-tokens",
    "1",
)
"""Without what holds a model back from it."""


def run(directory: Path, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        trainer(*arguments), cwd=directory, capture_output=True, text=True, timeout=TIMEOUT, env=os.environ, **options
    )  # type: ignore[call-overload]


def test_a_pipe_gets_plain_lines_and_a_resumed_run_continues_from_its_last_step(corpus: Path) -> None:
    first = run(corpus.parent, corpus, *SMALL_MODEL, "--steps", "40")
    assert first.returncode == 0, first.stderr
    assert "\x1b" not in first.stdout
    assert "validation loss" in first.stdout and "finished" in first.stdout
    ended = run(corpus.parent, "resume", "--headless")
    assert ended.returncode == 0, ended.stderr
    assert "The run has come to its end" in ended.stdout
    program = [sys.executable, "-X", "importtime", *trainer("resume", "--again", "--headless")[1:]]
    second = subprocess.run(program, cwd=corpus.parent, capture_output=True, text=True, timeout=TIMEOUT)
    assert second.returncode == 0, second.stderr
    loaded = {line.rpartition("|")[2].strip() for line in second.stderr.splitlines()}
    assert "torch" in loaded and "torch._dynamo" not in loaded, "what only compiling needs takes a second to load"
    steps = [event["step"] for event in events(corpus.parent / "runs" / "woods", "step")]
    assert steps == list(range(1, 81))


def test_a_signal_that_the_parent_ignores_is_ignored(corpus: Path) -> None:
    quiet = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *trainer(corpus, *SMALL_MODEL, "--steps", "1000000")]
    run = corpus.parent / "runs" / "woods"
    process = subprocess.Popen(quiet, cwd=corpus.parent, stdout=subprocess.DEVNULL)
    until(lambda: events(run, "step"), "the first step")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGUSR1)
    until(lambda: events(run, "command"), "the signal that is not ignored")
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT) == 128 + signal.SIGTERM
    assert [event["source"] for event in events(run, "command")] == ["SIGUSR1", "SIGTERM"]


def test_a_few_sentences_are_memorised(tmp_path: Path) -> None:
    done = run(
        tmp_path, SAMPLE_DATA / "tiny.txt", "--headless", *ROOM_FOR_THEM, *PINNED, *BY_HEART, "--sample-tokens", "1"
    )
    assert done.returncode == 0, done.stderr
    last = events(tmp_path / "runs" / "tiny", "eval")[-1]
    assert last["train_loss"] < 0.2
    assert last["val_loss"] > 10 * last["train_loss"]


BAD_INPUT = {
    "missing": (["nothing.txt"], "nothing.txt"),
    "empty": (["empty.txt"], "empty"),
    "binary": (["picture.png"], "--tokenizer byte"),
    "not UTF-8": (["latin.txt"], "--tokenizer byte"),
    "directory without text": (["pictures"], "pictures"),
    "shorter than a window": (["short.txt"], "characters"),
    "unknown option": (["woods.txt", "--nonsense"], "--nonsense"),
    "out of range": (["woods.txt", "--dropout", "1.5"], "--dropout"),
    "no number": (["woods.txt", "--steps", "many"], "--steps"),
    "heads that do not divide": (["woods.txt", "--heads", "5"], "--heads"),
    "no GPU": (["woods.txt", "--device", "cuda"], "--device cpu"),
    "unwritable": (["woods.txt", "--runs-dir", "woods.txt/runs"], "--runs-dir"),
    "no run to resume": (["resume", "nothing"], "nothing"),
    "a run that is no run": (["resume", "pictures"], "pictures"),
    "two lengths": (["woods.txt", "--steps", "5", "--epochs", "1"], "--epochs"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_gets_one_sentence_and_leaves_nothing(corpus: Path, name: str) -> None:
    directory = corpus.parent
    (directory / "empty.txt").touch()
    (directory / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (directory / "latin.txt").write_bytes("déjà vu, ".encode("latin-1") * 200)
    (directory / "pictures").mkdir()
    (directory / "pictures" / "one.png").write_bytes(b"\x89PNG\0\0")
    (directory / "short.txt").write_text("too short")
    arguments, expected = BAD_INPUT[name]
    done = run(directory, *arguments, "--headless")
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stderr.startswith("tui-trainer: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert not (directory / "runs").exists()


def test_bad_input_on_a_screen_gets_the_same_sentence(corpus: Path) -> None:
    (corpus.parent / "late.txt").write_bytes(b"fine text " * 2000 + b"\xff\xfe")
    terminal = Terminal(trainer("late.txt"), corpus.parent)
    assert terminal.wait_for_end() == 2
    assert "late.txtisnotUTF-8atbyte20,000" in "".join(terminal.text.split())
    assert not (corpus.parent / "runs").exists()
