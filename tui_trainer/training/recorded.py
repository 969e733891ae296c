"""Answers requests about a run without a trainer, from its newest checkpoint."""

from collections.abc import Callable

from tui_trainer.config import InputError
from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.model.transformer import Transformer
from tui_trainer.run import alerts
from tui_trainer.run.alerts import Severity
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Event
from tui_trainer.run.text import visible_line
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.checkpoints.store import CheckpointStore, NoCheckpointError
from tui_trainer.training.planning.calibration import use_threads
from tui_trainer.training.probes.requests import RequestContext, answer
from tui_trainer.training.probes.source import Probe


def load_answerer(directory: RunDirectory, publish: Callable[[Event], None]) -> Callable[[OpenRequest], Probe]:
    """What answers requests with the newest checkpoint of a run; raises InputError where there is none to read.

    An alert is published where newer ones are damaged.
    """
    config = directory.read_config()
    try:
        with directory.open() as folder:
            checkpoint, damaged = CheckpointStore(folder, config.run.keep).newest()
    except NoCheckpointError as error:
        name = visible_line(directory.name)
        raise InputError(f"The run {name} has no checkpoint that can be read, and so no model to ask.") from error
    if damaged:
        step = checkpoint.progress.step
        message = f"Requests are answered by the model of step {step:,}: {' and '.join(damaged)} cannot be read."
        publish(alerts.checkpoint(step, message, Severity.WARNING))
    use_threads(config.run.threads)
    model = Transformer(checkpoint.shape).eval().requires_grad_(False)
    model.load_qwen3_weights(checkpoint.weights)
    tokenizer = Tokenizer.from_json(checkpoint.tokenizer)
    context = RequestContext(model, tokenizer, checkpoint.progress.step, config.sampling.top_k)
    return lambda opened: answer(opened, lambda: context)
