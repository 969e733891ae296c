"""The samples pane: generated texts, newest first, the one being generated on top."""

from itertools import groupby

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui_trainer.run.events import PartialSample, Sample
from tui_trainer.run.text import visible
from tui_trainer.state.samples import MODELS, sample_label
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.access import Access
from tui_trainer.ui.panes.pane import Pane
from tui_trainer.ui.pending_commands import PendingCommands
from tui_trainer.ui.text_fit import part, shorten
from tui_trainer.ui.view import View


class SamplesPane(Pane):
    TITLE, SHORT = "Samples", "Samples"
    HELP = (
        "What the model writes, newest first; the underlined start is the prompt that it was given. Temperature 0 "
        "always takes the likeliest token, higher values dare more."
    )

    def __init__(self) -> None:
        super().__init__()
        self._top = Static(Content(""), id="top-sample")
        self._top.display = False
        self._shown: dict[Sample, Static] = {}
        """The samples on the screen, newest first."""
        self._height = 0

    def compose(self) -> ComposeResult:
        yield self._top

    def draw(self, view: View) -> None:
        snapshot, pending = view.snapshot, view.pending
        self._show_settings(snapshot, pending, view.access)
        self._height = self.virtual_size.height
        changed = self._show_top(top_content(snapshot, pending))
        changed |= self._show_samples(samples_until(snapshot.samples, view.options.cursor))
        if changed and self.scroll_offset.y > 0:
            self.call_after_refresh(self._keep_scroll_position)

    def _show_settings(self, snapshot: Snapshot, pending: PendingCommands, access: Access) -> None:
        if snapshot.run is None:
            self.summarise()
            return
        asked = "" if pending.temperature is None else f" → {pending.temperature:.2f}"
        self.summarise(
            part("" if access.read_only else _model_in_use(snapshot, pending), "$text-primary", 3),
            part(f"T {snapshot.temperature:.2f}{asked}", "$text-primary", 2),
            part(f"prompt “{shorten(snapshot.prompt, 16)}”", "$foreground-muted", 1),
        )

    def _show_top(self, content: Content) -> bool:
        changed = content.plain != str(self._top.content)
        if changed:
            self._top.update(content)
            self._top.display = bool(content.plain)
        return changed

    def _show_samples(self, samples: tuple[Sample, ...]) -> bool:
        """Show exactly these samples; returns whether anything changed.

        Samples are compared by value, as after a reconnect the same ones are other objects.
        """
        if samples == tuple(self._shown):
            return False
        for gone in self._shown.keys() - set(samples):
            self._shown[gone].remove()
        shown = {
            sample: self._shown[sample] if sample in self._shown else Static(sample_content(sample), classes="sample")
            for sample in samples
        }
        above: Static = self._top
        for is_new, group in groupby(shown.items(), lambda item: item[0] not in self._shown):
            widgets = [widget for _, widget in group]
            if is_new:
                self.mount_all(widgets, after=above)
            above = widgets[-1]
        self._shown = shown
        return True

    def _keep_scroll_position(self) -> None:
        """Scroll by as much as the text above has grown, so that the lines in view stay."""
        self.scroll_relative(y=self.virtual_size.height - self._height, animate=False)


def samples_until(samples: tuple[Sample, ...], step: float | None) -> tuple[Sample, ...]:
    """Without those written after the step that the cursor is at, so that its own is the first."""
    return samples if step is None else tuple(sample for sample in samples if sample.step <= step)


def _model_in_use(snapshot: Snapshot, pending: PendingCommands) -> str:
    """Which of its two models a finished run generates with, and the one that was requested; empty without a choice."""
    asked = "" if pending.model is None else f" → {pending.model}"
    return f"g uses: {snapshot.model}{asked}" if snapshot.model in MODELS else ""


def top_content(snapshot: Snapshot, pending: PendingCommands) -> Content:
    """What is shown above the finished samples: the one being generated, or why there is none."""
    if snapshot.partial_sample is not None:
        return sample_content(snapshot.partial_sample)
    if pending.sample:
        return Content.styled("A sample begins as soon as the step ends…", "$foreground-muted")
    if not snapshot.samples:
        return Content.styled("Samples appear here as the model learns.", "$foreground-muted")
    return Content("")


def sample_content(sample: Sample | PartialSample) -> Content:
    """A sample under a line with its step and temperature."""
    writing = isinstance(sample, PartialSample)
    return Content.assemble(
        (f"{sample_label(sample)}  T {sample.temperature:.2f}{'  writing…' if writing else ''}\n", "$foreground-muted"),
        (visible(sample.prompt), "bold underline"),
        visible(sample.text),
        "▌" if writing else "",
    )
