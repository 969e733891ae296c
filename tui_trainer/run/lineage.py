"""The branches of a run: which measurements of its journal, and which of its checkpoints, belong to how it came about.

A run begins as branch 1. A new branch goes on from a step of another, its parent, whose later steps are not part of it.
When a branch is resumed at an earlier step, what it had after that step does not count any more. The
lineage of a run is the branches from the first to the one that it is on.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tui_trainer.run.events import BranchStarted, RunStarted

FIRST: Final = 1
"""The branch that every run begins with."""


MAX_BRANCHES: Final = 1000
"""Of a run, and in a lineage: no run has more, and a start of a further one is left out."""


class Branch(NamedTuple):
    id: int
    step: int
    """Of its parent, where it began."""


Lineage = tuple[Branch, ...]

FIRST_LINEAGE: Final[Lineage] = (Branch(FIRST, 0),)

Branches = tuple[Lineage, ...]
"""All of a run's, each as the lineage that ends with it; the last is the one that the run is on."""

FIRST_BRANCHES: Final[Branches] = (FIRST_LINEAGE,)


class Start(NamedTuple):
    """A place in a journal: what follows is of a branch, which has `step` steps there."""

    branch: int
    step: int
    parent: int | None = None
    """Of a branch that begins here; None where a trainer starts or resumes one."""


def start_of(event: RunStarted | BranchStarted) -> Start:
    if isinstance(event, BranchStarted):
        return Start(event.id, event.step, event.parent)
    return Start(event.branch, event.step)


def after(branches: Branches, start: Start) -> Branches:
    """The branches of a run after a start, of those before it."""
    known = _by_id(branches)
    _begin(known, start)
    return tuple(known.values())


def _by_id(branches: Branches) -> dict[int, Lineage]:
    return {lineage[-1].id: lineage for lineage in branches}


def _begin(known: dict[int, Lineage], start: Start) -> int:
    """Put the branch of a start after the others; which branch the run is on then."""
    lineage = known.pop(start.branch, None)
    if start.parent is not None or lineage is None:  # the latter where a line of the journal is missing
        parent = known.get(start.parent or FIRST, FIRST_LINEAGE)
        if max(len(known), len(parent)) < MAX_BRANCHES:
            lineage = (*parent, Branch(start.branch, start.step))
    if lineage is not None:
        known[start.branch] = lineage
    return next(reversed(known))


def last_steps(starts: Sequence[Start], before: Branches = FIRST_BRANCHES) -> tuple[Mapping[int, float], list[float]]:
    """Up to which step measurements count that come before these starts, by their branch; and after each start.

    After a start they are of the branch that the run is on then; -1 where none of it counts, as where it is not in the
    first of the two. `before` are the branches before the starts.
    """
    known = _by_id(before)
    branches = [_begin(known, start) for start in starts]
    limits = branch_ends(known[next(reversed(known))])
    found: list[float] = []
    for start, branch in zip(reversed(starts), reversed(branches), strict=True):
        found.append(limits.get(branch, -1))
        if start.parent is None and start.branch in limits:
            limits[start.branch] = min(limits[start.branch], start.step)
    return limits, found[::-1]


def branch_ends(lineage: Lineage) -> dict[int, float]:
    """The last step of each branch that is part of a lineage."""
    ends: dict[int, float] = {branch.id: after.step for branch, after in pairwise(lineage)}
    return ends | {lineage[-1].id: math.inf}


def is_whole(lineage: Lineage, limits: Mapping[int, float], reached: int) -> bool:
    """Whether all that was read of a lineage, up to step `reached`, counts, and nothing before that is missing.

    `limits` are the last steps that count of each branch by now.
    """
    *parents, own = branch_ends(lineage).items()
    return all(limits.get(branch) == end for branch, end in parents) and limits.get(own[0], -1) >= reached
