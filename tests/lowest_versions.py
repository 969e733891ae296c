"""Constraints for pip with the lowest versions that pyproject.toml allows: python -m tests.lowest_versions.

Direct requirements of the package and its tests get their lowest version; pip chooses those of their dependencies.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.version import Version

ROOT: Final = Path(__file__).parents[1]

AS_TESTED: Final = frozenset({"torch"})
"""Tested at one version only, the one in constraints.txt: on Linux, PyPI's other builds bring gigabytes of CUDA."""


def lowest(requirement: Requirement) -> str:
    """A constraint to the lowest version of a requirement; raises ValueError if it has no lower bound."""
    bounds = [Version(bound.version) for bound in requirement.specifier if bound.operator in {">=", "=="}]
    if not bounds:
        raise ValueError(f"write {requirement.name}>=VERSION in pyproject.toml: {requirement} has no lowest version")
    return f"{requirement.name}=={max(bounds)}"


def constraints(requirements: Iterable[str], tested: Iterable[str]) -> Iterator[str]:
    """One line a requirement: its lowest version, or for those AS_TESTED the line that pins it in constraints.txt."""
    pins = {Requirement(line).name: line for line in tested if not line.startswith("#")}
    for requirement in map(Requirement, requirements):
        yield pins[requirement.name] if requirement.name in AS_TESTED else lowest(requirement)


def of_this_project() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = project["dependencies"] + project["optional-dependencies"]["test"]
    return list(constraints(requirements, (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()))


if __name__ == "__main__":
    print(*of_this_project(), sep="\n")
