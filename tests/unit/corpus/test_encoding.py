"""Splitting and encoding through the cache."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from tui_trainer.config import InputError
from tui_trainer.corpus import cache as cache_module
from tui_trainer.corpus import reading
from tui_trainer.corpus.cache import Encoded, NewEntry, entry_path
from tui_trainer.corpus.encoding import encode_corpus
from tui_trainer.corpus.reading import Scan, scan
from tui_trainer.corpus.sources import Source, find_sources
from tui_trainer.corpus.split import Split, split_text, train_characters

TEXT = "The fox saw the crow.\nThe crow säw the 🦊!\n" * 50


class Stop(Exception):
    """What a progress callback raises to stop a run."""


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    path = tmp_path / "fables.txt"
    path.write_text(TEXT, encoding="utf-8")
    return find_sources([str(path)])


def scanned(sources: list[Source], each_file: bool = False) -> tuple[Scan, Split]:
    found = scan(sources)
    return found, split_text(found, 0.1, each_file)


def encode(
    sources: list[Source], kind: str = "char", stages: list[str] | None = None, each_file: bool = False
) -> Encoded:
    def progress(stage: str, done: int, total: int) -> None:
        if stages is not None:
            stages.append(stage)

    return encode_corpus(sources, *scanned(sources, each_file), kind, 300 if kind == "bpe" else 0, 0.1, progress)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def assert_right(encoded: Encoded) -> None:
    border = train_characters(len(TEXT), 0.1)
    assert encoded.tokenizer.decode(encoded.train) == TEXT[:border]
    assert encoded.tokenizer.decode(encoded.val) == TEXT[border:]
    assert encoded.val_bytes == len(TEXT[border:].encode())
    assert not encoded.train.flags.writeable
    assert not encoded.val.flags.writeable
    assert encoded.train.dtype == encoded.val.dtype == encoded.tokenizer.dtype


def test_the_split_of_tinyshakespeare() -> None:
    assert train_characters(1_115_394, 0.1) == 1_003_854


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
@pytest.mark.parametrize("chunk", [5, 4 << 20])
def test_both_parts_are_encoded(
    sources: list[Source], cache: Path, monkeypatch: pytest.MonkeyPatch, kind: str, chunk: int
) -> None:
    monkeypatch.setattr(reading, "CHUNK_BYTES", chunk)
    encoded = encode(sources, kind)
    assert encoded.tokenizer.kind == kind
    assert_right(encoded)
    assert files(cache) == ["meta.json", "tokenizer.json", "train.bin", "val.bin"]


def test_a_second_run_encodes_nothing(sources: list[Source]) -> None:
    stages: list[str] = []
    encode(sources, "bpe", stages)
    assert set(stages) == {"training the tokenizer", "tokenizing"}
    stages.clear()
    again = encode(sources, "bpe", stages)
    assert stages == []
    assert isinstance(again.train, np.memmap)
    assert_right(again)


def test_every_file_is_on_the_disk_before_the_entry_has_its_name(
    sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, fsync = set[str](), os.fsync

    def sync(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    encode(sources)
    assert synced == {"train.bin", "val.bin", "tokenizer.json", "meta.json"}


def test_different_options_have_different_entries(cache: Path) -> None:
    keys = [
        ("f", "char", 0, 0.1),
        ("g", "char", 0, 0.1),
        ("f", "byte", 0, 0.1),
        ("f", "bpe", 512, 0.1),
        ("f", "bpe", 512, 0.2),
    ]
    paths = {entry_path(*key) for key in keys}
    assert len(paths) == len(keys)
    assert {path.parent for path in paths} == {cache}


def test_bpe_learns_from_the_training_part_only(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("ab " * 600 + "qzqz " * 36)
    encoded = encode(find_sources([str(path)]), "bpe")
    assert len(encoded.val) > 36 * 4


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("train.bin", b"short"),
        ("val.bin", None),
        ("meta.json", b"{"),
        ("meta.json", b"[1]"),
        ("meta.json", json.dumps({"dtype": "nonsense", "train": 1, "val": 1, "val_bytes": 1}).encode()),
        ("tokenizer.json", b""),
    ],
)
def test_a_damaged_entry_is_replaced(sources: list[Source], cache: Path, name: str, data: bytes | None) -> None:
    encode(sources)
    [path] = cache.rglob(name)
    path.unlink() if data is None else path.write_bytes(data)
    assert_right(encode(sources))
    stages: list[str] = []
    assert_right(encode(sources, stages=stages))
    assert stages == []
    assert len(list(cache.iterdir())) == 1


def test_without_a_writable_cache_the_tokens_are_in_memory(
    sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "file" / "cache"))
    encoded = encode(sources)
    assert not isinstance(encoded.train, np.memmap)
    assert_right(encoded)


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_a_full_disk_raises_nothing(
    sources: list[Source], cache: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(reading, "CHUNK_BYTES", 200)
    monkeypatch.setattr(NewEntry, "__init__", onto_full_disk(NewEntry.__init__))
    assert_right(encode(sources, kind))
    assert list(cache.iterdir()) == []


def onto_full_disk(original):  # type: ignore[no-untyped-def]
    def init(self, folder, tokenizer):  # type: ignore[no-untyped-def]
        original(self, folder, tokenizer)
        self._files[0].close()
        self._files[0] = open("/dev/full", "wb")  # noqa: PTH123, SIM115

    return init


def test_an_exception_of_the_callback_leaves_no_files(sources: list[Source], cache: Path) -> None:
    for unwanted in ("training the tokenizer", "tokenizing"):

        def stop(stage: str, done: int, total: int, unwanted: str = unwanted) -> None:
            if stage == unwanted:
                raise Stop

        with pytest.raises(Stop):
            encode_corpus(sources, *scanned(sources), "bpe", 300, 0.1, stop)
        assert list(cache.iterdir()) == []


def test_an_oserror_of_the_callback_is_passed_on(sources: list[Source], cache: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        encode_corpus(sources, *scanned(sources), "char", 0, 0.1, stop)
    assert list(cache.iterdir()) == []


def test_a_text_that_grows_meanwhile_is_refused(sources: list[Source], cache: Path) -> None:
    found = scanned(sources)
    with Path(sources[0].path).open("a") as file:
        file.write("more")
    with pytest.raises(InputError, match="changed while it was being read"):
        encode_corpus(sources, *found, "char", 0, 0.1, lambda stage, done, total: None)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("damaged", [False, True])
def test_two_writers_at_once_make_one_entry(
    sources: list[Source], cache: Path, monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    if damaged:
        encode(sources)
        next(cache.rglob("train.bin")).write_bytes(b"short")
    meeting = threading.Barrier(4)
    publish = NewEntry.publish

    def publish_together(self: NewEntry, entry: Path, val_bytes: int) -> Encoded:
        meeting.wait(5)
        return publish(self, entry, val_bytes)

    monkeypatch.setattr(NewEntry, "publish", publish_together)
    results: list[Encoded] = []
    threads = [threading.Thread(target=lambda: results.append(encode(sources)), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert len(results) == 4
    for encoded in results:
        assert_right(encoded)
    assert len(list(cache.iterdir())) == 1


def test_the_cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TUI_TRAINER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "tui-trainer" in str(cache_module.cache_directory())


@pytest.mark.parametrize(
    ("characters", "trains"), [(1000, 900), (10_000_000, 9_000_000), (2_000_000_000, 1_999_000_000)]
)
def test_a_tenth_validates_but_never_more_than_a_million(characters: int, trains: int) -> None:
    assert train_characters(characters, 0.1) == trains
