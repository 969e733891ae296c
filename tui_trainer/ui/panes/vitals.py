"""The vitals pane: a table of numbers and the alerts of the run; its stages while it loads."""

from typing import Final

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui_trainer.run.alerts import Severity
from tui_trainer.run.events import Alert, RunStarted
from tui_trainer.run.text import human_bytes, human_count, human_seconds, visible_line
from tui_trainer.state.snapshot import Snapshot
from tui_trainer.ui.numbers import UNKNOWN, fixed, milliseconds, percent
from tui_trainer.ui.panes.pane import Pane
from tui_trainer.ui.text_fit import Part, bar, part, shorten
from tui_trainer.ui.view import View

TWO_COLUMNS, FIRST_COLUMN = 54, 22
"""Cells from which the table has two columns, and those of the first."""

RATE_AFTER_SECONDS = 2.0
"""Seconds that a stage takes before its rate is shown."""

SEVERITY_STYLES: Final[dict[str, str]] = {
    Severity.INFO: "$foreground-muted",
    Severity.WARNING: "bold $text-warning",
    Severity.ERROR: "bold $text-error",
}


class VitalsPane(Pane):
    TITLE, SHORT = "Vitals", "Vitals"
    HELP = (
        "Speed, time, memory and the best result so far, then what the run has to tell you, newest first. Save wait is "
        "how long training waited for the last checkpoint."
    )

    def __init__(self) -> None:
        super().__init__()
        self._text = Static("", id="vitals-text")

    def compose(self) -> ComposeResult:
        yield self._text

    def draw(self, view: View) -> None:
        snapshot = view.snapshot
        self.summarise(*_count_alerts(snapshot.alerts))
        width = self.scrollable_content_region.width
        content = _loading(snapshot, width) if snapshot.state == "loading" else _vitals(view, width)
        if not isinstance(self._text.content, Content) or not content.is_same(self._text.content):
            taller = content.plain.count("\n") != str(self._text.content).count("\n")
            self._text.update(content, layout=taller)


def _count_alerts(alerts: tuple[Alert, ...]) -> list[Part]:
    """How many alerts of each severity the pane lists."""
    parts = []
    for priority, severity in enumerate(Severity):
        count = sum(alert.severity == severity for alert in alerts)
        words = f"{count} {severity}" + "s" * (count > 1 and severity != Severity.INFO)
        style = "$text-warning" if priority else "$foreground-muted"
        parts.append(part(words if count else "", style, priority))
    return parts[::-1]


def _loading(snapshot: Snapshot, width: int) -> Content:
    lines = [Content.styled(f"✓ {visible_line(stage)}", "$foreground-muted") for stage in snapshot.stages_done]
    stage = snapshot.stage
    if stage is None:
        lines.append(Content("▸ starting"))
    else:
        lines.append(Content.styled(f"▸ {visible_line(stage.stage)}", "bold"))
        if stage.total:
            progress = bar(stage.done / stage.total, min(30, max(4, width - 10)))
            lines.append(Content.assemble("  ", progress, f" {100 * stage.done // stage.total:3} %"))
            if stage.seconds > RATE_AFTER_SECONDS:
                rate = human_bytes(round(stage.done / stage.seconds))
                lines.append(Content.styled(f"  {human_bytes(stage.total)} at {rate}/s", "$foreground-muted"))
    return Content("\n").join([*lines, *_alert_lines(snapshot.alerts)])


def _vitals(view: View, width: int) -> Content:
    snapshot = view.snapshot
    progress, details = progress_rows(snapshot), [*detail_rows(snapshot), ("Screen", _sent(view.bytes_per_second))]
    lines = [_row(*row) for row in [*progress, *details]]
    if width >= TWO_COLUMNS:
        column = max(FIRST_COLUMN, width * 2 // 5)
        left = [_row(*row).pad_right(column - _row(*row).cell_length) for row in progress]
        left += [Content(" " * column)] * (len(details) - len(progress))
        right = [_row(*row).truncate(width - column, ellipsis=True) for row in details]
        lines = [a + b for a, b in zip(left, right, strict=True)]
    return Content("\n").join([*lines, *_alert_lines(snapshot.alerts), *_reason_lines(snapshot.run)])


def _reason_lines(run: RunStarted | None) -> list[Content]:
    """The values that were chosen for the user, and why; last, as only a large pane has room for them."""
    if run is None or not run.reasons:
        return []
    width = max(map(len, run.reasons)) + 1
    lines = [
        Content.assemble((visible_line(name).ljust(width), "$foreground-muted"), visible_line(why))
        for name, why in run.reasons.items()
    ]
    return [Content(""), Content.styled("Chosen for this text and machine", "bold"), *lines]


def _row(label: str, value: str) -> Content:
    return Content.assemble((f"{label:<11} ", "$foreground-muted"), value)


def progress_rows(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Labels and short values; one that is not known yet is a dash, so that the rows keep their places."""
    step = snapshot.last_step
    return [
        ("Tokens/s", UNKNOWN if snapshot.tokens_per_second is None else f"{snapshot.tokens_per_second:,.0f}"),
        ("Step time", milliseconds(snapshot.step_seconds)),
        ("Elapsed", human_seconds(snapshot.elapsed)),
        ("Time left", str(snapshot.time_left or UNKNOWN)),
        ("Tokens seen", UNKNOWN if step is None or step.tokens is None else human_count(step.tokens)),
        ("Epoch", _epoch(snapshot)),
    ]


def _epoch(snapshot: Snapshot) -> str:
    run, step = snapshot.run, snapshot.last_step
    if run is None or step is None or step.tokens is None or not run.plan.tokens_per_epoch:
        return UNKNOWN
    return f"{step.tokens / run.plan.tokens_per_epoch:.2f}"


def detail_rows(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Labels and longer values."""
    run, resources, evaluation = snapshot.run, snapshot.resources, snapshot.last_evaluation
    rows = [
        ("Best val", _best(snapshot)),
        ("Bits/byte", fixed(evaluation.bits_per_byte if evaluation else None)),
        ("Clipped", UNKNOWN if snapshot.clipped_share is None else f"{percent(snapshot.clipped_share, 1)} of steps"),
        ("Saved", _saved(snapshot)),
        ("Save wait", milliseconds(snapshot.last_checkpoint.held_seconds if snapshot.last_checkpoint else None)),
        ("Model", f"{run.model.layers} layers × {run.model.width}" if run and run.model.layers else UNKNOWN),
        ("Memory", human_bytes(resources.memory_bytes) if resources else UNKNOWN),
    ]
    if resources and resources.device_memory_bytes:
        rows.append(("GPU memory", human_bytes(resources.device_memory_bytes)))
    return rows


def _sent(bytes_per_second: float | None) -> str:
    """What the terminal was sent."""
    return UNKNOWN if bytes_per_second is None else f"{bytes_per_second / 1000:.1f} KB/s"


def _best(snapshot: Snapshot) -> str:
    best = snapshot.best_evaluation
    return f"{fixed(best.val_loss, 4)} at step {best.step:,}" if best else UNKNOWN


def _saved(snapshot: Snapshot) -> str:
    saved = snapshot.last_checkpoint
    return f"step {saved.step:,}, {shorten(saved.reason, 12)}" if saved else "not yet"


def _alert_lines(alerts: tuple[Alert, ...]) -> list[Content]:
    lines = [
        Content.assemble(
            (visible_line(alert.severity), SEVERITY_STYLES.get(alert.severity, "")),
            (f"  step {alert.step:,}  ", "$foreground-muted"),
            visible_line(alert.message),
        )
        for alert in alerts
    ]
    return [Content(""), *lines] if lines else []
