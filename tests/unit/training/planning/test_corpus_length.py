"""A text too short to train on is refused with the length that would do."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.training.helpers import load
from tui_trainer.config import Config, InputError
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.training.planning.plan import Plan, resolve_sizes


def plan(text: Corpus, **asked: Any) -> Config:
    return resolve_sizes(Plan(Config().update(**asked)), text, "cpu").config


def written(folder: Path, characters: int, line: str = "some words and more\n") -> Path:
    """A text of so many characters."""
    path = folder / f"{characters}.txt"
    path.write_text((line * characters)[:characters], encoding="utf-8")
    return path


def refused_length(text: Corpus, **asked: Any) -> int:
    """The number of characters that a refusal asks for."""
    with pytest.raises(InputError, match="too short") as refusal:
        plan(text, **asked)
    found = re.search(r"about ([\d,]+) characters or more", str(refusal.value))
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.3, 1 / 3, 0.5])
@pytest.mark.parametrize("context", [199, 230, 360, 1000])
def test_the_length_that_a_refusal_names_suffices(tmp_path: Path, fraction: float, context: int) -> None:
    def text_of(characters: int) -> Corpus:
        return load(written(tmp_path, characters), val_fraction=fraction)

    asked = {"context": context, "val_fraction": fraction}
    named = refused_length(text_of(110), **asked)
    assert plan(text_of(named), **asked).model.context == context
    assert refused_length(text_of(named - 2), **asked) == named


def test_the_length_is_in_characters_where_tokens_are_bytes(tmp_path: Path) -> None:
    def text_of(characters: int) -> Corpus:
        return load(written(tmp_path, characters, line="\u0436\u0438"), tokenizer="byte")

    named = refused_length(text_of(40), context=100)
    assert named == 58
    assert plan(text_of(named), context=100).data.tokenizer == "byte"
