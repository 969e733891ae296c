"""Requests are answered by probes: each looks at a copy of the weights, a little at a time."""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui_trainer.corpus.tokenizer import Tokenizer
from tui_trainer.model.generation import Generation
from tui_trainer.model.transformer import Transformer
from tui_trainer.run.requests import Refused, Reply, Request, SampleReply, SampleRequest
from tui_trainer.sessions.requests import OpenRequest
from tui_trainer.training.memory import within_memory
from tui_trainer.training.probes.frozen import FrozenModel
from tui_trainer.training.probes.scheduler import ProbeScheduler
from tui_trainer.training.probes.source import Probe, ProbeSource

UNKNOWN_PROMPT: Final = "The prompt has no character that the corpus has: give it one."


@dataclass(frozen=True)
class RequestContext:
    """What a request is answered with: the weights of `step`, which nothing changes meanwhile."""

    model: Transformer
    tokenizer: Tokenizer
    step: int
    top_k: int


def write_sample(request: SampleRequest, context: RequestContext) -> Generator[None, None, Reply]:
    prompt, _ = context.tokenizer.known_part(request.prompt)
    ids = context.tokenizer.encode(prompt)
    if not len(ids):
        return Refused(request.id, UNKNOWN_PROMPT)
    writing = Generation(context.model, ids.tolist(), request.tokens, request.temperature, context.top_k, request.seed)
    while not writing.done:
        writing.advance()
        yield
    return SampleReply(request.id, prompt, context.tokenizer.decode(writing.tokens), context.step)


ANSWERS: Final[Mapping[type[Request], Callable[[Any, RequestContext], Generator[None, None, Reply]]]] = {
    SampleRequest: write_sample,
}


def answer(opened: OpenRequest, get_context: Callable[[], RequestContext]) -> Probe:
    """Answer a request, with a refusal if that fails, unless it was cancelled."""
    if opened.given_up:
        return
    try:
        work = ANSWERS[type(opened.request)](opened.request, within_memory(get_context))
        while not opened.given_up:
            within_memory(lambda: next(work))
            yield
    except StopIteration as end:
        opened.answer(end.value)
    except MemoryError:
        opened.refuse("There is too little memory to answer it.")
    except Exception as error:  # what one viewer asks must not end the run
        opened.refuse(f"It could not be answered ({type(error).__name__}: {error}).")


class RequestHandler(ProbeSource):
    """Answers requests one after the other, with the weights of when each is begun. For the trainer's thread alone."""

    def __init__(
        self,
        model: Transformer,
        tokenizer: Tokenizer,
        top_k: int,
        scheduler: ProbeScheduler,
        step: Callable[[], int],
    ) -> None:
        """`step` gives the step whose weights the model has."""
        self._frozen, self._tokenizer, self._top_k = FrozenModel(model), tokenizer, top_k
        self._scheduler, self._step = scheduler, step
        self._waiting: deque[OpenRequest] = deque()
        self._busy = False

    def answer(self, opened: OpenRequest) -> bool:
        """Answer it between the steps to come; False for one that the table has no function for."""
        if type(opened.request) not in ANSWERS:
            return False
        self._waiting.append(opened)
        if not self._busy:
            self._busy = True
            self._scheduler.add(self._answer_all(), budgeted=True)
        return True

    def drop(self) -> None:
        """Give up what has been begun; whoever asked is refused when the run is over."""
        self._waiting.clear()
        self._frozen.drop()
        self._busy = False

    def _answer_all(self) -> Probe:
        while self._waiting:
            yield from answer(self._waiting.popleft(), self._context)
        self._frozen.drop()
        self._busy = False

    def _context(self) -> RequestContext:
        return RequestContext(self._frozen.freeze(), self._tokenizer, self._step(), self._top_k)
