"""Text generation."""

import math

import pytest
import torch

from tests.unit.training.helpers import small_model
from tui_trainer.model.cache import Cache
from tui_trainer.model.generation import Generation, next_token
from tui_trainer.model.transformer import Transformer

PROMPT = [1, 5, 2]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def generate(
    model: Transformer,
    prompt: list[int] = PROMPT,
    length: int = 5,
    temperature: float = 1.0,
    top_k: int = 0,
    seed: int = 1,
) -> list[int]:
    generation = Generation(model, prompt, length, temperature, top_k, seed)
    while not generation.done:
        generation.advance()
    assert len(generation.tokens) == length
    return generation.tokens


def confident_model() -> Transformer:
    """One whose tokens are not all about equally likely."""
    model = small_model()
    with torch.no_grad():
        model.lm_head.weight.mul_(10)
    return model


def test_the_cache_gives_the_logits_of_a_full_pass() -> None:
    model = small_model()
    tokens = torch.randint(0, 11, (1, 8), generator=generator())
    with torch.no_grad():
        full = model(tokens)
        for first in range(1, 8):
            cache = Cache(layers=2, heads=2, context=8, head_width=8, like=model.lm_head.weight)
            parts = [model(tokens[:, :first], cache)]
            parts += [model(tokens[:, place : place + 1], cache) for place in range(first, 8)]
            torch.testing.assert_close(torch.cat(parts, dim=1), full, rtol=1e-5, atol=1e-5)
            assert cache.length == 8


def test_a_cleared_cache_is_empty() -> None:
    model = small_model()
    cache = Cache(layers=2, heads=2, context=8, head_width=8, like=model.lm_head.weight)
    with torch.no_grad():
        first = model(torch.tensor([[3, 4, 5]]), cache)
        cache.clear()
        assert torch.equal(model(torch.tensor([[3, 4, 5]]), cache), first)


def test_temperature_0_takes_the_likeliest() -> None:
    model = confident_model()
    written = generate(model, temperature=0)
    history = list(PROMPT)
    for token in written:
        with torch.no_grad():
            assert token == model(torch.tensor([history]))[0, -1].argmax().item()
        history.append(token)
    assert generate(model, temperature=0, seed=2) == written


def test_top_k_1_takes_the_likeliest() -> None:
    model = confident_model()
    assert generate(model, top_k=1, temperature=2.0) == generate(model, temperature=0)


def test_the_text_depends_on_the_seed() -> None:
    model = small_model()
    assert generate(model) == generate(model)
    assert len({tuple(generate(model, seed=seed)) for seed in range(5)}) == 5


@pytest.mark.parametrize("length", [1, 6, 7, 30])
@pytest.mark.parametrize("prompt", [[4], PROMPT, list(range(8)), [*range(11), *range(11)]])
def test_generation_continues_past_the_context(length: int, prompt: list[int]) -> None:
    assert set(generate(small_model(), prompt, length)) <= set(range(11))


def test_past_the_context_it_continues_from_the_second_half() -> None:
    model = confident_model()
    written = generate(model, list(range(8)), length=2, temperature=0)
    with torch.no_grad():
        assert written[0] == model(torch.tensor([list(range(8))]))[0, -1].argmax().item()
        window = [5, 6, 7, written[0]]
        assert written[1] == model(torch.tensor([window]))[0, -1].argmax().item()


def test_only_the_last_of_a_long_prompt_counts() -> None:
    model = confident_model()
    assert generate(model, [9, 9, 9, *range(8)]) == generate(model, list(range(8)))


# -- drawing -------------------------------------------------------------------------------------------------------


def shares(logits: list[float], temperature: float, top_k: int = 0, draws: int = 2000) -> list[float]:
    source = generator()
    drawn = [next_token(torch.tensor(logits), temperature, top_k, source) for _ in range(draws)]
    return [drawn.count(token) / draws for token in range(len(logits))]


def test_tokens_are_drawn_by_their_probability() -> None:
    logits = [math.log(0.5), math.log(0.3), math.log(0.2)]
    assert shares(logits, 1.0) == pytest.approx([0.5, 0.3, 0.2], abs=0.04)
    assert shares(logits, 0.5) == pytest.approx([0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38], abs=0.04)


def test_top_k_leaves_the_others_out() -> None:
    logits = [math.log(0.5), math.log(0.1), math.log(0.4)]
    assert shares(logits, 1.0, top_k=2) == pytest.approx([5 / 9, 0, 4 / 9], abs=0.04)
    assert shares(logits, 1.0, top_k=3) == shares(logits, 1.0, top_k=100) == shares(logits, 1.0, top_k=0)


@pytest.mark.parametrize("temperature", [5e-324, 1e-50, 1e-45, 1e-30, 1e-3])
def test_a_temperature_near_0_is_as_0(temperature: float) -> None:
    assert shares([1.0, 3.0, 2.0], temperature, draws=20) == [0, 1, 0]


@pytest.mark.parametrize("logit", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("temperature", [0, 0.8])
def test_a_diverged_model_generates_without_an_error(logit: float, temperature: float) -> None:
    assert next_token(torch.full((5,), logit), temperature, 3, generator()) in range(5)
    token = next_token(torch.tensor([1.0, logit, 2.0]), temperature, 0, generator())
    assert token == 1 if logit == math.inf else token in range(3)
