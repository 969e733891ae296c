"""The table of keys: bindings, key bar, help, command palette and the README's list are all made from it."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """What a key does; `label` and `short` are its names in the key bar, which leaves out keys without a label."""

    id: str
    keys: tuple[str, ...]
    action: str
    shown: str
    help: str
    group: str
    label: str = ""
    short: str = ""
    importance: int = 0
    """The key bar drops the lowest first."""
    command: str = ""
    """Name in the command palette; empty keeps it out."""
    states: tuple[str, ...] = ()
    """States of the run in which it does something; empty means all."""
    priority: bool = False
    """Whether it works while a dialog is open, too."""

    def works_in(self, state: str) -> bool:
        return not self.states or state in self.states

    def bindings(self) -> list[Binding]:
        return [self._binding(key) for key in self.keys]

    def _binding(self, key: str) -> Binding:
        id = self.id if len(self.keys) == 1 else f"{self.id}.{key}"
        return Binding(key, self.action.format(key=key), self.help, show=False, priority=self.priority, id=id)


RUN, SAMPLES, SCREEN, LEAVE = "The run", "Samples", "The screen", "Leaving"

TRAINING, ALIVE = ("running", "paused"), ("running", "paused", "finished")

KEYS: tuple[Key, ...] = (
    Key("pause", ("space",), "toggle_pause", "space", "Pause the training, or go on.", RUN,
        "pause", "pause", 9, "Pause or resume", TRAINING),
    Key("step", ("full_stop",), "step_once", ".", "Take a single step of a paused run.", RUN,
        "one step", "step", 4, "Take one step", ("paused",)),
    Key("save", ("s",), "save_checkpoint", "s", "Save a checkpoint now.", RUN,
        "save", "save", 7, "Save a checkpoint", ALIVE),
    Key("cooler", ("left_square_bracket",), "change_temperature(-1)", "[",
        "Lower the temperature by 0.1: more predictable samples.", SAMPLES,
        "temperature", "temp", 6, "Lower the temperature", ALIVE),
    Key("hotter", ("right_square_bracket",), "change_temperature(1)", "]",
        "Raise the temperature by 0.1: more surprising samples.", SAMPLES,
        "temperature", "temp", 6, "Raise the temperature", ALIVE),
    Key("generate", ("g",), "generate", "g", "Write a sample now.", SAMPLES,
        "generate", "gen", 6, "Write a sample", ALIVE),
    Key("model", ("m",), "switch_model", "m", "Of a finished run, write with its last or its best model.", SAMPLES,
        "model", "model", 6, "Switch between the last model and the best", ("finished",)),
    Key("prompt", ("p",), "edit_prompt", "p", "Edit the prompt that samples go on from.", SAMPLES,
        "prompt", "prompt", 5, "Edit the prompt", ALIVE),
    Key("maximise", ("enter",), "maximise", "enter", "Give the focused pane all the room, or take it back.", SCREEN,
        "maximise", "zoom", 3, "Maximise the focused pane"),
    Key("back", ("escape",), "restore", "escape", "Go back to all panes.", SCREEN),
    Key("panes", ("1", "2", "3", "4", "5", "6"), "show_pane({key})", "1 to 6", "Show a pane and focus it.", SCREEN),
    Key("next", ("tab",), "move_focus(1)", "tab", "Focus the next pane.", SCREEN),
    Key("previous", ("shift+tab",), "move_focus(-1)", "shift+tab", "Focus the pane before.", SCREEN),
    Key("theme", ("t",), "change_theme", "t", "Choose the colours.", SCREEN, command="Choose a theme"),
    Key("help", ("question_mark",), "help", "?", "Explain the keys and the panes.", SCREEN,
        "help", "help", 8, "Help"),
    Key("palette", ("ctrl+p",), "command_palette", "ctrl+p", "Search all commands by name.", SCREEN),
    Key("detach", ("d",), "detach", "d", "Leave, and let the training go on; `attach` comes back.", LEAVE,
        "detach", "detach", 7, "Detach from the run", TRAINING),
    Key("suspend", ("ctrl+z",), "suspend_process", "ctrl+z", "Suspend to the shell; training waits for fg.", LEAVE),
    Key("quit", ("q",), "quit", "q", "Leave, after asking; twice: save and quit (a viewer detaches).", LEAVE,
        "quit", "quit", 8, "Quit"),
    Key("quit_anywhere", ("ctrl+q",), "quit", "ctrl+q", "The same, from anywhere.", LEAVE, priority=True),
    Key("interrupt", ("ctrl+c",), "interrupt", "ctrl+c", "Copy the selection, or leave as `q` does.",
        LEAVE, priority=True),
)  # fmt: skip


def bindings(*groups: str) -> list[Binding]:
    """The bindings of the groups named."""
    return [binding for key in KEYS if key.group in groups for binding in key.bindings()]


def markdown_table() -> str:
    """The README's list of keys."""
    rows = [f"| `{key.shown}` | {key.help} |" for key in KEYS]
    return "\n".join(["| Key | What it does |", "| --- | --- |", *rows]) + "\n"
