"""Answers requests about a run without a trainer, from its newest checkpoint."""

from collections.abc import Callable

from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.directory import RunDirectory
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.checkpoints.store import CheckpointStore
from tui_trainer.training.planning.calibration import use_threads
from tui_trainer.training.probes.requests import RequestContext, answer
from tui_trainer.training.probes.source import Probe


def load_answerer(directory: RunDirectory) -> Callable[[OpenRequest], Probe]:
    """What answers requests with the newest checkpoint of a run; raises InputError where there is none to read."""
    config = directory.read_config()
    with directory.open() as folder:
        checkpoint, _ = CheckpointStore(folder, config.run.keep).newest()
    use_threads(config.run.threads)
    model = Transformer(checkpoint.shape).eval().requires_grad_(False)
    model.load_qwen3_weights(checkpoint.weights)
    tokenizer = Tokenizer.from_json(checkpoint.tokenizer)
    context = RequestContext(model, tokenizer, checkpoint.progress.step, config.sampling.top_k)
    return lambda opened: answer(opened, lambda: context)
