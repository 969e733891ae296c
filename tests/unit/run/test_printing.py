"""Output that cannot be written is no error, and changes no exit status."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from tui_trainer.run.printing import say


class Refusing(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_text_is_a_line() -> None:
    out = io.StringIO()
    say("saved", out)
    say("", out)
    assert out.getvalue() == "saved\n"


@pytest.mark.parametrize("file", [Refusing(), None], ids=["refusing", "closed"])
def test_a_stream_that_cannot_be_written_is_no_error(
    file: io.StringIO | None, capfd: pytest.CaptureFixture[str]
) -> None:
    say("saved", file)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("error_stream", [">/dev/full", ">&-"], ids=["full", "closed"])
@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_mistake_that_cannot_be_printed_sets_the_status(tmp_path: Path, command: str, error_stream: str) -> None:
    line = f'exec "$0" -m tui_trainer {command} nowhere --runs-dir "$1" 2{error_stream}'
    ended = subprocess.run(
        ["sh", "-c", line, sys.executable, str(tmp_path)], capture_output=True, timeout=TIMEOUT, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, b"")


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_command_works_with_closed_standard_streams(tmp_path: Path, closed: str) -> None:
    (tmp_path / "cats.txt").write_text("The cat sat on the mat. " * 50, encoding="utf-8")
    options = "--headless --steps 1 --layers 1 --width 16 --context 16 --batch-size 4 --precision fp32 --compile off"
    line = f'exec "$0" -m tui_trainer "$1"/cats.txt --runs-dir "$1"/runs --threads 1 {options} {closed}'
    command = ["sh", "-c", line, sys.executable, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "runs" / "cats" / "checkpoints" / "latest").is_file()
