"""Which third-party modules each package imports, seen in a process of its own."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tui_trainer
from tests.waiting import TIMEOUT

SCREEN = {"textual", "rich", "plotext"}
HEAVY = {"torch", "transformers", "safetensors"}
LIGHT_DEPENDENCIES = {"tui_trainer", "numpy", "tomli_w", "platformdirs", "psutil"}
PACKAGE = Path(tui_trainer.__file__).parent

WITHOUT_TORCH = ("analysis", "cli", "corpus", "history", "launch", "run", "sessions", "state", "ui")
WITHOUT_SCREEN = ("analysis", "cli", "corpus", "history", "launch", "model", "run", "sessions", "state", "training")
LIGHTWEIGHT = ("analysis", "history", "run", "sessions", "state")
"""Packages for programs that neither train nor show a run."""


def modules_of(package: str) -> list[str]:
    """Every module below a package of the first level."""
    paths = sorted((PACKAGE / package).rglob("*.py"))
    names = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names]


@cache
def loaded_by(*modules: str) -> set[str]:
    """The top-level packages in a fresh Python after these imports."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


def test_every_package_is_listed() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == {*WITHOUT_TORCH, "model", "training"} == {*WITHOUT_SCREEN, "ui"}


@pytest.mark.parametrize("package", WITHOUT_TORCH)
def test_a_package_loads_neither_torch_nor_what_else_it_does_without(package: str) -> None:
    loaded = loaded_by(*modules_of(package))
    assert "tui_trainer" in loaded
    assert HEAVY.isdisjoint(loaded)
    assert package not in WITHOUT_SCREEN or SCREEN.isdisjoint(loaded)
    assert package not in LIGHTWEIGHT or loaded - loaded_by("numpy") <= LIGHT_DEPENDENCIES | set(
        sys.stdlib_module_names
    )


def test_top_level_modules_load_neither_torch_nor_a_screen() -> None:
    assert (HEAVY | SCREEN).isdisjoint(loaded_by("tui_trainer.headless", "tui_trainer.config"))
    assert HEAVY.isdisjoint(loaded_by("tui_trainer.training.local"))


def test_training_loads_neither_a_screen_nor_the_command_line() -> None:
    loaded = loaded_by(*modules_of("training"), *modules_of("model"), *modules_of("corpus"))
    assert "torch" in loaded
    assert {"click", *SCREEN}.isdisjoint(loaded)
