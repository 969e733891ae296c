"""The transformer, against a reference written from the formulas."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.unit.training.helpers import small_model, small_shape
from tui_trainer.model.presets import PRESETS
from tui_trainer.model.transformer import ModelShape, Transformer

NANO = ModelShape(vocab_size=65, context=64, layers=4, heads=4, width=128)


def ids(batch: int = 3, length: int = 8, vocab_size: int = 11, seed: int = 0) -> Tensor:
    return torch.randint(0, vocab_size, (batch, length), generator=torch.Generator().manual_seed(seed))


def qwen3(weights: dict[str, Tensor], tokens: list[int], layers: int, heads: int) -> Tensor:
    """Logits (T, vocab_size) of Hugging Face's Qwen3 for one sequence, one head and one position at a time.

    After the Qwen3 technical report (arXiv 2505.09388) and `modeling_qwen3.py`: pre-norm, RMSNorm of each head's
    queries and keys, rotary positions on the two halves of a head, base 10,000, SwiGLU.
    """

    def rms_norm(x: Tensor, name: str) -> Tensor:
        return weights[f"{name}.weight"] * x / (x.pow(2).mean(dim=-1, keepdim=True) + 1e-6).sqrt()

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T

    def rotated(x: Tensor, position: int) -> Tensor:
        half = len(x) // 2
        out = torch.empty_like(x)
        for i in range(half):
            angle = position / 10_000 ** (2 * i / len(x))
            out[i] = x[i] * math.cos(angle) - x[i + half] * math.sin(angle)
            out[i + half] = x[i + half] * math.cos(angle) + x[i] * math.sin(angle)
        return out

    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(layers):
        at = f"model.layers.{layer}"
        inside = rms_norm(x, f"{at}.input_layernorm")
        q, k, v = (linear(inside, f"{at}.self_attn.{name}_proj").chunk(heads, dim=-1) for name in "qkv")
        mixed = torch.zeros_like(x)
        for head in range(heads):
            queries, keys = (
                [rotated(row, place) for place, row in enumerate(rms_norm(part[head], f"{at}.self_attn.{name}_norm"))]
                for name, part in (("q", q), ("k", k))
            )
            width = v[head].shape[1]
            for place, query in enumerate(queries):
                scores = torch.stack([query @ key for key in keys[: place + 1]]) / math.sqrt(width)
                shares = scores.exp() / scores.exp().sum()
                mixed[place, head * width : (head + 1) * width] = shares @ v[head][: place + 1]
        x = x + linear(mixed, f"{at}.self_attn.o_proj")
        inside = rms_norm(x, f"{at}.post_attention_layernorm")
        gate, up = linear(inside, f"{at}.mlp.gate_proj"), linear(inside, f"{at}.mlp.up_proj")
        x = x + linear(gate / (1 + (-gate).exp()) * up, f"{at}.mlp.down_proj")
    return linear(rms_norm(x, "model.norm"), "lm_head")


@pytest.mark.parametrize(("heads", "width", "layers"), [(2, 16, 2), (1, 8, 1), (4, 16, 3)])
def test_logits_equal_those_of_qwen3(heads: int, width: int, layers: int) -> None:
    model = small_model(heads=heads, width=width, layers=layers)
    tokens = ids()
    with torch.no_grad():
        logits, weights = model(tokens), model.qwen3_weights()
    for row in range(3):
        expected = qwen3(weights, tokens[row].tolist(), layers, heads)
        torch.testing.assert_close(logits[row], expected, rtol=1e-5, atol=1e-5)
    assert logits.std() > 0.05


def test_names_and_shapes_are_those_of_hugging_face() -> None:
    model = Transformer(small_shape())
    layer = {
        "input_layernorm.weight": (16,),
        "self_attn.q_proj.weight": (16, 16),
        "self_attn.k_proj.weight": (16, 16),
        "self_attn.v_proj.weight": (16, 16),
        "self_attn.o_proj.weight": (16, 16),
        "self_attn.q_norm.weight": (8,),
        "self_attn.k_norm.weight": (8,),
        "post_attention_layernorm.weight": (16,),
        "mlp.gate_proj.weight": (48, 16),
        "mlp.up_proj.weight": (48, 16),
        "mlp.down_proj.weight": (16, 48),
    }
    expected = {"model.embed_tokens.weight": (11, 16), "model.norm.weight": (16,), "lm_head.weight": (11, 16)}
    expected |= {f"model.layers.{number}.{name}": size for number in range(2) for name, size in layer.items()}
    assert {name: tuple(tensor.shape) for name, tensor in model.qwen3_weights().items()} == expected


def test_weights_round_trip_by_name() -> None:
    model, other = small_model(seed=1), small_model(seed=2)
    other.load_qwen3_weights({name: weight.clone() for name, weight in model.qwen3_weights().items()})
    assert all(torch.equal(one, copy) for one, copy in zip(model.parameters(), other.parameters(), strict=True))
    with torch.no_grad():
        assert torch.equal(model(ids()), other(ids()))


def test_weights_that_do_not_fit_are_refused() -> None:
    weights = small_model().qwen3_weights()
    with pytest.raises(RuntimeError):
        small_model(width=32).load_qwen3_weights(weights)
    with pytest.raises(KeyError, match=r"layers\.2"):
        small_model(layers=3).load_qwen3_weights(weights)


def test_config_json_describes_the_shape() -> None:
    config: dict[str, Any] = small_shape().to_qwen3()
    assert config["architectures"] == ["Qwen3ForCausalLM"]
    sizes = (
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "head_dim",
        "max_position_embeddings",
    )
    assert [config[name] for name in sizes] == [11, 16, 48, 2, 8, 8]
    assert config["num_attention_heads"] == config["num_key_value_heads"] == 2
    assert not config["tie_word_embeddings"]
    assert not config["attention_bias"]


def test_parameter_counts() -> None:
    assert Transformer(NANO).parameter_count == 808_576
    preset = PRESETS["nano"]
    assert (preset.layers, preset.heads, preset.width, preset.context) == (4, 4, 128, 64)
    small = PRESETS["small"]
    shape = ModelShape(65, small.context, small.layers, small.heads, small.width)
    assert shape.parameter_count == pytest.approx(10.7e6, rel=0.01)


def test_a_shape_knows_what_a_model_of_it_consists_of() -> None:
    model = small_model(vocab_size=13, layers=3, heads=4, width=24)
    assert model.shape.qwen3_shapes() == {name: tuple(held.shape) for name, held in model.qwen3_weights().items()}
    assert model.shape.parameter_count == model.parameter_count


def test_a_later_token_does_not_change_an_earlier_logit() -> None:
    model = small_model()
    tokens = ids(batch=1)
    with torch.no_grad():
        before = model(tokens)
        for place in range(8):
            changed = tokens.clone()
            changed[0, place] = (changed[0, place] + 1) % 11
            after = model(changed)
            assert torch.equal(after[:, :place], before[:, :place])
            assert (after[:, place:] != before[:, place:]).any(dim=-1).all()


def test_sequences_of_a_batch_are_independent() -> None:
    model = small_model()
    tokens = ids()
    with torch.no_grad():
        together = model(tokens)
        for row in range(3):
            torch.testing.assert_close(model(tokens[row : row + 1])[0], together[row])


@pytest.mark.parametrize("vocab_size", [11, 65, 1000])
def test_the_first_loss_is_that_of_guessing(vocab_size: int) -> None:
    model = Transformer(small_shape(vocab_size=vocab_size))
    model.initialise(torch.Generator().manual_seed(1))
    loss = model.loss(ids(16, vocab_size=vocab_size), ids(16, vocab_size=vocab_size, seed=1)).item()
    assert loss == pytest.approx(math.log(vocab_size), abs=0.05)


def test_the_weights_depend_on_the_seed() -> None:
    def weights(seed: int) -> Tensor:
        model = Transformer(small_shape())
        model.initialise(torch.Generator().manual_seed(seed))
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_every_layer_starts_as_the_identity() -> None:
    """So that the logits do not depend on the number of layers."""
    deep, shallow = Transformer(small_shape(layers=5)), Transformer(small_shape(layers=1))
    deep.initialise(torch.Generator().manual_seed(1))
    shallow.load_state_dict(deep.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(deep(ids()), shallow(ids()))


def test_dropout_is_active_in_training_only() -> None:
    model, plain = small_model(dropout=0.5), small_model()
    tokens = ids()
    with torch.no_grad():
        assert torch.equal(model.eval()(tokens), plain.eval()(tokens))
        torch.manual_seed(1)
        first, second = model.train()(tokens), model(tokens)
        assert not torch.equal(first, second)
        assert torch.equal(plain.train()(tokens), plain(tokens))


def test_the_loss_is_the_mean_cross_entropy() -> None:
    model = small_model()
    tokens, targets = ids(), ids(seed=1)
    with torch.no_grad():
        shares = torch.softmax(model(tokens), dim=-1)
        expected = -shares.gather(-1, targets[..., None]).log().mean()
        assert model.loss(tokens, targets).item() == pytest.approx(expected.item(), rel=1e-5)
