"""What a sample is called where it is shown, and which samples show what a run has learned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from tui_trainer.run.events import BEST, LAST, PartialSample, Sample

MODELS: Final = {LAST: "last", BEST: "best by validation"}
"""What the models of a finished run are called where they are shown."""


def sample_label(sample: Sample | PartialSample) -> str:
    """The step whose weights wrote a sample, and at the end of a run which of its models that is."""
    model = MODELS.get(sample.model)
    return f"{model}, step {sample.step:,}" if model else f"step {sample.step:,}"


def same_sample(one: Sample, other: Sample) -> bool:
    """Whether a resumed run has written again, at the step it was resumed at, what it had written there before.

    It may call the model by another name then: that of a run of more steps was not yet one of two.
    """
    return replace(one, time=other.time, model=other.model) == other


def compared_samples(newest_first: Sequence[Sample], first: Mapping[str, Sample]) -> tuple[Sample, ...]:
    """The first and the last sample with the newest prompt that has two; `first` has the first one of each prompt.

    At the end of a run that has two models the last sample of each stands for the last one. Empty where no prompt has
    two samples.
    """
    for newest in newest_first:
        begin = first[newest.prompt]
        if same_sample(newest, begin):
            continue
        alike = [sample for sample in newest_first if sample.prompt == newest.prompt and not same_sample(sample, begin)]
        by_model = {sample.model: sample for sample in reversed(alike)}
        ends = [by_model[model] for model in MODELS if model in by_model] if newest.model in MODELS else [newest]
        return begin, *ends
    return ()
