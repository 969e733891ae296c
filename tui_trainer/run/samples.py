"""What a sample is called where it is shown, and which samples tell what a run has learned."""

from collections.abc import Mapping, Sequence
from typing import Final

from tui_trainer.run.events import BEST, LAST, PartialSample, Sample

MODELS: Final = {LAST: "last", BEST: "best by validation"}
"""What the models of a finished run are called where they are shown."""


def sample_label(sample: Sample | PartialSample) -> str:
    """The step whose weights wrote a sample, and at the end of a run which of its models that is."""
    model = MODELS.get(sample.model)
    return f"{model}, step {sample.step:,}" if model else f"step {sample.step:,}"


def telling_samples(newest_first: Sequence[Sample], first: Mapping[str, Sample]) -> tuple[Sample, ...]:
    """The first and the last sample with the newest prompt that has two; `first` has the first one of each prompt.

    At the end of a run that has two models the last sample of each stands for the last one. Empty where no prompt has
    two samples.
    """
    for newest in newest_first:
        begin = first[newest.prompt]
        if newest is begin:
            continue
        alike = [sample for sample in newest_first if sample.prompt == newest.prompt and sample is not begin]
        by_model = {sample.model: sample for sample in reversed(alike)}
        ends = [by_model[model] for model in MODELS if model in by_model] if newest.model in MODELS else [newest]
        return begin, *ends
    return ()
