"""The prompt that is chosen for a text."""

import pytest

from tui_trainer.corpus.opening import LONGEST, opening

PROSE = "A cat sat. The fox ran away. The hen slept. Then it rained. The end came."
WRAPPED = "A cat sat. The fox\nran away. The hen\nran too. Then it\nran. The end came.\n"
CODE = "# A comment.\nimport os\n\ndef one():\n    return 1\n    return 2\n    return 3\n\ndef two():\n    pass\n" * 3


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (PROSE, "The"),
        (WRAPPED, "The"),
        (CODE, "def"),
        ("Once upon a time", "Once"),
        ("# one line of code", "#"),
        ("Donaudampfschifffahrt", "Donaudampfsc"),
        ("\udcff\udcfe", "\n"),
        ("", "\n"),
    ],
)
def test_it_is_what_sentences_or_lines_often_begin_with(text: str, chosen: str) -> None:
    assert opening(text) == chosen
    assert len(opening(text)) <= LONGEST
