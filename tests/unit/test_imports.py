"""The one-way rule, seen from outside: who loads what, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

import tui_trainer
from tests.waiting import TIMEOUT

SCREEN = {"textual", "rich", "plotext"}
PACKAGE = Path(tui_trainer.__file__).parent


def modules_of(package: str) -> list[str]:
    names = [path.stem for path in sorted((PACKAGE / package).glob("*.py")) if path.stem != "__init__"]
    return [f"tui_trainer.{package}.{name}" for name in names]


def loaded_by(*modules: str) -> set[str]:
    """The top-level packages in a fresh Python after these imports."""
    code = f"import sys, {', '.join(modules)}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "modules",
    [
        ["tui_trainer.ui.app"],
        ["tui_trainer.headless", "tui_trainer.config", *modules_of("run")],
        ["tui_trainer.cli", "tui_trainer.training.local", "tui_trainer.training.inbox"],
        modules_of("corpus"),
    ],
    ids=["screen", "run", "command line", "corpus"],
)
def test_torch_is_not_loaded(modules: list[str]) -> None:
    loaded = loaded_by(*modules)
    assert "tui_trainer" in loaded
    assert "torch" not in loaded
    assert "transformers" not in loaded


def test_a_run_is_standard_library_and_little_more() -> None:
    ours = {"tui_trainer", "numpy", "tomli_w", "platformdirs", "psutil"}
    assert loaded_by(*modules_of("run")) - loaded_by("numpy") <= ours | set(sys.stdlib_module_names)


def test_the_command_line_loads_no_screen() -> None:
    assert SCREEN.isdisjoint(loaded_by("tui_trainer.cli"))


def test_the_engine_loads_no_screen() -> None:
    loaded = loaded_by(*modules_of("training"), *modules_of("model"), *modules_of("corpus"))
    assert "torch" in loaded
    assert SCREEN.isdisjoint(loaded)
    assert "click" not in loaded
