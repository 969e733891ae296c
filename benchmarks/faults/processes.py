"""Kills of the proxy process and of the trainer."""

import signal

import psutil

from benchmarks.faults.catalogue import check, fault
from benchmarks.faults.lab import Lab, until
from benchmarks.faults.run import QUIT_SECONDS, patience


@fault("kill-stand-in", "kill -9 of the process that the shell knows", "the trainer saves and ends within two seconds")
def kill_stand_in(lab: Lab) -> str:
    run, _ = lab.on_screen()
    run.wait_for_steps()
    trainer = run.trainer
    check(trainer.pid != run.process.pid, "there is only one process")
    run.process.kill()
    seconds = until(lambda: not _alive(trainer), "the end of the trainer", patience(QUIT_SECONDS))
    check(run.saved == run.step, f"step {run.step} was reached, and step {run.saved} saved")
    return f"step {run.saved} saved, ended after {seconds:.1f} s"


@fault("kill-trainer", "kill -9 of the process that trains", "a usable terminal, and a word on it")
def kill_trainer(lab: Lab) -> str:
    run, screen = lab.on_screen()
    run.wait_for_steps()
    run.trainer.kill()
    status = run.ends("the end of the trainer")
    check(status == 128 + signal.SIGKILL, f"status {status}")
    until(lambda: screen.last_words, "a word after the screen was left", patience(QUIT_SECONDS))
    check(screen.usable, "the terminal does not echo, or hands on no lines")
    return f"the terminal is usable, and says: {screen.last_words}"


@fault("kill-and-resume", "kill -9 of a run without a screen, and resume", "goes on from the newest checkpoint")
def kill_and_resume(lab: Lab) -> str:
    run = lab.train("--checkpoint-every", "50")
    run.wait_for_checkpoint()
    run.process.kill()
    run.process.wait(30)
    saved = run.saved
    status, output = lab.ask("status")
    check(status == 0 and "dead" in output, f"status tells {output!r}")
    run = lab.start("resume")
    until(lambda: [each["step"] for each in run.of("run")][1:], "the resume")
    resumed = run.of("run")[-1]["step"]
    check(resumed == saved, f"resumed at step {resumed}, though step {saved} was saved")
    run.wait_for_steps()
    return f"went on from step {resumed}"


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
