"""Injects faults into real runs and prints the results: `python -m benchmarks.faults`, in about ten minutes.

Where the system allows it, it runs in mount and user namespaces of its own, so that no mount is left behind.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.faults import directories, disk, memory, processes, signals, viewers
from benchmarks.faults.catalogue import FAULTS, Failed, Fault, Skipped
from benchmarks.faults.lab import Lab

PLAYED: Final = (signals, processes, disk, directories, memory, viewers)

NAMESPACE: Final = "TUI_TRAINER_FAULTS_NAMESPACE"
"""Set in a process in a namespace of its own, to the user's id outside it."""


@dataclass(frozen=True)
class Result:
    fault: Fault
    verdict: str
    """pass, FAIL or skip."""
    came: str
    seconds: float
    ratio: float | None = None


def play(fault: Fault) -> Result:
    """Play one fault in a directory of its own, and end every process that it started."""
    began = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix="faults-"))
    lab = Lab(place)
    try:
        verdict, came = "pass", fault.play(lab)
    except Skipped as skipped:
        verdict, came = "skip", str(skipped)
    except Failed as failed:
        verdict, came = "FAIL", str(failed)
    except Exception as error:  # an error in the fault itself, or a missing file
        verdict, came = "FAIL", repr(error)
    finally:
        lab.close()
        lab.remove()
    return Result(fault, verdict, " ".join(came.split()), time.monotonic() - began, lab.ratio)


def table(results: list[Result]) -> str:
    rows = ["| fault | verdict | seconds | rate | what came out |", "|---|---|---|---|---|"]
    for each in results:
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        rows.append(f"| {each.fault.name} | {each.verdict} | {each.seconds:.1f} | {ratio} | {each.came} |")
    return "\n".join(rows)


def _enter_namespace() -> None:
    """Re-execute this program as root in new user and mount namespaces, if this user may make them."""
    if NAMESPACE in os.environ:
        return
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return
    if possible:
        os.environ[NAMESPACE] = str(os.geteuid())
        os.execvp(unshare[0], [*unshare, sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--list", action="store_true", help="name the faults, and play none")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{each.name}: {each.done}; expected: {each.expected}." for each in FAULTS.values()))
        return
    _enter_namespace()
    results = []
    for name in arguments.only:
        fault = FAULTS[name]
        print(f"{name}: {fault.done}\n    expected: {fault.expected}", flush=True)
        results.append(result := play(fault))
        rate = "" if result.ratio is None else f", {result.ratio:.2f} of the usual training rate"
        print(f"    {result.verdict}: {result.came} ({result.seconds:.1f} s{rate})", flush=True)
    failed = [each.fault.name for each in results if each.verdict == "FAIL"]
    print(f"\n{table(results)}\n\nFailed: {', '.join(failed) or 'none'}.")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
