"""BPE dropout."""

import numpy as np
import pytest

from tui_trainer.corpus.batches import Batches
from tui_trainer.corpus.bpe_dropout import BPEDropout, merge_parts
from tui_trainer.corpus.tokenizer import Tokenizer

TEXT = "The cat sat on the mat, and the dog lay by the door.\n" * 40


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train_bpe([TEXT], 300)


@pytest.fixture(scope="module")
def windows(tokenizer: Tokenizer) -> np.ndarray:
    """Twenty windows of sixteen tokens."""
    ids = tokenizer.encode(TEXT).astype(np.int64)
    return np.stack([ids[start : start + 16] for start in range(20)])


def split(tokenizer: Tokenizer, windows: np.ndarray, dropout: float, seed: int = 1) -> np.ndarray:
    return BPEDropout(tokenizer, dropout).split(windows, np.random.default_rng(seed))


@pytest.mark.parametrize("dropout", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_the_text_is_kept_and_truncated_to_length(tokenizer: Tokenizer, windows: np.ndarray, dropout: float) -> None:
    made = split(tokenizer, windows, dropout)
    assert made.shape == windows.shape
    assert made.dtype == np.int64
    for row, window in zip(made, windows, strict=True):
        assert tokenizer.decode(window).startswith(tokenizer.decode(row))


def test_no_dropout_splits_nothing(tokenizer: Tokenizer, windows: np.ndarray) -> None:
    assert np.array_equal(split(tokenizer, windows, 0.0), windows)


def test_full_dropout_leaves_single_bytes(tokenizer: Tokenizer, windows: np.ndarray) -> None:
    made = split(tokenizer, windows, 1.0)
    assert {len(tokenizer.decode([token])) for token in windows.ravel()} > {1, 3}
    assert {len(tokenizer.decode([token])) for token in made.ravel()} == {1}


def test_more_dropout_makes_shorter_tokens(tokenizer: Tokenizer, windows: np.ndarray) -> None:
    lengths = [len(tokenizer.decode(split(tokenizer, windows, dropout).ravel())) for dropout in (0, 0.1, 0.3, 0.9)]
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == 4


def test_it_depends_on_the_generator_alone(tokenizer: Tokenizer, windows: np.ndarray) -> None:
    one, same, other = (split(tokenizer, windows, 0.3, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_merge_is_undone_with_the_probability_that_is_asked(tokenizer: Tokenizer) -> None:
    """Of a token made by a single merge."""
    parts = merge_parts(tokenizer)
    (simple, *_) = [i for i, (a, b) in enumerate(parts) if a >= 0 and parts[a, 0] < 0 and parts[b, 0] < 0]
    first = split(tokenizer, np.full((4000, 1), simple), 0.3)
    assert set(first.ravel().tolist()) == {simple, parts[simple, 0]}
    assert (first != simple).mean() == pytest.approx(0.3, abs=0.03)


def test_a_merge_is_its_two_parts(tokenizer: Tokenizer) -> None:
    parts = merge_parts(tokenizer)
    assert (parts[:, 0] >= 0).sum() == tokenizer.vocab_size - 256
    for token, (left, right) in enumerate(parts):
        if left >= 0:
            assert tokenizer.decode([left, right]) == tokenizer.decode([token])


@pytest.mark.parametrize("other", [Tokenizer.characters(TEXT), Tokenizer.bytes_()], ids=["char", "byte"])
def test_other_tokens_have_no_parts(other: Tokenizer) -> None:
    assert (merge_parts(other) == -1).all()
    ids = other.encode(TEXT[:50]).astype(np.int64)[None]
    assert np.array_equal(split(other, ids, 0.9), ids)


def test_batches_split_by_seed_and_number_only(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode(TEXT)
    one, other = (Batches(tokens, 16, 4, seed=7, bpe_dropout=BPEDropout(tokenizer, 0.3)) for _ in range(2))
    forwards = [one.batch(index)[0].tolist() for index in range(10)]
    assert forwards == [other.batch(index)[0].tolist() for index in reversed(range(10))][::-1]
    inputs, targets = one.batch(3)
    assert inputs.shape == targets.shape == (4, 16)
    assert np.array_equal(inputs[:, 1:], targets[:, :-1])
    assert not one.plain
    assert Batches(tokens, 16, 4, seed=7).plain
