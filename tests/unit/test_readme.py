"""The README says what is so."""

import re
from pathlib import Path

import pytest

from tui_trainer.cli.entry import cli
from tui_trainer.config import flag, options
from tui_trainer.model.presets import PRESETS
from tui_trainer.ui.key_table import KEYS
from tui_trainer.ui.keys import markdown_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OTHER_PROGRAMS = {"--constraint", "--corpus", "--editable", "--kills", "--megabytes", "--nanogpt", "--planted"}


def test_the_key_list_is_the_key_table() -> None:
    listed = README.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0]
    assert listed == markdown_table(KEYS)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"--[a-z][a-z-]+", README)) - OTHER_PROGRAMS))
def test_options_it_names_exist(option: str) -> None:
    known = {flag(spec.name) for _, spec in options()} | {"--help"}
    known |= {name for command in cli.commands.values() for parameter in command.params for name in parameter.opts}
    assert option in known


@pytest.mark.parametrize("name", PRESETS)
def test_its_presets_are_the_presets(name: str) -> None:
    preset = PRESETS[name]
    sizes = (preset.layers, preset.width, preset.heads, preset.context, preset.batch_size)
    assert f"| `{name}` | " + " | ".join(map(str, sizes)) in README


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)]+)\)", README))
def test_its_links_lead_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("target", re.findall(r"^make ([a-z-]+)$", README, re.MULTILINE))
def test_its_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
