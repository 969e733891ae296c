"""Loading a corpus."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.waiting import TIMEOUT
from tui_trainer.config import DataConfig, InputError
from tui_trainer.corpus.corpus import Corpus, load_corpus, unigram_entropy

TEXT = "Once a fox saw a crow.\n" * 40


def load(path: Path, stages: list[str] | None = None, **options: object) -> Corpus:
    def progress(stage: str, done: int, total: int) -> None:
        if stages is not None and stage not in stages:
            stages.append(stage)

    return load_corpus(DataConfig(corpus=(str(path),), **options), progress)  # type: ignore[arg-type]


@pytest.fixture
def fables(tmp_path: Path) -> Path:
    path = tmp_path / "fables.txt"
    path.write_text(TEXT)
    return path


def test_a_corpus(fables: Path) -> None:
    corpus = load(fables)
    assert corpus.label == "fables"
    assert (corpus.characters, corpus.bytes) == (920, 920)
    assert (len(corpus.train), len(corpus.val), corpus.val_bytes) == (828, 92, 92)
    assert corpus.tokenizer.kind == "char"
    assert corpus.tokenizer.decode(corpus.train) + corpus.tokenizer.decode(corpus.val) == TEXT
    assert corpus.opening == "Once"


def test_stages(fables: Path) -> None:
    stages: list[str] = []
    load(fables, stages, tokenizer="bpe")
    assert stages == ["reading", "training the tokenizer", "tokenizing"]
    stages.clear()
    load(fables, stages, tokenizer="bpe")
    assert stages == ["reading"]


def test_a_character_met_only_in_validation_is_encoded(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("abc " * 100 + "🦊")
    corpus = load(path)
    assert corpus.tokenizer.decode(corpus.val).endswith("🦊")


def test_bytes_that_are_no_text_are_learnt_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * 4)
    corpus = load(path, tokenizer="byte")
    assert np.concatenate([corpus.train, corpus.val]).tobytes() == path.read_bytes()
    with pytest.raises(InputError, match="--tokenizer byte"):
        load(path)


def test_the_vocabulary_size_is_for_bpe(fables: Path) -> None:
    assert load(fables, tokenizer="bpe", vocab_size=260).tokenizer.vocab_size == 260
    assert load(fables, vocab_size=260).tokenizer.kind == "bpe"
    for kind in ("char", "byte"):
        with pytest.raises(InputError, match=f"--vocab-size does nothing to the {kind} tokenizer.*--tokenizer bpe"):
            load(fables, tokenizer=kind, vocab_size=260)


@pytest.mark.parametrize(("text", "kind"), [("a", "char"), ("abc", "char"), ("abc", "byte"), ("abc", "bpe")])
def test_a_text_may_be_too_short_to_split(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "text"
    path.write_text(text)
    corpus = load(path, tokenizer=kind)
    assert len(corpus.train) + len(corpus.val) == len(text)


def test_unigram_entropy() -> None:
    assert unigram_entropy(np.array([0, 1, 2, 3] * 5, dtype=np.uint8), 9) == pytest.approx(math.log(4))
    assert unigram_entropy(np.zeros(5, dtype=np.uint16), 2) == 0
    tokens = np.arange(3_000_000) % 2
    assert unigram_entropy(tokens, 2) == pytest.approx(math.log(2))


def test_control_characters_are_kept(tmp_path: Path) -> None:
    text = "\x1b[31m[bold]red[/bold]\u202e\x07 " * 20
    (tmp_path / "text").write_text(text)
    for kind in ("char", "byte", "bpe"):
        corpus = load(tmp_path / "text", tokenizer=kind)
        assert corpus.tokenizer.decode(corpus.train) + corpus.tokenizer.decode(corpus.val) == text
    assert corpus.opening == "[31m[bold]re"


def test_the_corpus_loads_neither_torch_nor_a_screen() -> None:
    code = (
        "import sys, tui_trainer.corpus.corpus, tui_trainer.corpus.batches\n"
        "sys.exit(bool({'torch', 'textual', 'rich', 'plotext'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=TIMEOUT)


def test_what_cannot_be_used_of_a_directory_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "begins.txt").write_bytes(b"caf\xe9")
    (tmp_path / "ends.txt").write_bytes(b"caf " * 5_000 + b"\xe9")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").touch()
    (tmp_path / "link").symlink_to("nowhere")
    corpus = load(tmp_path)
    assert corpus.characters == len(TEXT)
    assert corpus.left_out == {"hidden": 1, "missing": 1, "not UTF-8": 2}


@pytest.mark.parametrize("text", [b"caf\xe9", b"caf " * 5_000 + b"\xe9"])
def test_a_named_file_that_is_not_utf8_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(text)
    with pytest.raises(InputError, match="not UTF-8 at byte"):
        load(tmp_path / "a.txt")
