"""What differs between terminals: their characters, their colours and what the user has chosen."""

import os
import stat
from pathlib import Path

import pytest

from tests import scripted
from tests.driving import RecordingApp, driving
from tests.scripted import ScriptedSession
from tui_trainer.ui.ascii import ascii_text
from tui_trainer.ui.markers import ASCII, AUTO, BLOCK, BRAILLE, marker_for
from tui_trainer.ui.settings import DEFAULT_SETTINGS, ScreenSettings, fitted, load_settings, remember
from tui_trainer.ui.themes import FIRST

UTF8 = {"LANG": "en_GB.UTF-8", "TERM": "xterm-256color"}


def settings_file() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "tui-trainer" / "screen.toml"


# -- what the terminal says of itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (UTF8, BRAILLE),
        ({}, BRAILLE),
        ({"LANG": "C.utf8"}, BRAILLE),
        (UTF8 | {"LC_ALL": "C"}, ASCII),
        (UTF8 | {"LC_ALL": "", "LC_CTYPE": "POSIX"}, ASCII),
        ({"LANG": "de_DE.ISO-8859-1"}, ASCII),
        (UTF8 | {"TERM": "linux"}, ASCII),
        (UTF8 | {"TERM": "vt220"}, ASCII),
        (UTF8 | {"TERM": "dumb"}, ASCII),
    ],
)
def test_the_locale_and_the_terminal_say_what_charts_are_drawn_in(environment: dict[str, str], expected: str) -> None:
    assert marker_for(AUTO, environment) == expected
    assert marker_for(BLOCK, environment) == BLOCK


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (UTF8, ""),
        (UTF8 | {"TERM": "linux"}, "ansi-dark"),
        (UTF8 | {"TERM": "xterm", "COLORTERM": "truecolor"}, ""),
        ({"TERM": "xterm", "TEXTUAL_COLOR_SYSTEM": "truecolor"}, ""),
    ],
)
def test_a_terminal_of_sixteen_colours_gets_a_theme_of_them(environment: dict[str, str], expected: str) -> None:
    assert fitted(DEFAULT_SETTINGS, environment).theme == expected
    assert fitted(ScreenSettings(theme="nord"), environment).theme == "nord"


# -- the file of settings ----------------------------------------------------------------------------------------------


def test_settings_are_remembered_one_by_one() -> None:
    assert load_settings() == DEFAULT_SETTINGS
    remember(theme="nord")
    remember(markers=BLOCK)
    assert load_settings() == ScreenSettings("nord", BLOCK)
    assert stat.S_IMODE(settings_file().stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"\xff\x00", b"theme =", b"theme = 5\nmarkers = ['a']", b"a" * 100_000])
def test_a_file_that_makes_no_sense_is_ignored(content: bytes) -> None:
    remember(theme="nord")
    settings_file().write_bytes(content)
    assert load_settings() == DEFAULT_SETTINGS


def test_a_home_that_cannot_be_written_to_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    remember(theme="nord")
    assert load_settings() == DEFAULT_SETTINGS


# -- ASCII -------------------------------------------------------------------------------------------------------------


def test_similar_characters_stand_for_those_that_ascii_lacks() -> None:
    assert ascii_text("╭─ “né” ━╸ ⏎ × 日 ⣀ ☃ ▂▇") == '+- "ne" == / x ?? ? ? _#'


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_every_screen_is_ascii(size: tuple[int, int]) -> None:
    sample = scripted.sample_event(600, "“né 日本 👩‍🚀 ☃”", prompt="☃\n")
    async with driving([*scripted.finished(), sample], size, title="ñandú", markers=ASCII) as screen:
        for keys in ("enter", "c", "?", "escape", "t", "escape", "p", "escape", "5", "6", "ctrl+p", "escape", "q"):
            await screen.press(keys)
            assert screen.text.isascii(), {character for character in screen.text if not character.isascii()}
            assert {len(line) for line in screen.lines} == {size[0]}


