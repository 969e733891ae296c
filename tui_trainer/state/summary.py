"""What is left on the terminal after a run: its losses, its first and last sample, how to go on."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

from tui_trainer.analysis.perplexity import perplexity
from tui_trainer.run.advice import attach_command, resume_command
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Sample
from tui_trainer.run.text import human_seconds, visible, visible_line
from tui_trainer.state.samples import sample_label
from tui_trainer.state.snapshot import Snapshot

SAMPLE_WIDTH = 76
SAMPLE_LINES = 6


def summary(snapshot: Snapshot, samples: Sequence[Sample] = (), place: Path | None = None) -> str:
    """Lines for the normal screen; empty when no run was begun.

    `place` is where the run lies by now, if not where it was begun.
    """
    run = snapshot.run
    if run is None:
        return ""
    directory = RunDirectory(place or Path(run.path or run.run))
    of_all = f" of {run.plan.steps:,}" if run.plan.steps else ""
    lines = [
        f"{visible_line(directory.name)}: {snapshot.state} at step {snapshot.step:,}{of_all}"
        f" after {human_seconds(snapshot.elapsed)} of training."
    ]
    if snapshot.state == "failed":
        lines.append(visible_line(snapshot.reason))
    lines += _losses(snapshot)
    for number, sample in enumerate(samples):
        name = "Last" if number else "First"
        heading = f"{name} sample with this prompt, step {sample.step:,}" if not sample.model else sample_label(sample)
        lines += [f"{heading[0].upper()}{heading[1:]}:", *_quoted(sample)]
    if snapshot.last_checkpoint is None:
        return "\n".join([*lines, "No checkpoint was saved."])
    checkpoint = directory.checkpoints / Path(snapshot.last_checkpoint.path).name
    lines.append(f"Checkpoint: {visible_line(str(checkpoint))}")
    lines += ["Go on with:", f"  {resume_command(directory, again=snapshot.state == 'finished')}"]
    return "\n".join(lines)


def left_alive(run: RunDirectory | None, state: str) -> str:
    """Lines for the normal screen on a run that was left in the process that trains it, which may have no directory."""
    if run is None:
        return "The run goes on."
    again = f"Look at it again with:\n  {attach_command(run)}"
    if state != "paused":
        return f"Training goes on. {again}"
    name = visible_line(run.name)
    return f"{name} is paused: it takes no step until it is resumed.\n{again}\nLet it go on with:\n  " + resume_command(
        run, paused=True
    )


def left_as_saved(run: RunDirectory | None, label: str) -> str:
    """Lines for the normal screen on a run that ended before it began to train, or without waiting for it to save.

    Without a directory it is a new one, called `label`.
    """
    if run is None:
        return f"{visible_line(label)}: nothing was trained."
    step = run.latest_step()
    if step is None:
        return f"{visible_line(run.name)}: no checkpoint was saved."
    return f"{visible_line(run.name)}: saved up to step {step:,}. Go on with:\n  {resume_command(run)}"


def _losses(snapshot: Snapshot) -> list[str]:
    """The training loss of now; that of the last evaluation is older, and so are its other numbers."""
    last, best, run = snapshot.last_evaluation, snapshot.best_evaluation, snapshot.run
    assert run is not None
    lines = []
    if snapshot.smoothed_loss is not None:
        lines.append(f"Training loss {snapshot.smoothed_loss:.4f}, smoothed over the last steps.")
    if last is not None and last.val_loss is not None:
        at = "" if last.step == snapshot.step else f" at step {last.step:,}"
        lines.append(f"Validation loss {last.val_loss:.4f}{at}, perplexity {perplexity(last.val_loss):.2f}.")
    if best is not None and best.val_loss is not None:
        lines.append(f"Best validation loss {best.val_loss:.4f}, at step {best.step:,}.")
    if lines and run.source.unigram_entropy is not None:
        lines.append(f"Knowing only how frequent each token is would give {run.source.unigram_entropy:.4f}.")
    return lines


def _quoted(sample: Sample) -> list[str]:
    text = visible(sample.prompt + sample.text)
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, SAMPLE_WIDTH)]
    shown = lines[:SAMPLE_LINES] + (["..."] if len(lines) > SAMPLE_LINES else [])
    return [f"  | {line}" for line in shown]
