"""nanoGPT's side: its model and optimizer in the loop of its train.py, with the settings of its CPU example."""

import json
import math
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from benchmarks.side import Turn, serve

BATCH, CONTEXT = 12, 64
LR, MIN_LR, WARMUP, DECAY, BETAS, CLIP = 1e-3, 1e-4, 100, 0.1, (0.9, 0.99), 1.0


def load_model(checkout: Path) -> ModuleType:
    sys.path.insert(0, str(checkout))
    import model  # type: ignore[import-not-found]

    return model


def learning_rate(step: int, steps: int) -> float:
    if step < WARMUP:
        return LR * (step + 1) / (WARMUP + 1)
    return MIN_LR + 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (steps - WARMUP))) * (LR - MIN_LR)


def read(corpus: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Characters as ids, the first nine tenths and the rest; how many there are."""
    text = corpus.read_text(encoding="utf-8")
    characters = sorted(set(text))
    rank = {character: number for number, character in enumerate(characters)}
    ids = np.array([rank[character] for character in text], dtype=np.uint16)
    return ids[: int(len(ids) * 0.9)], ids[int(len(ids) * 0.9) :], len(characters)


class Trainer:
    def __init__(self, checkout: Path, corpus: Path, steps: int, seed: int) -> None:
        self._train, self._val, vocabulary = read(corpus)
        torch.manual_seed(seed)
        module = load_model(checkout)
        config = module.GPTConfig(
            block_size=CONTEXT, vocab_size=vocabulary, n_layer=4, n_head=4, n_embd=128, dropout=0.0, bias=False
        )
        self._model = module.GPT(config)
        self._optimizer = self._model.configure_optimizers(DECAY, LR, BETAS, "cpu")
        self._step, self._steps = 0, steps
        self._batch = self._next_batch()

    def _next_batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        starts = torch.randint(len(self._train) - CONTEXT, (BATCH,)).tolist()
        rows = [torch.from_numpy(self._train[start : start + CONTEXT + 1].astype(np.int64)) for start in starts]
        windows = torch.stack(rows)
        return windows[:, :-1].contiguous(), windows[:, 1:].contiguous()

    def train(self, steps: int) -> Turn:
        started = time.perf_counter()
        for _ in range(steps):
            for group in self._optimizer.param_groups:
                group["lr"] = learning_rate(self._step, self._steps)
            _, loss = self._model(*self._batch)
            self._batch = self._next_batch()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), CLIP)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            loss.item()
            self._step += 1
        seconds = time.perf_counter() - started
        count = sum(parameter.numel() for parameter in self._model.parameters())
        return Turn(seconds, self._evaluate() if self._step == self._steps else None, count, BATCH * CONTEXT)

    @torch.no_grad()
    def _evaluate(self) -> float:
        """Over the whole validation part, in windows that do not overlap."""
        self._model.eval()
        total, full = 0.0, (len(self._val) - 1) // CONTEXT
        ids = torch.from_numpy(self._val.astype(np.int64))
        bounds = [(start * CONTEXT, min(full, start + 64) * CONTEXT) for start in range(0, full, 64)]
        for start, end in bounds:
            inputs, targets = ids[start:end].view(-1, CONTEXT), ids[start + 1 : end + 1].view(-1, CONTEXT)
            total += self._model(inputs, targets)[1].item() * (end - start)
        rest = slice(full * CONTEXT, len(ids) - 1), slice(full * CONTEXT + 1, len(ids))
        if len(ids[rest[0]]):
            total += self._model(ids[rest[0]][None], ids[rest[1]][None])[1].item() * len(ids[rest[0]])
        self._model.train()
        return total / (len(ids) - 1)


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    output, sys.stdout = sys.stdout, sys.stderr  # it prints while it is built
    trainer = Trainer(Path(settings["checkout"]), Path(settings["corpus"]), settings["steps"], settings["seed"])
    sys.stdout = output
    serve(trainer.train)
