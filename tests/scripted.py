"""A session without a trainer that publishes a scripted run, for tests and snapshots."""

import math
import random
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.runs import run_started
from tests.waiting import TIMEOUT
from tui_trainer.analysis.schedules import Schedule
from tui_trainer.run.commands import (
    Command,
    Generate,
    Pause,
    Resume,
    SaveCheckpoint,
    SetPrompt,
    SetTemperature,
    StepOnce,
    Stop,
    UseModel,
)
from tui_trainer.run.events import (
    SAMPLE,
    Alert,
    CheckpointSaved,
    CommandApplied,
    Evaluation,
    Event,
    PartialSample,
    Resources,
    Sample,
    Stage,
    StateChanged,
    Step,
)
from tui_trainer.sessions.base import Outcome, Session

BEGIN = 1_700_000_000.0
SECONDS_A_STEP = 0.042
TOKENS_A_STEP = 768
VOCABULARY = 65

RUN = run_started(
    time=BEGIN,
    run="fables",
    path="runs/fables",
    corpus="fables",
    versions={"tui-trainer": "0.1"},
    device="cpu",
    precision="fp32",
    preset="nano",
    parameters=808_320,
    layers=4,
    width=128,
    heads=4,
    context=64,
    tokenizer="char",
    vocab_size=VOCABULARY,
    fingerprint="0123456789abcdef",
    train_tokens=1_003_854,
    val_tokens=111_540,
    unigram_entropy=3.3,
    tokens_per_epoch=1_003_776,
    tokens_per_step=TOKENS_A_STEP,
    steps=5_000,
    schedule="wsd",
    lr=3e-3,
    min_lr=0.0,
    warmup=100,
    clip=1.0,
    temperature=0.8,
    prompt="The ",
)

PLAN = RUN.plan

WRITTEN = {
    250: "mhe toe sand an the whe, ther fo thas in he wat and bene.",
    500: "fox sawd the wolf and the bart of the hen, and said the lion was goind.",
    750: "lion was walking by the river when he saw a mouse who could not cross.",
    1000: "crow said to the fox, “You are wise, but I have the cheese.” And she flew to a higher branch of the oak.",
}

STAGES = ("reading the corpus", "loading PyTorch", "building the tokenizer", "encoding")


class ScriptedSession(Session):
    """Publishes `events` when made, records the commands sent, and with `answer` replies at once as a trainer would."""

    def __init__(self, events: Sequence[Event] = (), answer: bool = True) -> None:
        super().__init__()
        self.commands: list[Command] = []
        self.ended = threading.Event()
        self._answer = answer
        for event in events:
            self.publish(event)

    def run(self) -> None:
        self.ended.wait(TIMEOUT)
        self.outcome = Outcome()

    def send(self, command: Command) -> None:
        self.commands.append(command)
        if self._answer:
            self.reply(command)

    def reply(self, command: Command) -> None:
        now = self.snapshot()
        at: dict[str, Any] = {"step": now.step, "time": BEGIN + now.step * SECONDS_A_STEP}
        self.publish(CommandApplied(name=command.name, value=command.argument, source=command.source, **at))
        match command:
            case Pause():
                self.publish(StateChanged(state="paused", **at))
            case Resume():
                self.publish(StateChanged(state="running", **at))
            case StepOnce():
                self.publish(step_event(now.step + 1))
            case SaveCheckpoint():
                self.publish(CheckpointSaved(path=f"checkpoints/step-{now.step:08}", reason="asked", **at))
            case Generate():
                self.publish(sample_event(now.step, "wolf was hungry.", now.temperature, now.prompt))
            case Stop():
                self.ended.set()
            case UseModel(value=model):
                self.publish(StateChanged(state="finished", model=model, **at))
            case SetTemperature() | SetPrompt():
                pass


def smooth_loss(step: int) -> float:
    return 1.45 + 2.7 * math.exp(-step / 120) + 0.35 * math.exp(-step / 1500)


def noisy_loss(step: int) -> float:
    return smooth_loss(step) + random.Random(step).gauss(0, 0.06)


