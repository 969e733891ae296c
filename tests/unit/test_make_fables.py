"""The generator of the sample corpus, used as one uses it: from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"


def make_fables(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(SAMPLE_DATA / "make_fables.py"), *arguments]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)


def fables(megabytes: float, seed: int = 1) -> bytes:
    result = make_fables("--megabytes", str(megabytes), "--seed", str(seed), "--output", "-")
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_same_seed_gives_the_same_text_and_another_seed_another() -> None:
    assert fables(0.05, seed=7) == fables(0.05, seed=7)
    assert fables(0.05, seed=7) != fables(0.05, seed=8)


def test_more_megabytes_continue_the_same_text() -> None:
    assert fables(0.2).startswith(fables(0.03))


@pytest.mark.parametrize("megabytes", [0.05, 0.3])
def test_the_size_is_the_one_asked_for_up_to_one_story(megabytes: float) -> None:
    assert 0 <= len(fables(megabytes)) - megabytes * 1_000_000 < 2000


def test_the_text_is_plain_ascii_with_an_empty_line_between_stories() -> None:
    text = fables(0.1).decode("ascii")
    assert text.endswith(".\n") or text.endswith('"\n')
    assert "\n\n\n" not in text and "\r" not in text and "  " not in text
    assert not set(text) & set("{}[]<>|/@")  # nothing of the grammar is left
    stories = text.split("\n\n")
    assert len(stories) == len(set(stories)) > 80


def test_the_committed_corpus_is_what_the_generator_writes(tmp_path: Path) -> None:
    again = tmp_path / "fables.txt"
    assert make_fables("--output", str(again)).returncode == 0
    assert again.read_bytes() == (SAMPLE_DATA / "fables.txt").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--megabytes", "0"),
        ("--megabytes=-1",),
        ("--megabytes", "many"),
        ("--megabytes", "nan"),
        ("--megabytes", "inf"),
        ("--seed", "x"),
        ("--seed=-1",),
        ("--output", "no/such/folder/fables.txt"),
    ],
)
def test_a_bad_value_is_one_line_and_status_2(arguments: tuple[str, ...]) -> None:
    result = make_fables(*arguments)
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.startswith(b"make_fables.py: error: ") and result.stderr.count(b"\n") == 1
