"""A run cut anywhere between its last step and the end of its process: resumed, it ends as if it had not been cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.run import journals
from tests.unit.training.cuts import Cuts
from tests.unit.training.helpers import Resumed, ScriptedSession, small_config
from tui_trainer.config import Config
from tui_trainer.run.directory import RunDirectory
from tui_trainer.run.events import Evaluation, Sample, StateChanged, Step

WORSE: dict[str, Any] = {"lr": 3.0, "warmup": 11, "eval_every": 2}
"""A learning rate that grows until it spoils what was learned by step 2."""

ENDS: dict[str, tuple[int, int, bool, dict[str, Any]]] = {
    "best at its end": (12, 12, False, {"sample_every": 6}),
    "best before its end": (12, 2, False, {**WORSE, "sample_every": 5}),
    "out of patience": (6, 2, False, {**WORSE, "patience": 2, "checkpoint_every": 1}),
    "out of patience, and saved by hand": (6, 2, True, {**WORSE, "patience": 2}),
}
"""A run's last step, its best one, whether a checkpoint is asked for after its last evaluation, its settings."""


def told(run: RunDirectory) -> dict[str, list[Any]]:
    """What the journal has of a run, without times; what was told again after a cut counts once."""
    events = list(journals.without_superseded(run.journal))
    kept: dict[str, list[Any]] = {
        "steps": [(e.step, e.loss, e.lr, e.grad_norm, e.weight_norm) for e in events if isinstance(e, Step)],
        "evaluations": [(e.step, e.train_loss, e.val_loss, e.best) for e in events if isinstance(e, Evaluation)],
        "samples": [(e.step, e.prompt, e.text, e.seed, e.model) for e in events if isinstance(e, Sample)],
        "end": [(e.step, e.reason, e.model) for e in events if isinstance(e, StateChanged) and e.state == "finished"],
    }
    return {name: list(dict.fromkeys(values)) for name, values in kept.items()}


def kept(run: RunDirectory) -> dict[str, Any]:
    """Every file of the checkpoints, by its path; but not why and from where the process saved."""
    files: dict[str, Any] = {
        str(path.relative_to(run.path)): path.read_bytes() for path in run.checkpoints.glob("[!.]*/*") if path.is_file()
    }
    for name in filter(lambda name: name.endswith("trainer.json"), files):
        progress = json.loads(files[name])
        assert progress["parent"] != Path(name).parent.name, "a checkpoint is its own parent"
        files[name] = {key: progress[key] for key in progress.keys() - {"reason", "parent", "sha256_of_this"}}
    return files | {name: (run.checkpoints / name).read_bytes() for name in ("latest", "best")}


@pytest.mark.parametrize(("end", "precision"), [*((end, "fp32") for end in ENDS), ("best before its end", "bf16")])
def test_a_cut_run_has_the_end_it_would_have_had(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, precision: str
) -> None:
    last, best, save, settings = ENDS[end]
    session = ScriptedSession(small_config(corpus, precision=precision, dropout=0.2, **settings))
    with monkeypatch.context() as patches:
        cuts = Cuts(tmp_path, last, save, patches).run(session)
    whole = session.directory_of_run
    assert session.snapshot().step == last
    assert session.snapshot().best_evaluation.step == best  # type: ignore[union-attr]
    assert len(cuts) > 10, "places were missed"

    planned = 12
    for number, cut in enumerate(cuts):
        run = RunDirectory(cut)
        # Half of them with --steps; and each once more, which changes nothing.
        for steps in (planned if number % 2 else None, None):
            resumed = Resumed(run, steps)
            resumed.run()
            assert resumed.outcome is not None and resumed.outcome.status == 0, resumed.outcome
            assert resumed.snapshot().state == "finished"
            assert told(run) == told(whole), f"{cut.name} of {len(cuts)}"
            assert kept(run) == kept(whole), f"{cut.name} of {len(cuts)}"
            assert Config.from_toml(run.config).schedule.steps == planned
