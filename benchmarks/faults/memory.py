"""Out-of-memory errors in each phase that allocates much memory."""

from functools import partial

from benchmarks.faults.catalogue import check, fault
from benchmarks.faults.lab import Lab

EXPECTED = "survived, or told in a sentence"

PHASES = {
    "calibration": "while the machine is measured",
    "update": "while the weights are updated",
    "evaluation": "in an evaluation",
    "sampling": "in a sample",
    "saving": "for the copy that a checkpoint is written from",
}

STEPS = ("--steps", "120", "--eval-every", "40", "--sample-every", "30", "--checkpoint-every", "40")


def _out_of_memory(lab: Lab, where: str) -> str:
    module = ("benchmarks.faults.inject", f"memory-{where}")
    run = lab.train(*STEPS, module=module, long=False)
    status = run.ends("the run of 120 steps")
    check("Traceback" not in lab.output, "a traceback was shown")
    last = run.of("state")[-1] if run.of("state") else {}
    if status == 0:
        check(last.get("state") == "finished", f"status 0, though the run is {last.get('state')}")
        output = [str(each["message"]) for each in run.of("alert") if "memory" in each["message"]]
        return "survived" + (f": {output[0]}" if output else "")
    output = [line for line in lab.output.splitlines() if "memory" in line and "Error" not in line]
    check(output, f"status {status}, and no sentence of memory: {lab.output.strip().splitlines()[-1:]}")
    return output[-1]


for where, when in PHASES.items():
    fault(f"memory-{where}", f"too little memory {when}", EXPECTED)(partial(_out_of_memory, where=where))
