"""Perplexity and bits per byte."""

import math

import pytest

from tui_trainer.analysis.perplexity import bits_per_byte, perplexity, perplexity_in_words


def test_perplexity_is_the_number_of_equally_likely_tokens() -> None:
    assert perplexity(math.log(65)) == pytest.approx(65)
    assert perplexity(0.0) == 1.0
    assert perplexity(1e6) == math.inf


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.inf, "very confused"),
        (101, "very confused"),
        (100, "quite confused"),
        (51, "quite confused"),
        (50, "somewhat confused"),
        (20.1, "somewhat confused"),
        (20, "getting better"),
        (10.1, "getting better"),
        (10, "fairly confident"),
        (1, "fairly confident"),
    ],
)
def test_perplexity_in_words(value: float, words: str) -> None:
    assert perplexity_in_words(value) == words


def test_bits_per_byte_are_comparable_between_tokenizers() -> None:
    """One random bit a byte is one bit per byte, whether a token is one byte or eight."""
    assert bits_per_byte(math.log(2), tokens=100, utf8_bytes=100) == pytest.approx(1.0)
    assert bits_per_byte(8 * math.log(2), tokens=100, utf8_bytes=800) == pytest.approx(1.0)
    assert bits_per_byte(1.0, tokens=0, utf8_bytes=0) == 0.0
