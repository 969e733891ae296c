"""What is asked of a model, and what comes back: for the one who asked alone, and in no journal."""

from dataclasses import dataclass
from typing import ClassVar, Final

from tui_trainer.config import Config

MAX_ID: Final = 64
"""Characters in a request's id."""

MAX_TOKENS: Final = 10_000
"""In a sample that is asked for."""


@dataclass(frozen=True)
class Request:
    """Raises ValueError, with a sentence, for a wrong value."""

    name: ClassVar[str]
    id: str
    """Chosen by whoever asks, to tell the replies to several open requests apart."""

    def __post_init__(self) -> None:
        if not (isinstance(self.id, str) and 0 < len(self.id) <= MAX_ID):
            raise ValueError(f"A request's id is a text of 1 to {MAX_ID} characters.")


@dataclass(frozen=True)
class SampleRequest(Request):
    """Text that goes on from a prompt, by the weights as they are; the same weights and seed give the same text."""

    name = "sample"
    prompt: str
    temperature: float = 0.8
    tokens: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        Config().update(
            prompt=self.prompt, temperature=self.temperature, sample_tokens=self.tokens or 0, seed=self.seed
        )
        if self.tokens > MAX_TOKENS:
            raise ValueError(f"A sample that is asked for has at most {MAX_TOKENS:,} tokens.")


@dataclass(frozen=True)
class Reply:
    """The answer to the request of the same id."""

    name: ClassVar[str]
    id: str


@dataclass(frozen=True)
class SampleReply(Reply):
    name = "sample"
    prompt: str
    """The part of the prompt that the model knows."""
    text: str
    step: int
    """Of the weights."""


@dataclass(frozen=True)
class Refused(Reply):
    """The request cannot be answered; `reason` is a sentence for the user."""

    name = "refused"
    reason: str


REQUESTS: Final[dict[str, type[Request]]] = {kind.name: kind for kind in Request.__subclasses__()}
REPLIES: Final[dict[str, type[Reply]]] = {kind.name: kind for kind in Reply.__subclasses__()}
