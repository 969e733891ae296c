"""A decoder-only transformer with exactly the architecture of Hugging Face's Qwen3.

RMSNorm before each block (Zhang & Sennrich 2019), rotary positions (Su et al. 2021) after a norm of each head's queries
and keys, SwiGLU (Shazeer 2020), no biases, untied embeddings. Shapes: B sequences, T tokens, H heads of width D.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tui_trainer.model.cache import Cache

ROPE_THETA: Final = 10_000.0
NORM_EPS: Final = 1e-6

EMBEDDING_STD: Final = 0.5
"""Of the size of what trained layers add to the residual stream, so that the token dominates it at first."""

EXPLICIT_ATTENTION_UP_TO: Final = 128
"""Longest window for which plain matrix products are faster on a CPU than the fused attention kernel."""

FUSED: Final = {
    "self_attn.qkv_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj"),
}
"""Matrices with the same input, fused here for speed; in a file they are Qwen3's separate ones."""


@dataclass(frozen=True)
class ModelShape:
    """The sizes that determine a model's parameters, and the share of activations dropped in training."""

    vocab_size: int
    context: int
    layers: int
    heads: int
    width: int
    dropout: float = 0.0

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def hidden_width(self) -> int:
        """Width inside the SwiGLU: 8/3 of the model's, rounded up to a multiple of 8.

        Its three matrices have as many parameters as the two of an MLP of width 4x (Shazeer 2020).
        """
        return math.ceil(self.width * 8 / 3 / 8) * 8

    @property
    def parameter_count(self) -> int:
        return sum(map(math.prod, self.qwen3_shapes().values()))

    def qwen3_shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights under Qwen3's names, without a model.

        Even one on the meta device would load all of torch.compile: a second at every start of a run.
        """
        width, hidden, head = (self.width,), self.hidden_width, (self.head_width,)
        square, table = width * 2, (self.vocab_size, self.width)
        layer = {
            **{f"self_attn.{name}_proj": square for name in "qkvo"},
            **{f"self_attn.{name}_norm": head for name in "qk"},
            **dict.fromkeys(("mlp.gate_proj", "mlp.up_proj"), (hidden, *width)),
            "mlp.down_proj": (*width, hidden),
            **dict.fromkeys(("input_layernorm", "post_attention_layernorm"), width),
        }
        layers = {f"layers.{n}.{name}": shape for n in range(self.layers) for name, shape in layer.items()}
        decoder = {"embed_tokens": table, **layers, "norm": width}
        return {f"model.{name}.weight": shape for name, shape in decoder.items()} | {"lm_head.weight": table}

    def to_qwen3(self) -> dict[str, Any]:
        """The `config.json` of a Hugging Face Qwen3ForCausalLM of this shape."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "vocab_size": self.vocab_size,
            "hidden_size": self.width,
            "intermediate_size": self.hidden_width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads,
            "head_dim": self.head_width,
            "hidden_act": "silu",
            "max_position_embeddings": self.context,
            "rms_norm_eps": NORM_EPS,
            "rope_theta": ROPE_THETA,
            "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_THETA},
            "tie_word_embeddings": False,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "use_sliding_window": False,
            "torch_dtype": "float32",
        }


Extend = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Appends keys and values to a layer's cache, and returns all it holds."""


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last dimension."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), NORM_EPS)


def rotary_table(length: int, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines for positions 0 to length-1, each (length, head_width), for `rotate`."""
    frequencies = ROPE_THETA ** (-torch.arange(0, head_width, 2, dtype=torch.float32) / head_width)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate each pair (i, i + D/2) of x (B, H, T, D) by its position's angle."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Causal attention; queries (B, H, T, D), keys and values (B, H, S, D), S = T or, for a single query, S >= 1.

    Both branches compute softmax(q k' * scale + mask) v. For short windows plain matrix products are faster on a CPU
    than the fused kernel, which does not store the T x T scores.
    """
    length = q.shape[2]
    if q.device.type != "cpu" or not 1 < length <= EXPLICIT_ATTENTION_UP_TO:
        # Several tokens are only passed with an empty cache, so the causal mask is square.
        return F.scaled_dot_product_attention(q, k, v, is_causal=length > 1, scale=scale)
    mask = torch.full((length, length), -torch.inf, dtype=q.dtype).triu(1)
    scores = torch.baddbmm(mask, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), alpha=scale)
    return torch.bmm(torch.softmax(scores, dim=-1), v.flatten(0, 1)).view_as(q)


