"""The type of a key, and what is made from a table of keys: bindings, hints, Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType

RUN, RECORDING, SAMPLES, CHARTS, SCREEN, LEAVE = (
    "The run",
    "A recording",
    "Samples",
    "Charts",
    "The screen",
    "Leaving",
)


@dataclass(frozen=True, kw_only=True)
class Key:
    """One or several keys with an action; the key bar names them by `label` or `short`, and omits those without."""

    id: str
    keys: tuple[str, ...]
    """As Textual names them."""
    action: str
    """As Textual spells actions; `{key}` stands for the key pressed."""
    shown: str
    """As it is shown to the user."""
    help: str
    group: str = ""
    """Heading in the help; a dialog has none."""
    label: str = ""
    short: str = ""
    importance: int = 0
    """The key bar drops the lowest first."""
    command: str = ""
    """Name in the command palette; empty keeps it out."""
    states: tuple[str, ...] = ()
    """States of the run in which it has an effect; empty means all."""
    priority: bool = False
    """As in Textual's Binding: handled before the bindings of a dialog that is open."""

    def works_in(self, state: str) -> bool:
        return not self.states or state in self.states

    def bindings(self) -> list[BindingType]:
        return [self._binding(key) for key in self.keys]

    def _binding(self, key: str) -> Binding:
        id = self.id if len(self.keys) == 1 else f"{self.id}.{key}"
        return Binding(key, self.action.format(key=key), self.help, show=False, priority=self.priority, id=id)


def bindings(keys: Iterable[Key]) -> list[BindingType]:
    """The keys as a screen's or an app's BINDINGS."""
    return [binding for key in keys for binding in key.bindings()]


def key_hints(keys: Sequence[Key]) -> str:
    """A line for each key of a dialog, aligned."""
    width = max(len(key.shown) for key in keys) + 2
    return "\n".join(f"{key.shown.ljust(width)}{key.help}" for key in keys)


def markdown_table(keys: Sequence[Key]) -> str:
    """The README's list of keys."""
    rows = [f"| `{key.shown}` | {key.help} |" for key in keys]
    return "\n".join(["| Key | What it does |", "| --- | --- |", *rows]) + "\n"
