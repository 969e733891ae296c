"""The constraints that the tests of the lowest versions install with."""

import pytest
from packaging.requirements import Requirement

from tests.lowest_versions import constraints, lowest, of_this_project


@pytest.mark.parametrize(
    ("requirement", "constraint"),
    [
        ("click>=8.2", "click==8.2"),
        ("textual<9,>=8.2", "textual==8.2"),
        ("textual>=8,>=8.10,>=8.9", "textual==8.10"),
        ("tomli-w==1.1", "tomli-w==1.1"),
        ("tui-trainer[test]>=1; python_version >= '3.11'", "tui-trainer==1"),
    ],
)
def test_the_lowest_version_that_a_range_allows(requirement: str, constraint: str) -> None:
    assert lowest(Requirement(requirement)) == constraint


@pytest.mark.parametrize("requirement", ["numpy", "numpy<3", "numpy!=2.0"])
def test_a_range_without_a_lower_bound_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="write numpy>=VERSION"):
        lowest(Requirement(requirement))


def test_torch_is_pinned() -> None:
    tested = ["# The versions", "rich==15.0.0", "torch==2.13.0"]
    assert list(constraints(["rich>=14.2", "torch>=2.9"], tested)) == ["rich==14.2", "torch==2.13.0"]


def test_every_requirement_of_this_project_has_a_lowest_version() -> None:
    names = [Requirement(constraint).name for constraint in of_this_project()]
    assert len(names) == len(set(names))
    assert {"torch", "textual", "pytest"} <= set(names)