class Attention(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.heads, self.scale = shape.heads, shape.head_width**-0.5
        self.qkv_proj = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.q_norm = RMSNorm(shape.head_width)
        self.k_norm = RMSNorm(shape.head_width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, extend: Extend | None) -> Tensor:
        """x (B, T, width) -> (B, T, width); with a cache to extend, x holds the tokens that follow those in it."""
        q, k, v = self.qkv_proj(x).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q = rotate(self.q_norm(q).transpose(1, 2), cos, sin)
        k = rotate(self.k_norm(k).transpose(1, 2), cos, sin)
        v = v.transpose(1, 2)
        if extend is not None:
            k, v = extend(k, v)
        return self.o_proj(attend(q, k, v, self.scale).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class MLP(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.gate_up_proj = nn.Linear(shape.width, 2 * shape.hidden_width, bias=False)
        self.down_proj = nn.Linear(shape.hidden_width, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)  # type: ignore[no-any-return]


class Layer(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(shape.width)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RMSNorm(shape.width)
        self.mlp = MLP(shape)
        self.dropout = shape.dropout

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, extend: Extend | None) -> Tensor:
        x = x + self._drop(self.self_attn(self.input_layernorm(x), cos, sin, extend))
        return x + self._drop(self.mlp(self.post_attention_layernorm(x)))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class Decoder(nn.Module):
    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.width)
        cos, sin = rotary_table(shape.context, shape.head_width)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, tokens: Tensor, cache: Cache | None) -> Tensor:
        start = cache.length if cache is not None else 0
        end = start + tokens.shape[1]
        cos, sin = self.get_buffer("cos")[start:end], self.get_buffer("sin")[start:end]
        x = self.embed_tokens(tokens)
        for number, layer in enumerate(self.layers):
            # What may be compiled is `layer(...)`, for the one shape of the training batches; the rest is called as it
            # is, with the hooks that are registered.
            run = layer if self.training else layer._call_impl
            x = run(x, cos, sin, partial(cache.extend, number) if cache is not None else None)  # type: ignore[no-untyped-call]
        if cache is not None:
            cache.length = end
        return self.norm(x)  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """A language model: token ids (B, T), T at most the context -> logits (B, T, vocab_size)."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Decoder(shape)
        self.lm_head = nn.Linear(shape.width, shape.vocab_size, bias=False)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        return self.lm_head(self.model(tokens, cache))  # type: ignore[no-any-return]

    def loss(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats per token, for ids (B, T) and the ids that follow them (B, T)."""
        return F.cross_entropy(self(tokens).flatten(0, 1).float(), targets.flatten())

    def row_losses(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """The mean of each row (B,), for which `loss` has one mean."""
        losses = F.cross_entropy(self(tokens).flatten(0, 1).float(), targets.flatten(), reduction="none")
        return losses.view_as(targets).mean(1)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Random weights: every layer starts as the identity, and the first loss near ln(vocab_size)."""
        for name, parameter in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.zero_()
            elif name.endswith("embed_tokens.weight"):
                parameter.normal_(std=EMBEDDING_STD, generator=generator)
            elif name.endswith("lm_head.weight"):
                parameter.normal_(std=0.02, generator=generator)
            elif parameter.ndim == 2:
                parameter.normal_(std=parameter.shape[1] ** -0.5, generator=generator)

    def qwen3_weights(self) -> dict[str, Tensor]:
        """The weights under Qwen3's names, without a copy."""
        weights = dict(self.state_dict())
        for name in list(weights):
            for fused, parts in FUSED.items():
                if fused in name:
                    pieces = weights.pop(name).chunk(len(parts))
                    weights |= {name.replace(fused, part): piece for part, piece in zip(parts, pieces, strict=True)}
        return weights

    @torch.no_grad()
    def load_qwen3_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Copy weights under Qwen3's names; raises KeyError for a missing one, RuntimeError for another shape."""
        for name, own in self.qwen3_weights().items():
            own.copy_(weights[name])

    @property
    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