def step_event(step: int, **changes: Any) -> Step:
    noise = random.Random(step + 7).gauss(0, 1)
    values: dict[str, Any] = {
        "loss": noisy_loss(step),
        "lr": Schedule(PLAN.schedule, PLAN.lr, PLAN.min_lr, PLAN.warmup, PLAN.steps).at(step),
        "grad_norm": 0.55 + 2.2 * math.exp(-step / 60) + 0.12 * abs(noise) + (1.4 if step == 700 else 0),
        "weight_norm": 90 + 55 * (1 - math.exp(-step / 900)),
        "tokens": step * TOKENS_A_STEP,
        "step_seconds": SECONDS_A_STEP,
        "tokens_per_second": TOKENS_A_STEP / SECONDS_A_STEP,
    }
    return Step(step=step, time=BEGIN + step * SECONDS_A_STEP, **{**values, **changes})


def evaluation_event(step: int) -> Evaluation:
    loss = smooth_loss(step) + 0.09
    return Evaluation(
        step=step,
        time=BEGIN + step * SECONDS_A_STEP,
        train_loss=smooth_loss(step),
        val_loss=loss,
        perplexity=math.exp(loss),
        bits_per_byte=loss / math.log(2),
        best=True,
    )


def quick_evaluation_event(step: int) -> Evaluation:
    """Of a sample that is a little harder than the whole."""
    loss, error = evaluation_event(step).val_loss or 0.0, 0.03
    return replace(
        evaluation_event(step), train_loss=None, val_loss=loss + 0.02, best=False, part=SAMPLE, standard_error=error
    )


def sample_event(step: int, text: str, temperature: float = 0.8, prompt: str = RUN.sampling.prompt) -> Sample:
    time = BEGIN + step * SECONDS_A_STEP
    return Sample(step=step, time=time, prompt=prompt, text=text, temperature=temperature, top_k=0, seed=step)


def loading() -> list[Event]:
    """A run while loading, at 45 % of its last stage."""
    done: list[Event] = [Stage(stage=stage, time=BEGIN) for stage in STAGES[:-1]]
    return [*done, Stage(stage=STAGES[-1], done=450, total=1000, time=BEGIN)]


def running(until: int = 1_240) -> list[Event]:
    """A run after `until` steps, with evaluations, samples, a checkpoint, an alert and a sample being written."""
    events: list[Event] = [*loading(), RUN, StateChanged(state="running", time=BEGIN)]
    for step in range(1, until + 1):
        events += _one_step(step)
    time = BEGIN + until * SECONDS_A_STEP
    if until:
        text = "mouse went home, and told the others what"
        events.append(PartialSample(step=until, time=time, prompt=RUN.sampling.prompt, text=text, temperature=0.8))
    return events


def _one_step(step: int) -> list[Event]:
    time = BEGIN + step * SECONDS_A_STEP
    events: list[Event] = [step_event(step)]
    if step % 40 == 0 and step % 100:
        events.append(quick_evaluation_event(step))
    if step % 100 == 0:
        events.append(evaluation_event(step))
        events.append(Resources(step=step, time=time, memory_bytes=612_000_000, device_memory_bytes=0))
    if step in WRITTEN:
        events.append(sample_event(step, WRITTEN[step]))
    if step % 1000 == 0:
        events.append(
            CheckpointSaved(
                step=step, time=time, path=f"checkpoints/step-{step:08}", reason="regular", held_seconds=0.006
            )
        )
    if step == 700:
        message = "The gradient was three times its usual length; it was clipped."
        events.append(Alert(step=step, time=time, kind="gradient", severity="warning", message=message))
    return events


def paused(until: int = 1_240) -> list[Event]:
    return [*running(until), StateChanged(step=until, time=BEGIN + 60, state="paused")]


def finished() -> list[Event]:
    last = PLAN.steps
    saved = CheckpointSaved(step=last, time=BEGIN + 210, path="checkpoints/step-00005000", reason="finished")
    return [*running(last)[:-1], saved, StateChanged(step=last, time=BEGIN + 210, state="finished")]


def overfitted() -> list[Event]:
    """A finished run whose best model is that of step 500."""
    events = [event for event in finished() if not (isinstance(event, Evaluation) and event.step > 500)]
    best, last = (
        replace(sample_event(step, text), model=model)
        for step, text, model in ((500, "fox sawd the wolf.", "best"), (PLAN.steps, "fox knows this by heart.", "last"))
    )
    return [*events[:-1], best, last, replace(events[-1], model="best")]  # type: ignore[type-var]


def failed(reason: str = "The loss is not finite: lower --lr, or resume from a checkpoint.") -> list[Event]:
    return [*running(), StateChanged(step=1_240, time=BEGIN + 60, state="failed", reason=reason)]
