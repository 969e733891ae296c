"""The files of one checkpoint: safetensors and JSON, nothing that can run code.

`model.safetensors`, `config.json` and `tokenizer.json` are a Hugging Face Qwen3 model; `optimizer.safetensors` and
`trainer.json` are what resuming needs beside them, `rollback.safetensors` the states of earlier steps that a rollback
may have to go back to. `trainer.json` has the hashes of all the others, and its own.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from tui_trainer.config import InputError
from tui_trainer.run.pointers import MAX_TRAINER_BYTES, TRAINER_FILE

MODEL, OPTIMIZER, ROLLBACK = "model.safetensors", "optimizer.safetensors", "rollback.safetensors"
SHAPE_FILE, TOKENIZER_FILE = "config.json", "tokenizer.json"
FILES: Final = (SHAPE_FILE, MODEL, OPTIMIZER, TOKENIZER_FILE)
"""Those that every checkpoint has, beside the last that is written."""

LAST_FILE: Final = TRAINER_FILE
HASHES, OWN_HASH = "sha256", "sha256_of_this"
ROLLBACK_STEPS: Final = "rollback_steps"
BRANCHES, PARENT = "branches", "parent"
"""The lineage as pairs of branch and step; the name of the checkpoint that the process had gone on from, if any."""

MAX_BYTES: Final = {LAST_FILE: MAX_TRAINER_BYTES, SHAPE_FILE: 2**20, TOKENIZER_FILE: 2**27}
MAX_STATES: Final = {MODEL: 1, OPTIMIZER: 2, ROLLBACK: 6}
"""How many times the numbers of a model a file may hold: AdamW remembers two for each weight, a rollback has two states
of weights and optimizer."""

SIZES: Final = {
    "vocab_size": "vocab_size",
    "context": "max_position_embeddings",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "width": "hidden_size",
}
"""The fields of a ModelShape, and their names in `config.json`."""

MAX_SIZE: Final = 2**21
"""Of a model in any direction; there are fewer characters than that."""


class DamagedError(InputError):
    """A checkpoint is proven not to be as it was written."""


def sealed(trainer: Mapping[str, Any], hashes: Mapping[str, str]) -> str:
    """`trainer.json` with the hashes of the other files, and of itself without that last line."""
    record = {**trainer, HASHES: dict(hashes)}
    return json.dumps({**record, OWN_HASH: hashlib.sha256(json.dumps(record).encode()).hexdigest()}, indent=1)
