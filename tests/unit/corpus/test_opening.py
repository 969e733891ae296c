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
        ("# one line of code", "# one"),
        ("A fox met a crow", "A fox"),
        ("  1. Once upon a time", "1. Once"),
        ("x = y + z", "x"),
        ("0\tabc\tdef", "0\tabc"),
        ("1 2 3 4 5 6 7 8 9 10 11 12 13 14", "1"),
        ("left-hand\nleft-hand\nright\nright\n", "right"),
        ("子曰。學而時習之。不亦說乎。", "子曰。學而時習之。不亦說"),
        ("\x7fELF\x02\x01\x01", "ELF"),
        ("\x00\x01\udc90\n MZ\udc90 caf", "MZ"),
        ("Donaudampfschifffahrt", "Donaudampfsc"),
        ("\udcff\udcfe", "\n"),
        ("", "\n"),
    ],
)
def test_it_is_what_sentences_or_lines_often_begin_with(text: str, chosen: str) -> None:
    assert opening(text) == chosen
    assert len(opening(text)) <= LONGEST
