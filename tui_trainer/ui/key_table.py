"""The table of keys, from which bindings, key bar, help, command palette and the README's list are made.

A key of the main screen is a row of KEYS, of which chart_keys.py has those of the charts, and a method `action_...` of
the app; one of a dialog is a row of that dialog's table, and a method of the dialog.
"""

from typing import Final

from tui_trainer.run.events import TAKES_COMMANDS, TRAINING
from tui_trainer.ui.chart_keys import CHART_KEYS
from tui_trainer.ui.keys import LEAVE, RUN, SAMPLES, SCREEN, Key
from tui_trainer.ui.panes import PANES
from tui_trainer.ui.recording_keys import RECORDING_KEYS

KEYS: Final[tuple[Key, ...]] = (
    Key(
        id="pause",
        keys=("space",),
        action="toggle_pause",
        shown="space",
        help="Pause the training, or go on.",
        group=RUN,
        label="pause",
        short="pause",
        importance=9,
        command="Pause or resume",
        states=TRAINING,
    ),
    Key(
        id="step",
        keys=("full_stop",),
        action="step_once",
        shown=".",
        help="Take a single step of a paused run.",
        group=RUN,
        label="one step",
        short="step",
        importance=4,
        command="Take one step",
        states=("paused",),
    ),
    Key(
        id="save",
        keys=("s",),
        action="save_checkpoint",
        shown="s",
        help="Save a checkpoint now.",
        group=RUN,
        label="save",
        short="save",
        importance=7,
        command="Save a checkpoint",
        states=TAKES_COMMANDS,
    ),
    Key(
        id="cooler",
        keys=("left_square_bracket",),
        action="change_temperature(-1)",
        shown="[",
        help="Lower the temperature by 0.1: more predictable samples.",
        group=SAMPLES,
        label="temperature",
        short="temp",
        importance=6,
        command="Lower the temperature",
        states=TAKES_COMMANDS,
    ),
    Key(
        id="hotter",
        keys=("right_square_bracket",),
        action="change_temperature(1)",
        shown="]",
        help="Raise the temperature by 0.1: more surprising samples.",
        group=SAMPLES,
        label="temperature",
        short="temp",
        importance=6,
        command="Raise the temperature",
        states=TAKES_COMMANDS,
    ),
    Key(
        id="generate",
        keys=("g",),
        action="generate",
        shown="g",
        help="Write a sample now.",
        group=SAMPLES,
        label="generate",
        short="gen",
        importance=6,
        command="Write a sample",
        states=TAKES_COMMANDS,
    ),
    Key(
        id="model",
        keys=("m",),
        action="switch_model",
        shown="m",
        help="Of a finished run, write with its last or its best model.",
        group=SAMPLES,
        label="model",
        short="model",
        importance=6,
        command="Switch between the last model and the best",
        states=("finished",),
    ),
    Key(
        id="prompt",
        keys=("p",),
        action="edit_prompt",
        shown="p",
        help="Edit the prompt that samples go on from.",
        group=SAMPLES,
        label="prompt",
        short="prompt",
        importance=5,
        command="Edit the prompt",
        states=TAKES_COMMANDS,
    ),
    *RECORDING_KEYS,
    *CHART_KEYS,
    Key(
        id="maximise",
        keys=("enter",),
        action="maximise",
        shown="enter",
        help="Give the focused pane all the room, or take it back.",
        group=SCREEN,
        label="maximise",
        short="full",
        importance=3,
        command="Maximise the focused pane",
    ),
    Key(
        id="back",
        keys=("escape",),
        action="restore",
        shown="escape",
        help="Go back to all panes.",
        group=SCREEN,
    ),
    Key(
        id="panes",
        keys=tuple(str(pane.NUMBER) for pane in PANES),
        action="show_pane({key})",
        shown=f"1 to {len(PANES)}",
        help="Show a pane and focus it.",
        group=SCREEN,
    ),
    Key(
        id="next",
        keys=("tab",),
        action="move_focus(1)",
        shown="tab",
        help="Focus the next pane.",
        group=SCREEN,
    ),
    Key(
        id="previous",
        keys=("shift+tab",),
        action="move_focus(-1)",
        shown="shift+tab",
        help="Focus the pane before.",
        group=SCREEN,
    ),
    Key(
        id="log",
        keys=("l",),
        action="show_log",
        shown="l",
        help="List all notifications and alerts, newest first.",
        group=SCREEN,
        command="List notifications and alerts",
    ),
    Key(
        id="theme",
        keys=("t",),
        action="change_theme",
        shown="t",
        help="Choose the colours.",
        group=SCREEN,
        command="Choose a theme",
    ),
    Key(
        id="markers",
        keys=("M",),
        action="change_markers",
        shown="M",
        help="Draw the charts in braille dots, blocks or ASCII.",
        group=SCREEN,
        command="Change what charts are drawn in",
    ),
    Key(
        id="help",
        keys=("question_mark",),
        action="help",
        shown="?",
        help="Explain the keys and the panes.",
        group=SCREEN,
        label="help",
        short="help",
        importance=8,
        command="Help",
    ),
    Key(
        id="palette",
        keys=("ctrl+p",),
        action="command_palette",
        shown="ctrl+p",
        help="Search all commands by name.",
        group=SCREEN,
    ),
    Key(
        id="detach",
        keys=("d",),
        action="detach",
        shown="d",
        help="Leave, and let the training go on; `attach` comes back.",
        group=LEAVE,
        label="detach",
        short="detach",
        importance=7,
        command="Detach from the run",
        states=TRAINING,
    ),
    Key(
        id="suspend",
        keys=("ctrl+z",),
        action="suspend_process",
        shown="ctrl+z",
        help="Suspend to the shell; training waits for fg.",
        group=LEAVE,
    ),
    Key(
        id="quit",
        keys=("q",),
        action="quit",
        shown="q",
        help="Leave, after asking; twice: save and quit (a viewer detaches).",
        group=LEAVE,
        label="quit",
        short="quit",
        importance=8,
        command="Quit",
    ),
    Key(
        id="quit_anywhere",
        keys=("ctrl+q",),
        action="quit",
        shown="ctrl+q",
        help="The same, from anywhere.",
        group=LEAVE,
        priority=True,
    ),
    Key(
        id="interrupt",
        keys=("ctrl+c",),
        action="interrupt",
        shown="ctrl+c",
        help="Copy the selection, or leave as `q` does.",
        group=LEAVE,
        priority=True,
    ),
)

