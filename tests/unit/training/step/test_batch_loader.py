"""Batches on their way to the device: three ways, the same batches."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.training.helpers import CPU, tokens
from tests.waiting import TIMEOUT
from tui_trainer.corpus.batches import Batches
from tui_trainer.corpus.bpe_dropout import BPEDropout
from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.training.step import batch_loader as module
from tui_trainer.training.step.batch_loader import (
    BatchLoader,
    DeviceBatchLoader,
    HostBatchLoader,
    PrefetchingBatchLoader,
    make_batch_loader,
)

KINDS = [HostBatchLoader, PrefetchingBatchLoader, DeviceBatchLoader]
ELSEWHERE = torch.device("meta")
"""Stands for an accelerator."""

Kind = type[BatchLoader]


def batches(text: np.ndarray | None = None, **changes: Any) -> Batches:
    return Batches(tokens(2000) if text is None else text, **{"context": 8, "batch_size": 4, "seed": 1, **changes})


def distinct(count: int = 5000) -> np.ndarray:
    """A text without two tokens alike, so that a replacement can be told."""
    return np.random.default_rng(0).permutation(count).astype(np.uint16)


def check(batch_loader: BatchLoader, source: Batches, numbers: list[int]) -> None:
    for number in numbers:
        inputs, targets = batch_loader.take(number)
        expected = source.batch(number)
        assert inputs.dtype == targets.dtype == torch.int64
        assert np.array_equal(inputs.numpy(), expected[0])
        assert np.array_equal(targets.numpy(), expected[1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [tokens(2000), distinct(), distinct().astype(np.uint32)], ids=["8", "16", "32"])
def test_the_batches_are_those_of_the_corpus(kind: Kind, text: np.ndarray) -> None:
    source = batches(text)
    check(kind(source, CPU, 0.0), source, list(range(20)))


@pytest.mark.parametrize("kind", KINDS)
def test_in_any_order(kind: Kind) -> None:
    """As a run does that is resumed."""
    source = batches()
    check(kind(source, CPU, 0.0), source, [5, 6, 7, 3, 3, 1000, 1001, 0, 2])


@pytest.mark.parametrize("kind", [HostBatchLoader, PrefetchingBatchLoader])
def test_split_tokens_come_as_they_were_split(kind: Kind) -> None:
    text = "The cat sat on the mat, and the dog lay by the door.\n" * 40
    tokenizer = Tokenizer.train_bpe([text], 300)
    source = batches(tokenizer.encode(text), bpe_dropout=BPEDropout(tokenizer, 0.3))
    check(kind(source, CPU, 0.0), source, [0, 1, 2, 7, 8])


def test_the_next_batch_is_read_ahead() -> None:
    source = batches()
    batch_loader = PrefetchingBatchLoader(source, CPU, 0.0)
    batch_loader.take(3)
    assert batch_loader._next is not None
    number, future = batch_loader._next
    assert number == 4
    assert np.array_equal(future.result(TIMEOUT)[0].numpy(), source.batch(4)[0])


def test_a_failure_to_read_ahead_is_told_when_the_batch_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = batches()
    batch_loader = PrefetchingBatchLoader(source, CPU, 0.0)
    read = source.batch

    def fail_at_two(index: int) -> tuple[np.ndarray, np.ndarray]:
        if index == 2:
            raise OSError("the disk is gone")
        return read(index)

    monkeypatch.setattr(source, "batch", fail_at_two)
    batch_loader.take(0)
    batch_loader.take(1)
    with pytest.raises(OSError, match="the disk is gone"):
        batch_loader.take(2)


# -- masking -------------------------------------------------------------------------------------------------------


def masked(kind: Kind, share: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a batch of 1024 tokens."""
    batch_loader = kind(batches(distinct(), context=32, batch_size=32), CPU, share)
    torch.manual_seed(seed)
    inputs, targets = batch_loader.take(3)
    return inputs.numpy(), targets.numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_masking_replaces_the_share_that_is_asked(kind: Kind, share: float) -> None:
    (inputs, _), (plain, _) = masked(kind, share), masked(kind, 0.0)
    assert (inputs != plain).mean() == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_never_masked(kind: Kind) -> None:
    assert np.array_equal(masked(kind, 0.9)[1], masked(kind, 0.0)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides_what_is_masked(kind: Kind) -> None:
    assert np.array_equal(masked(kind, 0.3)[0], masked(HostBatchLoader, 0.3)[0])
    assert not np.array_equal(masked(kind, 0.3)[0], masked(kind, 0.3, seed=2)[0])


def test_replacements_are_as_frequent_as_in_the_text() -> None:
    text = np.repeat(np.array([4, 6, 8], dtype=np.uint8), [5000, 3000, 2000])
    batch_loader = HostBatchLoader(batches(text, batch_size=1000), CPU, 0.9)
    torch.manual_seed(1)
    inputs = torch.cat([batch_loader.take(number)[0] for number in range(3)])
    shares = torch.bincount(inputs.flatten(), minlength=9) / inputs.numel()
    assert shares[[4, 6, 8]].sum() == 1
    assert shares[[4, 6, 8]].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.03)


# -- the choice ----------------------------------------------------------------------------------------------------


def test_on_a_cpu_batches_are_read_as_they_are_asked_for() -> None:
    assert type(make_batch_loader(batches(), CPU, 0.0)) is HostBatchLoader


@pytest.mark.parametrize(("free", "kind"), [(10**9, DeviceBatchLoader), (2000, PrefetchingBatchLoader)])
def test_on_an_accelerator_the_text_lies_there_if_it_fits(
    free: int, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: free)
    assert type(make_batch_loader(batches(), ELSEWHERE, 0.0)) is kind


def test_tokens_to_be_split_are_not_left_to_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: 10**9)
    source = batches(bpe_dropout=BPEDropout(Tokenizer.bytes_(), 0.1))
    assert type(make_batch_loader(source, ELSEWHERE, 0.0)) is PrefetchingBatchLoader
