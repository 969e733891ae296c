"""The program in a process of its own, with streams that cannot be read or written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.program import SMALL, Program, refused
from tests.waiting import TIMEOUT


def test_a_closed_pipe_does_not_end_the_run(corpus: Path, runs: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tui_trainer", str(corpus), *SMALL]
    result = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
    os.close(writer)
    assert (result.returncode, result.stderr) == (0, "")
    assert (runs / "cats" / "checkpoints" / "step-00000006").is_dir()


@pytest.mark.parametrize("redirection", [">&-", "| true"])
def test_output_without_a_reader_is_no_error(runs: Path, redirection: str) -> None:
    """With `true` the pipe may be closed before or after the program writes."""
    shell = f"set -o pipefail; {sys.executable} -m tui_trainer stop --all {redirection}"
    result = subprocess.run(["bash", "-c", shell], stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_characters_that_the_encoding_lacks_are_escaped(tmp_path: Path, runs: Path) -> None:
    path = tmp_path / "katze.txt"
    path.write_text("\u732b\u306f\u8db3\u304c\u56db\u672c\u3042\u308b\u3002\n" * 300, encoding="utf-8")
    command = [sys.executable, "-m", "tui_trainer", str(path), *SMALL]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment, encoding="ascii"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "katze: finished at step 6 of 6" in result.stdout


def test_training_is_refused_in_a_deleted_working_directory(
    program: Program, corpus: Path, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program(corpus, *SMALL).status == 0
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    refused(program("resume", runs / "cats", "--again", "--headless"), "was deleted")
    refused(program(corpus, *SMALL), "was deleted")
    assert program("status", runs / "cats").status == 0
