"""Every benchmark runs with small sizes; the killed runs are in test_torture.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import engine
from benchmarks.engine import Benchmark
from benchmarks.faults import disk
from benchmarks.faults.__main__ import play, table
from benchmarks.faults.catalogue import FAULTS, Fault, Skipped, check
from benchmarks.faults.lab import Lab
from benchmarks.history import __main__ as history
from benchmarks.screen import __main__ as screen
from tests.waiting import TIMEOUT

SMALL: dict[str, str | float] = {
    **{"layers": 1, "width": 16, "heads": 2, "context": 16, "batch_size": 4},
    **{"threads": 1, "precision": "fp32", "compile": "off"},
}

FAKE_MODEL = """
from dataclasses import dataclass
import torch

@dataclass
class GPTConfig:
    block_size: int
    vocab_size: int
    n_layer: int
    n_head: int
    n_embd: int
    dropout: float
    bias: bool

class GPT(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.table = torch.nn.Embedding(config.vocab_size, config.vocab_size)

    def forward(self, ids, targets):
        logits = self.table(ids)
        return logits, torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def configure_optimizers(self, weight_decay, lr, betas, device):
        print("a stand-in, which knows how often a character follows another")
        return torch.optim.AdamW(self.parameters(), lr=lr, betas=betas, weight_decay=weight_decay)
"""
"""What the benchmark needs of nanoGPT's model.py."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TURNS", 2)
    monkeypatch.setattr(engine, "SPEED_STEPS", 2)
    monkeypatch.setattr(engine, "FRACTIONS", (1.0,))


def rows(output: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines() if line.startswith("|")
    ]


def test_the_engine_against_a_fake_nanogpt(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "model.py").write_text(FAKE_MODEL, encoding="utf-8")
    benchmark = Benchmark(corpus, tmp_path / "checkout", 20, SMALL)
    seconds_per_step = benchmark._speed()
    assert list(seconds_per_step) == ["nanoGPT", "ours"]
    assert min(seconds_per_step.values()) > 0
    assert [row[0] for row in rows(capfd.readouterr().out)[2:]] == ["nanoGPT", "ours"]  # below two lines of heading
    # The steps of a race depend on the measured speed, so they are fixed here.
    monkeypatch.setattr(benchmark, "_speed", lambda: {"nanoGPT": 0.001, "ours": 0.001})
    benchmark.compare([1])
    output = capfd.readouterr()
    races = rows(output.out)[2:]
    assert [row[0] for row in races] == ["nanoGPT", "ours, 20 steps"]
    for row in races:
        assert 0.0 < float(row[4]) < 4.0, "a side without a loss after its last step"
    assert "terminate called" not in output.err


def test_a_side_that_cannot_start_is_an_error(corpus: Path) -> None:
    with pytest.raises(SystemExit, match="ours, 10,000 steps ended early"):
        Benchmark(corpus, None, 20, {**SMALL, "heads": 5})._speed()


def test_runs_are_opened_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "TIMES", 1)
    found = history.measured(tmp_path, 9_000)
    cells = rows(history.table({9_000: found}))
    assert cells[0] == ["", "9,000 steps", "goal"]
    assert [row[0] for row in cells[2:]] == list(history.GOALS)
    assert all(value > 0 for name, value in found.items() if name != "open megabytes")
    assert list(tmp_path.iterdir()) == []


def test_faults_that_the_program_handles_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_mounted", lambda *_: False)  # as for a user who may not mount one
    results = [play(FAULTS[name]) for name in ("sigusr1", "full-disk-end")]
    assert [each.verdict for each in results] == ["pass", "pass"], table(results)


def test_a_fault_that_the_program_does_not_handle_fails() -> None:
    def falls(lab: Lab) -> str:
        check(lab.ask("runs")[0] == 7, "the runs were listed all the same")
        return "never"

    def cannot(lab: Lab) -> str:
        raise Skipped("there is no such disk")

    failed, skipped = (play(Fault("a", "b", "c", each)) for each in (falls, cannot))
    assert (failed.verdict, failed.came) == ("FAIL", "the runs were listed all the same")
    assert (skipped.verdict, skipped.came) == ("skip", "there is no such disk")
    assert [row[1] for row in rows(table([failed, skipped]))[2:]] == ["FAIL", "skip"]


def test_the_faults_are_listed_without_being_played() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--list"], capture_output=True, text=True, timeout=TIMEOUT
    )
    assert {line.partition(":")[0] for line in listed.stdout.splitlines()} == set(FAULTS)


def test_the_screen_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    screen.main(["--only", "frames", "first", "--pairs", "1"])
    frames, first = capsys.readouterr().out.splitlines()[2:]
    assert "10 million steps" in frames and float(frames.split("|")[3].split()[0]) < 3
    assert "first frame" in first and float(first.split("|")[3]) < 30
