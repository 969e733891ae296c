"""Writes a run of any length at once, as a trainer would, without checkpoints."""

import math
from pathlib import Path

from tui_trainer.config import Config
from tui_trainer.run.codec import encode
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import (
    Alert,
    CheckpointSaved,
    Evaluation,
    Event,
    Resources,
    RunStarted,
    Sample,
    StateChanged,
)
from tui_trainer.run.run_parts import RunMachine, RunModel, RunPlan, RunSampling, RunSource
from tui_trainer.sessions.journal_reader import JournalReader

BEGIN = 1_700_000_000.0
SECONDS_A_STEP = 0.01
TOKENS_A_STEP = 768

STEP = (
    '{{"event": "step", "step": {step}, "time": {time:.6f}, "loss": {loss}, "lr": 0.0012345678901234, '
    '"grad_norm": 0.5123456716537476, "weight_norm": 123.45678710937, "tokens": {tokens}, '
    '"step_seconds": 0.0098456789, "tokens_per_second": 78123.456789}}\n'
)


def write_run(root: Path, steps: int, state: str = "finished") -> RunDirectory:
    """Write a run of so many steps, whose last state is `state`, without an index."""
    run = RunDirectory(root / f"steps-{steps}")
    run.path.mkdir(parents=True)
    run.config.write_text(Config().update(corpus=("fables.txt",), steps=steps).to_toml(), encoding="utf-8")
    with run.journal.open("w", encoding="utf-8") as file:
        file.writelines(f"{encode(event)}\n" for event in _first_events(run, steps))
        for begin in range(1, steps + 1, 1000):
            end = min(begin + 1000, steps + 1)
            file.writelines(map(_step_line, range(begin, end)))
            file.writelines(f"{encode(event)}\n" for event in _other_events(end - 1))
        file.write(f"{encode(StateChanged(step=steps, time=_time(steps), state=state))}\n")
    return run


def index(run: RunDirectory) -> None:
    """Write the index that the run's trainer would have written."""
    with run.open() as folder:
        reader = JournalReader(folder)
        for _ in reader.read():
            pass
        reader.write_index()


def step_loss(step: int) -> float:
    """A falling loss with a spike about every thousand steps."""
    return 1.5 + 2.5 * math.exp(-step / 20_000) + (step * 7919 % 1000) / 5000 + 3 * (step % 1009 == 0)


def _step_line(step: int) -> str:
    return STEP.format(step=step, time=_time(step), loss=step_loss(step), tokens=step * TOKENS_A_STEP)


def _time(step: int) -> float:
    return BEGIN + step * SECONDS_A_STEP


def run_started(name: str, path: str, steps: int, step: int = 0) -> RunStarted:
    """A run of so many steps, begun, or gone on with after `step`."""
    return RunStarted(
        step=step,
        time=BEGIN,
        run=name,
        path=path,
        source=RunSource(corpus="fables", tokenizer="char", train_tokens=1_003_854, unigram_entropy=3.3),
        model=RunModel(preset="nano", parameters=808_320, layers=4, width=128, heads=4, context=64, vocab_size=65),
        machine=RunMachine(device="cpu", precision="fp32"),
        plan=RunPlan(steps=steps, schedule="wsd", lr=3e-3, warmup=100, clip=1.0, tokens_per_step=TOKENS_A_STEP),
        sampling=RunSampling(temperature=0.8, prompt="The "),
    )


def _first_events(run: RunDirectory, steps: int) -> list[Event]:
    return [run_started(run.name, str(run.path), steps), StateChanged(time=BEGIN, state="running")]


def _other_events(step: int) -> list[Event]:
    """The other events of every thousand steps."""
    loss, at = step_loss(step), {"step": step, "time": _time(step)}
    events: list[Event] = [
        Evaluation(
            **{"train_loss": loss, "val_loss": loss, "perplexity": math.exp(loss), "bits_per_byte": loss, **at},
            best=step % 5000 == 0,
        ),
        Resources(memory_bytes=612_000_000, device_memory_bytes=0, **at),
    ]
    if step % 10_000 == 0:
        text = "fox said to the crow that the cheese was hers. " * 4
        events.append(Sample(prompt="The ", text=text, temperature=0.8, top_k=0, seed=step, **at))
        events.append(CheckpointSaved(path=f"checkpoints/step-{step:08}", reason="regular", **at))
        events.append(Alert(kind="gradient", severity="warning", message="The gradient was clipped.", **at))
    return events
