"""Presets: model sizes with batch size and number of steps."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Preset:
    """Sizes of a model and its run; a step trains on batch_size x context tokens."""

    layers: int
    width: int
    heads: int
    context: int
    batch_size: int
    steps: int


PRESETS: Final = {
    "nano": Preset(layers=4, width=128, heads=4, context=64, batch_size=12, steps=2000),
    "tiny": Preset(layers=6, width=192, heads=6, context=128, batch_size=16, steps=5000),
    "small": Preset(layers=6, width=384, heads=6, context=256, batch_size=64, steps=5000),
    "base": Preset(layers=12, width=768, heads=12, context=1024, batch_size=32, steps=20_000),
}

_LARGE_CORPUS: Final = 20_000_000
"""Characters from which the larger preset is chosen."""


def choose_preset(characters: int, device: str) -> str:
    """A preset that suits the corpus and the device: on a two-core CPU the default run takes about three minutes."""
    if device == "cpu":
        return "nano" if characters < _LARGE_CORPUS else "tiny"
    return "small" if characters < _LARGE_CORPUS else "base"
