"""Samples, written in slices between steps."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.training.helpers import load
from tui_trainer.config import SamplingConfig
from tui_trainer.corpus.corpus import Corpus
from tui_trainer.model.transformer import ModelShape, Transformer
from tui_trainer.run.events import Alert, Event, PartialSample, Sample
from tui_trainer.training.probes import sampling as module
from tui_trainer.training.probes.sampling import Sampler
from tui_trainer.training.probes.scheduler import ProbeScheduler


def never() -> bool:
    return False


def always() -> bool:
    return True


class Desk:
    """A sampler, its model and what it published."""

    def __init__(self, text: Corpus, **asked: Any) -> None:
        self.model = Transformer(ModelShape(text.tokenizer.vocab_size, context=8, layers=2, heads=2, width=16))
        self.model.initialise(torch.Generator().manual_seed(1))
        self.events: list[Event] = []
        config = SamplingConfig(**{"sample_tokens": 12, "prompt": "The", **asked})
        self.step = 0
        self.probes = ProbeScheduler()
        self.sampler = Sampler(self.model, text, config, 1, self.events.append, self.probes, lambda: self.step)

    def begin(self, step: int = 0) -> None:
        self.step = step
        self.sampler.write_regular(never, again=True)

    def write(self, step: int = 0) -> Sample:
        self.begin(step)
        return self.finish()

    def ask(self, step: int = 0) -> Sample:
        self.step = step
        self.sampler.write_asked()
        return self.finish()

    def write_token(self) -> None:
        self.probes.share(always)

    def finish(self) -> Sample:
        while self.sampler.busy:
            self.probes.share(never)
        sample = self.events[-1]
        assert isinstance(sample, Sample)
        return sample


@pytest.fixture(autouse=True)
def nothing_shown_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a sample may take so long that its beginning is shown."""
    monkeypatch.setattr(module, "PARTIAL_SECONDS", math.inf)


@pytest.fixture
def text(corpus: Path) -> Corpus:
    return load(corpus)


@pytest.fixture
def desk(text: Corpus) -> Desk:
    return Desk(text)


def test_a_sample_says_how_it_was_made(text: Corpus) -> None:
    sample = Desk(text, temperature=0.5, top_k=3, sample_tokens=7).write(step=40)
    assert (sample.step, sample.prompt, sample.temperature, sample.top_k, sample.seed) == (40, "The", 0.5, 3, 1)
    assert len(sample.text) == 7
    assert set(sample.text) <= set("".join(chr(code) for code in range(128)))


def test_regular_samples_repeat_and_asked_ones_differ(desk: Desk) -> None:
    assert desk.write(0).text == desk.write(5).text
    assert desk.ask(5).text != desk.ask(5).text


def test_a_slice_is_one_token_when_training_waits(desk: Desk) -> None:
    desk.begin()
    for _ in range(11):
        desk.write_token()
        assert desk.sampler.busy
        assert desk.events == []
    desk.write_token()
    assert not desk.sampler.busy
    assert len(desk.events) == 1


def test_slices_make_the_text_that_one_go_makes(text: Corpus) -> None:
    sliced = Desk(text)
    sliced.begin()
    while sliced.sampler.busy:
        sliced.write_token()
    (sample,) = sliced.events
    assert isinstance(sample, Sample)
    assert sample.text == Desk(text).write().text


def test_the_weights_are_those_of_when_it_began(text: Corpus) -> None:
    undisturbed, moved = Desk(text), Desk(text)
    moved.begin()
    moved.write_token()
    with torch.no_grad():
        for parameter in moved.model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(5)))
    assert moved.finish().text == undisturbed.write().text
    assert moved.write(1).text != undisturbed.write(1).text


def test_settings_changed_meanwhile_are_for_the_next_sample(desk: Desk) -> None:
    desk.begin()
    desk.write_token()
    desk.sampler.temperature, desk.sampler.prompt = 0.1, "dog"
    first = desk.finish()
    assert (first.temperature, first.prompt) == (0.8, "The")
    second = desk.write(1)
    assert (second.temperature, second.prompt) == (0.1, "dog")


def test_samples_asked_for_wait_for_the_one_being_written_and_are_of_the_step_they_begin_at(desk: Desk) -> None:
    desk.begin(step=3)
    desk.write_token()
    desk.step = 4
    desk.sampler.write_asked()
    desk.sampler.write_asked()
    desk.step = 5
    desk.finish()
    samples = [(event.step, event.seed) for event in desk.events if isinstance(event, Sample)]
    assert samples == [(3, 1), (5, 2), (5, 3)]


def test_a_sample_is_refused_where_as_many_as_may_be_wait(desk: Desk) -> None:
    for _ in range(1 + module.WAITING_LIMIT + 2):
        desk.sampler.write_asked()
    assert [event.message for event in desk.events if isinstance(event, Alert)] == [module.TOO_MANY] * 2
    desk.finish()
    seeds = [event.seed for event in desk.events if isinstance(event, Sample)]
    assert seeds == list(range(2, 3 + module.WAITING_LIMIT))


def test_a_sample_has_the_weights_of_its_step(text: Corpus) -> None:
    undisturbed, moved = Desk(text), Desk(text)
    moved.begin()
    with torch.no_grad():
        moved.model.lm_head.weight.mul_(-1)
    assert moved.finish().text == undisturbed.write().text


@pytest.mark.parametrize(
    ("prompt", "used", "told"),
    [
        ("The \u20ac cat\x1b", "The  cat", "Left out of the prompt, as the text never has it: \u20ac\u241b"),
        ("\u20ac", "", "The text has no character of the prompt: samples begin as the text does."),
    ],
)
def test_unknown_characters_of_a_prompt_are_told(desk: Desk, prompt: str, used: str, told: str) -> None:
    assert desk.sampler.known_part(prompt) == used
    (alert,) = desk.events
    assert isinstance(alert, Alert) and (alert.kind, alert.severity) == ("prompt", "warning")
    assert alert.message == told


def test_of_many_unknown_characters_some_are_told(desk: Desk) -> None:
    desk.sampler.known_part("The " + "".join(map(chr, range(0x4E00, 0x4E80))))
    (alert,) = desk.events
    assert isinstance(alert, Alert) and alert.message.endswith("\u2026") and len(alert.message) < 80


def test_of_a_known_prompt_nothing_is_told(desk: Desk) -> None:
    assert desk.sampler.known_part("The cat") == "The cat"
    assert desk.events == []


@pytest.mark.parametrize("prompt", ["\u20ac\u00e9", ""])
def test_a_prompt_with_nothing_to_go_on_from_begins_as_the_corpus_does(text: Corpus, prompt: str) -> None:
    sample = Desk(text, prompt=prompt).write()
    assert sample.prompt == ""
    assert sample.text == Desk(text, prompt="T").write().text


def test_a_prompt_longer_than_the_context(text: Corpus) -> None:
    sample = Desk(text, prompt="The cat sat on the mat, and the dog lay by the door.").write()
    assert len(sample.text) == 12


def test_what_is_written_shows_before_it_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTIAL_SECONDS", -1.0)
    desk.begin()
    for _ in range(12):
        desk.write_token()
    parts = [event.text for event in desk.events if isinstance(event, PartialSample)]
    sample = desk.events[-1]
    assert isinstance(sample, Sample)
    assert parts == [sample.text[:length] for length in range(1, 12)]


def test_the_model_being_trained_is_left_alone(desk: Desk) -> None:
    desk.model.train()
    desk.write()
    assert desk.model.training
    assert all(parameter.requires_grad for parameter in desk.model.parameters())
