"""Run directories that are moved or damaged, or contain links and pipes."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.faults.catalogue import Failed, check, fault
from benchmarks.faults.lab import Lab, until
from benchmarks.faults.run import Run

SHORT: Final = ("--steps", "100", "--eval-every", "50", "--sample-every", "50", "--checkpoint-every", "50")

FILES: Final = ("journal.jsonl", "trainer.lock", "config.toml", "output.log", "traceback.txt", "checkpoints/latest")
"""Files that are replaced by a link or a pipe."""

ENDS: Final = (0, 1, 2)


def _finished(lab: Lab) -> Run:
    """A run that has ended, with checkpoints at steps 50 and 100."""
    run = lab.train(*SHORT, long=False)
    check(run.ends("the run of 100 steps") == 0, f"the run failed: {lab.output[-200:]}")
    return Run(run.path, run.process)


def _resume(lab: Lab, *more: str) -> tuple[int, str]:
    status, output = lab.ask("resume", "run", "--headless", *(more or ("--steps", "150")))
    check("Traceback" not in output, f"a traceback was shown: {output[-200:]}")
    check(status in ENDS, f"status {status}")
    return status, output


def _truncate(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size // 2)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: Final[dict[str, Callable[[Path], object]]] = {
    "half a model": lambda path: _truncate(path / "model.safetensors"),
    "a flipped bit in the optimizer": lambda path: _flip(path / "optimizer.safetensors"),
    "an empty trainer.json": lambda path: (path / "trainer.json").write_bytes(b""),
    "a trainer.json of brackets": lambda path: (path / "trainer.json").write_bytes(b"[" * 100_000),
    "no config.json": lambda path: (path / "config.json").unlink(),
}


@fault(
    "damaged-checkpoints", f"the newest checkpoint has {', '.join(DAMAGES)}", "goes on from the one before, and says so"
)
def damaged_checkpoints(lab: Lab) -> str:
    run = _finished(lab)
    for step, (damage, harm) in enumerate(DAMAGES.items()):
        newest = run.path / "checkpoints" / f"step-{run.saved:08}"
        harm(newest)
        status, output = _resume(lab, "--steps", str(150 + 50 * step))
        check(status == 0, f"{damage}: status {status}, {output.strip().splitlines()[-1:]}")
        check("broken" in output or "damaged" in output, f"{damage}: not told of")
        aside = [path.name for path in newest.parent.iterdir() if path.name.startswith(".unreadable")]
        check(aside, f"{damage}: the checkpoint was not kept aside")
    return f"{len(DAMAGES)} damages, each went on from the checkpoint before"


@fault("passing-read-failure", "a file of the newest checkpoint cannot be read once", "the checkpoint is not set aside")
def passing_read_failure(lab: Lab) -> str:
    run = _finished(lab)
    planted = ("benchmarks.faults.inject", "passing-read-failure")
    resumed = lab.start("resume", "run", "--steps", "150", module=planted)
    status = resumed.ends("the resume")
    check((run.path / "checkpoints" / "step-00000100" / "trainer.json").exists(), "it was set aside")
    check(status in ENDS and "Traceback" not in lab.output, f"status {status}: {lab.output[-200:]}")
    taken_up = run.of("run")[-1]["step"]
    check(status != 0 or taken_up == 100, f"went on from step {taken_up}, though step 100 is whole")
    return "trained on from it" if status == 0 else lab.output.strip().splitlines()[-1]


@fault("garbage-journal", "noise, NULs and brackets in the journal", "the run is resumed, listed and shown")
def garbage_journal(lab: Lab) -> str:
    run = _finished(lab)
    noise = random.Random(1).randbytes(200_000)
    with (run.path / "journal.jsonl").open("ab") as journal:
        journal.write(noise + b"\n" + b"\0" * 100_000 + b"\n" + b"[" * 100_000 + b'\n{"event": "step", "step": 1e9')
    status, output = _resume(lab)
    check(status == 0, f"status {status}: {output.strip().splitlines()[-1:]}")
    check(lab.ask("status", "run")[1].startswith("run  finished"), "status does not tell of it")
    check(lab.ask("runs")[0] == 0, "runs failed")
    check(Run(run.path, run.process).steps[-50:] == list(range(101, 151)), "the new steps cannot be read")
    return "resumed to step 150"


@fault("stale-lock", "a lock file of a process that is gone, and one of noise", "the run is resumed")
def stale_lock(lab: Lab) -> str:
    run = _finished(lab)
    for step, left in enumerate((b'{"pid": 999999999, "host": "elsewhere"}\n', b"\xff\0" * 50_000)):
        (run.path / "trainer.lock").write_bytes(left)
        status, output = _resume(lab, "--steps", str(150 + 50 * step))
        check(status == 0, f"status {status}: {output.strip().splitlines()[-1:]}")
    return "resumed twice"


@fault("deleted-lock", "trainer.lock is deleted while the run is trained", "no second trainer is let in")
def deleted_lock(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_checkpoint()
    (run.path / "trainer.lock").unlink()
    status, output = lab.ask("resume", "run", "--headless", "--steps", "2000000")
    check(status == 2, f"the second trainer ended with status {status}: {output.strip().splitlines()[-1:]}")
    run.wait_for_steps()
    return output.strip().splitlines()[-1]


@fault("moved-directory", "the run's directory is moved while it is trained", "trained on in its new place")
def moved_directory(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_checkpoint()
    old, new = run.path, lab.place / "elsewhere" / "moved"
    new.parent.mkdir()
    old.rename(new)
    run.path = new
    run.wait_for_steps()
    saved = run.saved
    until(lambda: run.saved > saved, "a checkpoint in the new place", 30.0)
    status, output = lab.ask("status", new)
    check(status == 0 and "running" in output, f"status says {output!r}")
    run.process.send_signal(signal.SIGTERM)
    run.ends("SIGTERM")
    check(run.saved == run.step, f"step {run.step} was reached, and step {run.saved} saved")
    check(
        not old.exists(), f"{sorted(path.name for path in old.iterdir()) if old.is_dir() else ''} came into the old one"
    )
    return f"trained on, step {run.saved} saved there"


def _in_place_of(lab: Lab, put: Callable[[Path], None]) -> list[str]:
    """Let `put` replace each of the files in turn, then show and resume the run; returns the outputs of `resume`."""
    run = _finished(lab)
    output: list[str] = []
    for step, name in enumerate(FILES):
        path = run.path / name
        kept = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        put(path)
        try:
            for command in (("status", "run"), ("runs",)):
                check("Traceback" not in lab.ask(*command, seconds=30.0)[1], f"{name}: {command[0]} shows a traceback")
            output.append(_resume(lab, "--steps", str(150 + 50 * step))[1])
        except Failed as failed:
            raise Failed(f"{name}: {failed}") from failed
        path.unlink(missing_ok=True)
        if kept is not None:
            path.write_bytes(kept)
    return output


@fault("links", f"links to a stranger's file in place of {', '.join(FILES)}", "none is followed")
def links(lab: Lab) -> str:
    victim = lab.place / "precious.txt"
    secret = "precious, and nobody's business\n"
    victim.write_text(secret, encoding="utf-8")
    output = _in_place_of(lab, lambda path: path.symlink_to(victim))
    check(victim.read_text(encoding="utf-8") == secret, "the stranger's file was written to")
    check(not any("nobody's business" in each for each in output), "the stranger's file was shown")
    return "the stranger's file is as it was"


@fault("link-to-a-directory", "a link to a stranger's directory in place of checkpoints", "it is not followed")
def link_to_a_directory(lab: Lab) -> str:
    run = _finished(lab)
    elsewhere = lab.place / "stranger"
    (run.path / "checkpoints").rename(elsewhere)
    (run.path / "checkpoints").symlink_to(elsewhere)
    before = sorted(path.name for path in elsewhere.iterdir())
    status, output = _resume(lab)
    check(sorted(path.name for path in elsewhere.iterdir()) == before, "checkpoints were written there")
    check(status != 0, "the run was resumed from there")
    return output.strip().splitlines()[-1]


@fault("fifos", f"pipes that nobody writes to in place of {', '.join(FILES)}", "none is waited for")
def fifos(lab: Lab) -> str:
    _in_place_of(lab, os.mkfifo)
    return "every command came to its end"
