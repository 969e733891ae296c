"""Finding the files that the user named."""

import gzip
import io
import os
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tui_trainer.config import InputError
from tui_trainer.corpus.sources import corpus_label, find_sources


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """books/{b.txt, a.txt, deep/c.md, .hidden, cover.png, empty.txt}, and the current directory above it."""
    files = {
        "b.txt": b"bee",
        "a.txt": b"ay",
        "deep/c.md": b"sea",
        ".hidden": b"h",
        "cover.png": b"\x89PNG\0",
        "empty.txt": b"",
    }
    for name, data in files.items():
        path = tmp_path / "books" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pipe_in(monkeypatch: pytest.MonkeyPatch, data: bytes, terminal: bool = False) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: terminal))


def names(*arguments: str, **options: Any) -> list[str]:
    return [source.path for source in find_sources(arguments, **options)]


def error_message(*arguments: str, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        find_sources(arguments, **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_a_file(library: Path) -> None:
    [source] = find_sources(["books/a.txt"])
    assert (source.name, source.size, source.binary) == ("books/a.txt", 2, False)
    assert source.open().read() == source.open().read() == b"ay"


def test_a_directory_gives_its_text_files_sorted(library: Path) -> None:
    assert names("books") == ["books/a.txt", "books/b.txt", "books/deep/c.md"]


def test_a_hidden_directory_is_read_only_when_named(library: Path) -> None:
    (library / "books/.git").mkdir()
    (library / "books/.git/HEAD").write_text("ref")
    assert "books/.git/HEAD" not in names("books")
    assert names("books/.git") == ["books/.git/HEAD"]


def test_a_pattern(library: Path) -> None:
    assert names("books/*.txt") == ["books/a.txt", "books/b.txt"]
    assert names("books/**/*.md") == ["books/deep/c.md"]
    assert names("book*") == names("books")
    assert names(f"{library}/books/b*") == [f"{library}/books/b.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(library: Path) -> None:
    (library / "[ab].txt").write_text("brackets")
    (library / "a.txt").write_text("another")
    assert names("[ab].txt") == ["[ab].txt"]


def test_the_same_file_counts_once(library: Path) -> None:
    (library / "link.txt").symlink_to("books/a.txt")
    assert names("books/b.txt", "books", "./books/a.txt", "link.txt") == [
        "books/b.txt",
        "books/a.txt",
        "books/deep/c.md",
    ]


def test_gzip_is_opened_decompressed(library: Path) -> None:
    Path("fables.txt.gz").write_bytes(gzip.compress(b"A fox"))
    [source] = find_sources(["fables.txt.gz"])
    assert source.open().read() == b"A fox"
    assert source.size == Path("fables.txt.gz").stat().st_size


def test_standard_input_can_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, b"piped")
    for _ in range(2):
        [source] = find_sources(["-", "-"])
        assert source.open().read() == source.open().read() == b"piped"
    assert source.name == "standard input"


def test_standard_input_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, b"", terminal=True)
    assert "terminal" in error_message("-")
    pipe_in(monkeypatch, b"")
    assert "standard input is empty" in error_message("-")
    monkeypatch.setattr(sys, "stdin", None)
    sys.modules["tui_trainer.corpus.sources"]._read_standard_input.cache_clear()
    assert "terminal" in error_message("-")


def test_nothing_to_read(library: Path) -> None:
    assert "No corpus was given" in error_message()
    assert "No corpus was given" in error_message("")
    assert "no file missing.txt" in error_message("missing.txt")
    assert "no file books/a.txt/x" in error_message("books/a.txt/x")
    assert "empty.txt is empty" in error_message("books/empty.txt")
    assert "matches no text file" in error_message("*.epub")
    Path("bare").mkdir()
    assert "bare has no text file in it: " in error_message("bare")
    Path("bare/latin.txt").write_bytes(b"caf\xe9")
    Path("bare/.hidden").touch()
    assert "bare has no text file in it (left out: 1 hidden, 1 not UTF-8): " in error_message("bare")
    assert "matches no text file (left out: 1 not UTF-8): " in error_message("bare/*.txt")
    assert "Cannot read" in error_message("a\0b")


def test_binary_files_need_the_byte_tokenizer(library: Path) -> None:
    assert "--tokenizer byte" in error_message("books/cover.png")
    [source] = find_sources(["books/cover.png"], binary_ok=True)
    assert source.binary
    assert "books/cover.png" in names("books", binary_ok=True)


@pytest.mark.parametrize(("encoding", "word"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32")])
def test_wide_encodings_are_named(library: Path, encoding: str, word: str) -> None:
    Path("wide.txt").write_bytes("文字".encode(encoding))
    assert f"is in {word}: convert it to UTF-8" in error_message("wide.txt")


@pytest.mark.parametrize("data", [b"not gzip", gzip.compress(b"text" * 99)[:15]], ids=["other", "cut"])
def test_a_broken_gzip_is_refused(library: Path, data: bytes) -> None:
    Path("broken.gz").write_bytes(data)
    assert "broken.gz is not a whole gzip file" in error_message("broken.gz")


def test_pipes_and_sockets_are_refused_without_waiting(library: Path) -> None:
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert "pipe is not a regular file" in error_message("pipe")
        assert "socket is not a regular file" in error_message("socket")
        assert "/dev/null is not a regular file" in error_message("/dev/null")
        os.link("pipe", "books/pipe")
        assert "books/pipe" not in names("books")


def test_a_file_without_permission_is_refused(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert "Cannot read books/a.txt (Permission denied)" in error_message("books/a.txt")
    assert "Permission denied" in error_message("books")


def test_control_characters_in_names_are_made_visible(library: Path) -> None:
    Path("\x1b[31mred.txt").write_bytes(b"")
    assert error_message("\x1b[31mred.txt").startswith("␛[31mred.txt is empty")


def test_labels(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def label(*arguments: str) -> str:
        return corpus_label(find_sources(arguments))

    Path("fables.txt.gz").write_bytes(gzip.compress(b"A fox"))
    Path("a.txt").write_text("another")
    Path("x" * 80).write_text("long")
    pipe_in(monkeypatch, b"piped")
    assert label("books/a.txt") == "a"
    assert label("fables.txt.gz") == "fables"
    assert label("books") == label("books/") == "books"
    assert label(".") == library.name[:40]
    assert label("-") == "stdin"
    assert label("books/a.txt", "a.txt") == "a and 1 more"
    assert label("fables.txt.gz", "books", "-", "a.txt") == "fables and 3 more"
    assert label("x" * 80) == "x" * 39 + "…"
