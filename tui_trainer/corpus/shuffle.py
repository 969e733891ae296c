"""A random permutation of any length, computed at the requested positions in constant memory."""

from typing import Final

import numpy as np

ROUNDS: Final = 6


def shuffled(positions: np.ndarray, count: int, seed: tuple[int, ...]) -> np.ndarray:
    """The elements at these positions (integers below `count`) of a random permutation of 0 to count - 1.

    int64, the shape of `positions`.

    A Feistel network (Luby & Rackoff 1988) permutes the numbers below the next power of four; what falls outside goes
    through it again until it falls inside (Black & Rogaway 2002).
    """
    half = max(1, ((count - 1).bit_length() + 1) // 2)
    keys = np.random.default_rng(seed).integers(1 << 63, size=ROUNDS, dtype=np.uint64)
    result = _permute(positions.astype(np.uint64), half, keys)
    while (outside := result >= count).any():
        result[outside] = _permute(result[outside], half, keys)
    return result.astype(np.int64)


def _permute(values: np.ndarray, half: int, keys: np.ndarray) -> np.ndarray:
    """A permutation of the numbers of 2 x `half` bits."""
    bits, mask = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = values >> bits, values & mask
    for key in keys:
        left, right = right, left ^ (_scramble(right ^ key) & mask)
    permuted: np.ndarray = (left << bits) | right
    return permuted


def _scramble(values: np.ndarray) -> np.ndarray:
    """A hash of 64 bits, the finaliser of splitmix64 (Steele et al. 2014); it wraps around on purpose."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    scrambled: np.ndarray = values ^ (values >> np.uint64(31))
    return scrambled
