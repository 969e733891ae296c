"""The line that says where the cursor is: its step, time and tokens, the greatest loss there, and what happened.

It has the place of the key bar, so that nothing moves on the screen.
"""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_trainer.run.text import human_count, human_seconds, visible_line
from tui_trainer.state.marks import Mark, MarkKind
from tui_trainer.ui.numbers import fixed
from tui_trainer.ui.text_fit import Part, fit, join, part, row_width, shorten
from tui_trainer.ui.view import View

LONGEST_EVENT = 48

KEYS = part("← → move  + - zoom  esc back", "$foreground-muted", 4)


class Readout(Widget):
    """One line; the main screen shows it while there is a cursor."""

    ALLOW_SELECT = False
    parts: reactive[tuple[Part, ...]] = reactive(())

    def __init__(self) -> None:
        super().__init__(id="readout")
        self.display = False

    def show(self, view: View) -> None:
        self.display = view.options.cursor is not None
        if self.display:
            self.parts = tuple(readout(view))

    def render(self) -> Content:
        kept = fit([*self.parts, KEYS], self.size.width - 2)
        *left, right = kept if KEYS in kept else [*kept, part("")]
        space = " " * (self.size.width - 2 - row_width(left) - right.content.cell_length)
        return Content.assemble(" ", join(left), space, right.content)


def readout(view: View) -> list[Part]:
    """Of the column that the cursor is in, the most important first to be kept."""
    if view.pointed is None:
        return []
    first, last = view.pointed
    steps = f"step {first:,.0f}" if first == last else f"steps {first:,.0f} to {last:,.0f}"
    elapsed, tokens, peak = view.value("elapsed"), view.value("tokens"), view.peak()
    parts = [part(steps, "bold $text-accent", 10)]
    if peak is not None and first != last:
        parts.append(part(f"greatest loss {fixed(peak[1], 3)} at {peak[0]:,.0f}", "$text-primary", 8))
    parts.append(part(human_seconds(elapsed) if elapsed is not None else "", "$foreground", 7))
    parts.append(part(f"{human_count(tokens)} tokens" if tokens is not None else "", "$foreground", 6))
    parts += [_event(mark) for mark in view.marks(first, last)]
    return [each for each in parts if each.content.plain]


def _event(mark: Mark) -> Part:
    style = "$text-error" if mark.kind == MarkKind.ALERT else "$text-warning"
    return part(shorten(visible_line(mark.text), LONGEST_EVENT), style, 9 if mark.kind == MarkKind.ALERT else 5)
