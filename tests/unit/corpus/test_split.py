"""Which parts of a text train and which validate."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tui_trainer.config import EACH_FILE, TEXT_END, DataConfig
from tui_trainer.corpus import reading
from tui_trainer.corpus.corpus import Corpus, load_corpus
from tui_trainer.corpus.reading import Scan
from tui_trainer.corpus.split import TRAIN, VAL, Split, split_text, train_characters

FILES = ("a" * 100, "b" * 47 + "\n", "short", "c" * 20)


def scanned(*lengths: int) -> Scan:
    return Scan(sum(lengths), sum(lengths), frozenset("a"), "text", "a", lengths)


def sizes(split: Split, part: int) -> list[int]:
    return [stretch.characters for stretch in split.stretches if stretch.part == part]


def load(folder: Path, files: Sequence[str] = FILES, **options: object) -> Corpus:
    for number, text in enumerate(files):
        (folder / f"{number}.txt").write_text(text)
    config = DataConfig(corpus=(str(folder),), **options)  # type: ignore[arg-type]
    return load_corpus(config, lambda stage, done, total: None)


def parts(corpus: Corpus) -> tuple[str, str]:
    return corpus.tokenizer.decode(corpus.train), corpus.tokenizer.decode(corpus.val)


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
@pytest.mark.parametrize("chunk", [3, 4 << 20])
def test_each_file_gives_its_end(tmp_path: Path, kind: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHUNK_BYTES", chunk)
    corpus = load(tmp_path, val_from=EACH_FILE, tokenizer=kind)
    train = "a" * 91 + "b" * 44 + "short\n" + "c" * 18
    assert parts(corpus) == (train, "a" * 9 + "\n" + "bbb\n" + "cc")
    assert (corpus.val_bytes, corpus.val_files) == (16, 3)


def test_the_split_is_the_texts_end_unless_it_is_told(tmp_path: Path) -> None:
    """As for runs from before there was a choice."""
    text = "a" * 100 + "\n" + "b" * 47 + "\nshort\n" + "c" * 20
    corpora = [load(tmp_path), load(tmp_path, val_from=TEXT_END)]
    border = train_characters(len(text), 0.1)
    assert [parts(corpus) for corpus in corpora] == [(text[:border], text[border:])] * 2
    assert {corpus.fingerprint for corpus in corpora} == {hashlib.sha256(text.encode()).hexdigest()}


def test_the_two_ways_have_entries_of_their_own_in_the_cache(tmp_path: Path, cache: Path) -> None:
    found = {parts(load(tmp_path, val_from=way)) for way in (EACH_FILE, TEXT_END, EACH_FILE)}
    assert len(found) == 2 and len(list(cache.iterdir())) == 2


def test_another_division_into_files_is_another_corpus(tmp_path: Path) -> None:
    divided = ("aaa\n" * 9, "b" * 9), ("aaa\n" * 8, "aaa\n" + "b" * 9)
    one, other = (load(tmp_path, files, val_from=EACH_FILE) for files in divided)
    assert one.characters == other.characters
    assert one.fingerprint != other.fingerprint


def test_a_single_file_is_split_and_known_as_ever(tmp_path: Path) -> None:
    one, other = (load(tmp_path, FILES[:1], val_from=way) for way in (EACH_FILE, TEXT_END))
    assert (one.fingerprint, parts(one), one.val_files) == (other.fingerprint, parts(other), 1)


def test_where_all_files_are_too_short_the_end_of_the_text_validates() -> None:
    split = split_text(scanned(*[9] * 20), 0.1, each_file=True)
    assert (sizes(split, TRAIN), sizes(split, VAL), split.val_files) == ([162], [18], 1)


def test_many_files_give_a_million_characters_at_most() -> None:
    split = split_text(scanned(*[4_000_000] * 10, 5), 0.1, each_file=True)
    assert sum(sizes(split, VAL)) == pytest.approx(1_000_000, abs=10) and sum(sizes(split, VAL)) <= 1_000_000
    assert len(set(sizes(split, VAL)[:10])) == 1
    assert split.train_characters + sum(sizes(split, VAL)) == 40_000_005