async def test_a_loading_screen_is_ascii() -> None:
    async with driving(scripted.loading(), markers=ASCII) as screen:
        await screen.press("6")
        assert screen.text.isascii() and "> " in screen.text


async def test_the_loss_has_a_character_for_each_line() -> None:
    async with driving(scripted.running(), markers=ASCII) as screen:
        await screen.press("1", "enter")
        chart = "".join(line[8:] for line in screen.lines[3:-5])
        assert {":", "*", "o"} <= set(chart)


async def test_a_key_switches_the_characters_and_that_is_remembered() -> None:
    async with driving(scripted.running()) as screen:
        assert any("\u2801" <= character <= "\u28ff" for character in screen.text)
        await screen.press("M")
        assert any(character in "▖▗▘▝▞▚▙▟▛▜▌▐▀▄█" for character in screen.text)
        assert load_settings().markers == BLOCK
        await screen.press("M")
        assert screen.text.isascii()
        await screen.press("M")
        assert any("\u2801" <= character <= "\u28ff" for character in screen.text) and "╭" in screen.text
        assert load_settings().markers == BRAILLE


# -- themes ------------------------------------------------------------------------------------------------------------


async def test_a_theme_is_previewed_kept_and_remembered() -> None:
    async with driving(scripted.running()) as screen:
        await screen.press("t")
        assert "● textual-dark" in screen.text and all(name in screen.text for name in FIRST)
        await screen.press("down", "down")
        assert screen.app.theme == "okabe-ito" and load_settings().theme == ""
        await screen.press("enter")
        assert screen.app.theme == load_settings().theme == "okabe-ito"
        await screen.press("t")
        assert "● okabe-ito " in screen.text


async def test_escape_restores_the_theme() -> None:
    async with driving(scripted.running()) as screen:
        await screen.press("t", "end", "escape")
        assert screen.app.theme == "textual-dark" and load_settings() == DEFAULT_SETTINGS


@pytest.mark.parametrize(("stored", "used"), [("okabe-ito", "okabe-ito"), ("gone", "textual-dark")])
async def test_the_remembered_theme_is_used_if_there_is_one_of_that_name(stored: str, used: str) -> None:
    async with driving(scripted.running(), theme=stored) as screen:
        assert screen.app.theme == used


async def test_a_theme_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", "textual-dark")  # Textual has read it when it was imported
    async with driving(scripted.running(), theme="nord") as screen:
        assert screen.app.theme == "textual-dark"


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_with_sixteen_colours_no_other_is_sent(theme: str) -> None:
    async with driving(scripted.running(), theme=theme) as screen:
        for keys in ("enter", "enter", "t", "escape", "q"):
            await screen.press(keys)
            colours = {color for style in screen.styles for color in (style.color, style.bgcolor) if color}
            assert all(color.number is None or color.number < 16 for color in colours)
            assert all(color.triplet is None for color in colours), [color for color in colours if color.triplet]


async def test_without_colours_none_is_sent_and_what_has_the_focus_is_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driving(scripted.running(), theme="nord") as screen:
        await screen.press("q")
        assert all(
            color is None or color.is_default for style in screen.styles for color in (style.color, style.bgcolor)
        )
        assert any(style.reverse for style in screen.styles)


@pytest.mark.parametrize(("markers", "line"), [(BRAILLE, "┏━ 2 Perplexity ━"), (ASCII, "+= 2 Perplexity =")])
async def test_without_colours_the_focused_pane_has_a_heavier_border(
    markers: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driving(scripted.running(), markers=markers) as screen:
        assert line not in screen.text
        await screen.press("2")
        assert line in screen.text and "━ 1 Loss" not in screen.text and "= 1 Loss" not in screen.text


def test_animations_are_off_unless_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_ANIMATIONS", raising=False)
    assert RecordingApp(ScriptedSession([])).animation_level == "none"
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "full")
    assert RecordingApp(ScriptedSession([])).animation_level != "none"
