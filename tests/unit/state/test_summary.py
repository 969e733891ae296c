"""What is left on the terminal after a run."""

from dataclasses import replace
from pathlib import Path

from tests.unit.state.folded import evaluation, look, sample, started, state, step
from tui_trainer.run.advice import program
from tui_trainer.run.events import CheckpointSaved, Event
from tui_trainer.state.summary import summary

SAVED = CheckpointSaved(step=3, path="runs/cats/checkpoints/step-00000003", reason="finished")
RUN: list[Event] = [
    started(),
    state("running", 100.0),
    *(step(number) for number in range(1, 4)),
    evaluation(2, 2.0, best=True),
    evaluation(3, 2.5, best=False),
]


def test_no_run_leaves_nothing() -> None:
    assert summary(look()) == ""


def test_a_finished_run() -> None:
    lines = summary(look(*RUN, SAVED, state("finished", 104.0, 3)), (sample(0, "xq\nz"), sample(3, "cat"))).splitlines()
    assert lines[0] == "cats: finished at step 3 of 100 after 3s of training."
    text = "\n".join(lines)
    assert "Training loss 2.0000, smoothed over the last steps." in text
    assert "Validation loss 2.5000, perplexity 12.18." in text
    assert "est validation loss 2.0000, at step 2" in text
    assert "Knowing only how frequent each token is would give 3.3000." in text
    at = lines.index("First sample with this prompt, step 0:")
    assert lines[at : at + 5] == [
        "First sample with this prompt, step 0:",
        "  | Thexq",
        "  | z",
        "Last sample with this prompt, step 3:",
        "  | Thecat",
    ]
    assert lines[-3:] == [
        "Checkpoint: runs/cats/checkpoints/step-00000003",
        "Go on with:",
        f"  {program()} resume {Path('runs/cats').absolute()} --again",
    ]


def test_both_models_of_a_finished_run_are_named() -> None:
    samples = sample(0, "xq"), replace(sample(3, "cat"), model="last"), replace(sample(2, "dog"), model="best")
    lines = summary(look(*RUN, SAVED, state("finished", 104.0, 3)), samples).splitlines()
    at = lines.index("Last, step 3:")
    assert lines[at : at + 4] == ["Last, step 3:", "  | Thecat", "Best by validation, step 2:", "  | Thedog"]


def test_a_failed_run_says_why() -> None:
    text = summary(look(*RUN, state("failed", 104.0, 3, "Out of\x1b[2Jmemory.")))
    assert "cats: failed at step 3" in text
    assert "Out of\u241b[2Jmemory." in text
    assert text.endswith("No checkpoint was saved.")


def test_every_loss_is_told_with_its_age() -> None:
    """Steps after the last evaluation: the training loss that it told is an old one."""
    later = [step(number, loss=1.0) for number in range(4, 60)]
    text = summary(look(*RUN, *later, state("stopped", 200.0, 59)))
    assert "Training loss 1.0" in text
    assert "Validation loss 2.5000 at step 3, perplexity 12.18." in text


def test_a_run_without_an_evaluation_tells_its_training_loss() -> None:
    assert "Training loss 2.0000, smoothed" in summary(look(started(), step(1), step(2)))


def test_a_run_without_an_evaluation() -> None:
    text = summary(look(started(), state("stopped", 101.0)))
    assert text == "cats: stopped at step 0 of 100 after 0s of training.\nNo checkpoint was saved."


def test_a_path_with_spaces_can_be_pasted() -> None:
    text = summary(look(started(path="my runs/cats"), SAVED))
    assert text.endswith(f"Go on with:\n  {program()} resume '{Path('my runs/cats').absolute()}'")


def test_nothing_in_it_can_move_a_cursor() -> None:
    evil = "\x1b]0;x\x07\u202e\r"
    saved = CheckpointSaved(step=3, path=evil, reason=evil)
    text = summary(
        look(started(run=evil, path=evil), saved, state("failed", 1.0, 0, evil)),
        (sample(0, evil, prompt=evil), sample(1, evil * 500)),
    )
    assert text.replace("\n", "").isprintable()


def test_a_long_sample_is_cut() -> None:
    text = summary(look(*RUN, SAVED), (sample(0, "word " * 1000), sample(3, "line\n" * 1000)))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines.count("  | ...") == 2
    assert len(lines) < 30
