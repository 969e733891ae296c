"""Which parts of a text train, and which validate: those at its end, or at the end of each of its files."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tui_trainer.corpus.reading import Scan

TRAIN: Final = 0
VAL: Final = 1

MAX_VAL_CHARACTERS: Final = 1_000_000
"""More would make evaluation slow and its result hardly more precise."""


class Stretch(NamedTuple):
    part: int
    """TRAIN or VAL."""
    characters: int


@dataclass(frozen=True)
class Split:
    """The parts of a text, from its beginning to its end."""

    stretches: Sequence[Stretch]
    fingerprint: str
    """Of the text, and of where its files end if each of them gives a part to validation: hexadecimal SHA-256."""
    val_files: int = 1
    """How many files give such a part."""

    @property
    def train_characters(self) -> int:
        return sum(characters for part, characters in self.stretches if part == TRAIN)


def split_text(scan: Scan, val_fraction: float, each_file: bool) -> Split:
    """The end of the text validates, or with `each_file` that of each of several files.

    A file of which the fraction is less than a character gives nothing.
    """
    validating = _of_each(scan.lengths, val_fraction) if each_file else []
    files = sum(map(bool, validating))
    if files == 0 or sum(map(bool, scan.lengths)) == 1:
        trains = train_characters(scan.characters, val_fraction)
        return Split((Stretch(TRAIN, trains), Stretch(VAL, scan.characters - trains)), scan.fingerprint)
    stretches = [
        stretch
        for characters, validates in zip(scan.lengths, validating, strict=True)
        for stretch in (Stretch(TRAIN, characters - validates), Stretch(VAL, validates))
    ]
    key = json.dumps([scan.fingerprint, scan.lengths])
    return Split(stretches, hashlib.sha256(key.encode()).hexdigest(), files)


def train_characters(characters: int, val_fraction: float) -> int:
    """How many characters are in the training part where the rest, at the end, is the validation part."""
    return max(int(characters * (1 - val_fraction)), characters - MAX_VAL_CHARACTERS)


def _of_each(lengths: Sequence[int], val_fraction: float) -> list[int]:
    """How many characters of each file validate."""
    share = min(val_fraction, MAX_VAL_CHARACTERS / sum(lengths))
    return [int(characters * share) for characters in lengths]