QUIT_KEYS: Final = (
    Key(id="detach", keys=("d",), action="detach", shown="d", help="Detach: training goes on"),
    Key(id="again", keys=("q",), action="again", shown="q", help="The same as the choice that loses nothing"),
    Key(id="save", keys=("s",), action="leave(True)", shown="s", help="Save and quit"),
    Key(id="discard", keys=("x",), action="leave(False)", shown="x", help="Quit without saving"),
    Key(id="stay", keys=("escape",), action="stay", shown="escape", help="Stay"),
    Key(id="up", keys=("up", "left"), action="app.focus_previous", shown="up", help="The choice above"),
    Key(id="down", keys=("down", "right"), action="app.focus_next", shown="down", help="The choice below"),
)

PROMPT_KEYS: Final = (
    Key(id="use", keys=(), action="", shown="enter", help="use it, and write a sample"),
    Key(id="cancel", keys=("escape",), action="cancel", shown="escape", help="keep the old one"),
)
"""Enter is handled by the Input widget, so it has no binding here."""

THEME_KEYS: Final = (
    Key(id="preview", keys=(), action="", shown="up down", help="try a theme"),
    Key(id="use", keys=(), action="", shown="enter", help="use it from now on"),
    Key(id="cancel", keys=("escape",), action="cancel", shown="escape", help="keep the old one"),
)
"""The others are handled by the OptionList widget."""

AWAY_KEYS: Final = (
    Key(id="look", keys=("enter", "escape"), action="dismiss", shown="enter", help="look at the run"),
    Key(id="leave", keys=("q",), action="quit", shown="q", help="leave"),
)
"""Without space: pressed twice, it would pause the run."""

LOG_KEYS: Final = (
    Key(id="close", keys=("escape", "q", "l", "enter"), action="dismiss", shown="escape", help="closes"),
)

HELP_KEYS: Final = (
    Key(id="close", keys=("escape", "q", "question_mark", "enter"), action="dismiss", shown="escape", help="closes"),
)
