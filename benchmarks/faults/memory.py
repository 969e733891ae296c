"""Out-of-memory errors in each phase that allocates much memory."""

from benchmarks.faults.catalogue import check, fault
from benchmarks.faults.lab import Lab

EXPECTED = "survived, or told in a sentence"

STEPS = ("--steps", "120", "--eval-every", "40", "--sample-every", "30", "--checkpoint-every", "40")


def _short_of_memory(lab: Lab, where: str) -> str:
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


@fault("memory-calibration", "too little memory while the machine is measured", EXPECTED)
def calibration(lab: Lab) -> str:
    return _short_of_memory(lab, "calibration")


@fault("memory-update", "too little memory while the weights are updated", EXPECTED)
def update(lab: Lab) -> str:
    return _short_of_memory(lab, "update")


@fault("memory-evaluation", "too little memory in an evaluation", EXPECTED)
def evaluation(lab: Lab) -> str:
    return _short_of_memory(lab, "evaluation")


@fault("memory-sampling", "too little memory in a sample", EXPECTED)
def sampling(lab: Lab) -> str:
    return _short_of_memory(lab, "sampling")


@fault("memory-saving", "too little memory for the copy that a checkpoint is written from", EXPECTED)
def saving(lab: Lab) -> str:
    return _short_of_memory(lab, "saving")
