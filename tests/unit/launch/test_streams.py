"""Streams that survive the loss of their terminal."""

import io

import pytest

from tui_trainer.launch.streams import TolerantStream


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_lost_terminal_is_reported_once_and_writes_still_succeed() -> None:
    lost: list[bool] = []
    stream = TolerantStream(Gone(), lambda: lost.append(True))
    assert [stream.write("frame"), stream.write("frames")] == [5, 6]
    stream.flush()
    assert lost == [True]


def test_other_calls_reach_the_stream() -> None:
    below = io.StringIO()
    stream = TolerantStream(below, lambda: pytest.fail("nothing is lost"))
    stream.write("frame")
    assert below.getvalue() == "frame" and not stream.isatty()
