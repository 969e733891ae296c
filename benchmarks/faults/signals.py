"""Lost terminals, signals, and quitting in each phase."""

import signal
import time

import psutil

from benchmarks.faults.catalogue import check, fault
from benchmarks.faults.lab import SHELL, Lab, until
from benchmarks.faults.run import START_SECONDS, Run

INJECT = ("benchmarks.faults.inject",)


def _log(run: Run) -> str:
    path = run.path / "output.log"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@fault("closed-terminal", "the terminal of a run on the screen is closed", "it trains on, and its output is in its log")
def closed_terminal(lab: Lab) -> str:
    run, screen = lab.on_screen()
    run.wait_for_steps()
    trainer = run.trainer
    before = run.rate()
    screen.close()
    during = run.rate()
    lab.compare_rates(run, before, during)
    check(trainer.is_running(), "the trainer ended")
    until(lambda: "step" in _log(run), "a line in output.log")
    return "trains on"


@fault("hang-up", "SIGHUP to a run on the screen", "it trains on, and its output is in its log")
def hang_up(lab: Lab) -> str:
    run, _ = lab.on_screen()
    run.wait_for_steps()
    run.process.send_signal(signal.SIGHUP)
    until(lambda: any(each["name"] == "detach" for each in run.of("command")), "the detaching")
    run.wait_for_steps()
    until(lambda: "step" in _log(run), "a line in output.log")
    return "trains on"


@fault("hang-up-loading", "SIGHUP to a run on the screen before it has a directory", "as later: trains on, with a log")
def hang_up_loading(lab: Lab) -> str:
    run, screen = lab.on_screen()
    until(lambda: len(screen.raw) > 1000, "the first frame")
    trainer = run.trainer
    run.process.send_signal(signal.SIGHUP)
    run.wait_for_steps()
    check(trainer.is_running(), "the trainer ended")
    until(lambda: "step" in _log(run), "a line in output.log")
    return "trains on"


@fault("sigterm", "SIGTERM amid training", "saves and ends with 143 within two seconds")
def sigterm(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_steps()
    run.process.terminate()
    status, seconds = run.quits("SIGTERM")
    check(status == 128 + signal.SIGTERM, f"status {status}")
    check(run.saved == run.step, f"step {run.step} was reached, and step {run.saved} saved")
    return f"step {run.saved} saved after {seconds:.1f} s"


@fault("sigusr1", "SIGUSR1 amid training", "saves a checkpoint and trains on")
def sigusr1(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_steps()
    run.process.send_signal(signal.SIGUSR1)
    until(lambda: any(each["reason"] == "asked" for each in run.of("checkpoint")), "the checkpoint")
    run.wait_for_steps()
    return "saved, and trains on"


@fault("ctrl-c", "SIGINT amid training without a screen", "saves and ends with 0 within two seconds")
def ctrl_c(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_steps()
    run.process.send_signal(signal.SIGINT)
    status, seconds = run.quits("SIGINT")
    check(status == 0, f"status {status}")
    check(run.saved == run.step, f"step {run.step} was reached, and step {run.saved} saved")
    return f"step {run.saved} saved after {seconds:.1f} s"


@fault("ctrl-c-twice", "SIGINT while the disk is slow, and a second one", "the second ends it at once")
def ctrl_c_twice(lab: Lab) -> str:
    run = lab.train(module=(*INJECT, "slow-save"))
    run.wait_for_steps()
    run.process.send_signal(signal.SIGINT)
    time.sleep(1.0)
    check(run.process.poll() is None, f"it ended by itself, with status {run.process.returncode}")
    run.process.send_signal(signal.SIGINT)
    status, seconds = run.quits("the second SIGINT", 0.0)
    check(status == 128 + signal.SIGINT, f"status {status}")
    return f"ended after {seconds:.2f} s"


def _quit(lab: Lab, run: Run, what: str, saved: bool) -> str:
    run.process.send_signal(signal.SIGINT)
    status, seconds = run.quits(f"SIGINT {what}")
    check(status == 0, f"status {status}: {lab.output[-200:]!r}")
    check(not saved or run.saved == run.step, f"step {run.step} was reached, and step {run.saved} saved")
    return f"ended after {seconds:.1f} s" + (f", step {run.saved} saved" if saved else "")


@fault("quit-loading", "SIGINT while torch is being loaded", "ends within two seconds")
def quit_loading(lab: Lab) -> str:
    run = lab.train()
    until(lambda: "loading torch" in lab.output, "the loading")
    return _quit(lab, run, "while loading", saved=False)


@fault("quit-measuring", "SIGINT while the machine is being measured", "ends within two seconds")
def quit_measuring(lab: Lab) -> str:
    run = lab.start("train", "--preset", "small", lab.corpus, "--name", "run")
    until(lambda: "measuring" in lab.output, "the measuring")
    time.sleep(0.5)
    return _quit(lab, run, "while measuring", saved=False)


@fault("quit-long-step", "SIGINT amid a step of many seconds", "ends within two seconds, the step before saved")
def quit_long_step(lab: Lab) -> str:
    run = lab.train("--accumulate", "50", module=(*INJECT, "slow-steps"))
    until(lambda: run.step == 20, "the slow step", START_SECONDS)
    time.sleep(1.0)
    return _quit(lab, run, "amid a step", saved=True)


@fault("quit-evaluation", "SIGINT amid a long evaluation", "ends within two seconds, with the last step saved")
def quit_evaluation(lab: Lab) -> str:
    run = lab.train("--eval-every", "25", module=(*INJECT, "slow-evaluation"))
    until(lambda: run.step == 25, "the evaluation", START_SECONDS)
    time.sleep(1.0)
    return _quit(lab, run, "amid an evaluation", saved=True)


@fault("quit-sampling", "SIGINT amid a long sample", "ends within two seconds, with the last step saved")
def quit_sampling(lab: Lab) -> str:
    run = lab.train("--sample-tokens", "5000", "--sample-every", "20")
    run.wait_for_steps(21)
    return _quit(lab, run, "amid a sample", saved=True)


@fault("stop-continue", "SIGSTOP, and three seconds later SIGCONT", "trains on as fast as before")
def stop_continue(lab: Lab) -> str:
    run = lab.train()
    run.wait_for_steps()
    before = run.rate()
    run.trainer.suspend()
    time.sleep(3.0)
    step = run.step
    run.trainer.resume()
    run.wait_for_steps()
    lab.compare_rates(run, before, run.rate())
    check(run.steps == list(range(1, run.steps[-1] + 1)), "steps are missing in the journal")
    return f"trains on from step {step}"


@fault("stop-continue-screen", "SIGSTOP to a run on the screen of a shell, and fg", "the job stops, and goes on")
def stop_continue_screen(lab: Lab) -> str:
    run, screen = lab.on_screen(SHELL)
    run.wait_for_steps()
    proxy = run.trainer
    (trainer,) = proxy.children()
    trainer.suspend()
    until(lambda: proxy.status() == psutil.STATUS_STOPPED, "the stopping of the process that the shell knows")
    screen.press("\n")
    run.wait_for_steps()
    check(proxy.status() != psutil.STATUS_STOPPED, "the process that the shell knows is still stopped")
    return "the whole job went on"
