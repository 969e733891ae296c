"""Streams that outlive their terminal."""

import io

import pytest

from tui_trainer.launch.streams import TolerantStream


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_stream_whose_terminal_is_gone_tells_so_once_and_takes_everything() -> None:
    lost: list[bool] = []
    stream = TolerantStream(Gone(), lambda: lost.append(True))
    assert [stream.write("frame"), stream.write("frames")] == [5, 6]
    stream.flush()
    assert lost == [True]


def test_a_stream_is_otherwise_as_it_was() -> None:
    below = io.StringIO()
    stream = TolerantStream(below, lambda: pytest.fail("nothing is lost"))
    stream.write("frame")
    assert below.getvalue() == "frame" and not stream.isatty()
