"""Perplexity and bits per byte from a loss."""

import math

_BANDS = (
    (100.0, "very confused"),
    (50.0, "quite confused"),
    (20.0, "somewhat confused"),
    (10.0, "getting better"),
)


def perplexity(loss: float) -> float:
    """exp(loss), the number of equally likely tokens with the same loss; infinite from a loss of 700 nats on."""
    return math.exp(loss) if loss < 700 else math.inf


def perplexity_in_words(value: float) -> str:
    """A perplexity in words, by its size."""
    for bound, words in _BANDS:
        if value > bound:
            return words
    return "fairly confident"


def bits_per_byte(loss: float, tokens: int, utf8_bytes: int) -> float:
    """A loss in nats per token as bits per byte of text, which is comparable between tokenizers."""
    return loss * tokens / max(1, utf8_bytes) / math.log(2)
