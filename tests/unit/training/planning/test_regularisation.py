"""How much a model is held back, by how often it reads its text."""

from typing import Any

import pytest

from tui_trainer.config import Config
from tui_trainer.training.planning.regularisation import regularise

PASSES = [0.1, 0.5, 1, 2, 2.1, 5, 10, 11, 20, 21, 50, 1000]


def decided(passes: float, tokenizer: str = "bpe", **asked: Any) -> dict[str, float]:
    config = Config().update(tokenizer=tokenizer, **asked)
    return {name: value for name, (value, _) in regularise(config, passes).items()}


@pytest.mark.parametrize("tokenizer", ["char", "byte", "bpe"])
@pytest.mark.parametrize("setting", ["dropout", "token_masking", "bpe_dropout"])
def test_more_passes_never_regularise_less(setting: str, tokenizer: str) -> None:
    values = [decided(passes, tokenizer)[setting] for passes in PASSES]
    assert values == sorted(values)


def test_a_text_read_once_needs_little_and_one_read_for_ever_more() -> None:
    once, for_ever = decided(1), decided(1000)
    assert once["dropout"] == once["token_masking"] == once["bpe_dropout"] == 0
    assert for_ever["dropout"] > 0


def test_every_decision_is_a_setting_that_can_be_made() -> None:
    for passes in PASSES:
        Config().update(tokenizer="bpe", **decided(passes))
        assert None not in decided(passes).values()


@pytest.mark.parametrize("passes", [1, 1000])
def test_what_is_asked_for_is_taken_without_a_reason(passes: float) -> None:
    asked: dict[str, Any] = {
        "dropout": 0.05,
        "token_masking": 0.0,
        "bpe_dropout": 0.4,
        "patience": 99,
    }
    assert decided(passes, **asked) == asked
    assert not any(reason for _, reason in regularise(Config().update(**asked), passes).values())
    one = regularise(Config().update(tokenizer="bpe", dropout=0.05), passes)
    assert one["dropout"] == (0.05, "")
    assert one["token_masking"][0] == decided(passes)["token_masking"]


def test_reasons_tell_how_often_the_text_is_read() -> None:
    value, reason = regularise(Config(), 33.33)["dropout"]
    assert value > 0
    assert "33.3 times" in reason


@pytest.mark.parametrize("tokenizer", ["char", "byte"])
def test_only_bpe_tokens_are_split(tokenizer: str) -> None:
    assert decided(1000)["bpe_dropout"] > 0
    assert decided(1000, tokenizer)["bpe_dropout"] == 0


def test_only_a_run_of_many_passes_may_end_early() -> None:
    assert [decided(passes)["patience"] > 0 for passes in (0.1, 1, 5, 50, 1000)] == [False, False, False, True, True]
