"""Tokenizers."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import tokenizers

from tests.waiting import TIMEOUT
from tui_trainer.config import InputError
from tui_trainer.corpus import tokenizer as module
from tui_trainer.corpus.reading import Scan
from tui_trainer.corpus.tokenizer import Tokenizer, bpe_vocab_size, choose_kind

HOSTILE = "\x1b[31m[bold]\x00\u202e</s><|endoftext|>\r\n"
FABLE = "The fox didn't see   the crow.\n\n\n  The crow, it's said, saw 123 foxes!\t \n" * 40


def any_unicode(seed: int, length: int = 3000) -> str:
    rng = random.Random(seed)
    ranges = [(0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000), (9, 33)]
    return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(length))


def every_kind(text: str = FABLE + HOSTILE) -> list[Tokenizer]:
    return [Tokenizer.characters(text), Tokenizer.bytes_(), Tokenizer.train_bpe([FABLE], 300)]


def test_a_character_is_its_rank() -> None:
    tokenizer = Tokenizer.characters("banana 🦊")
    assert tokenizer.vocab_size == 5
    assert tokenizer.encode(" abn🦊").tolist() == [0, 1, 2, 3, 4]


def test_a_byte_is_its_value() -> None:
    tokenizer = Tokenizer.bytes_()
    assert tokenizer.vocab_size == 256
    assert tokenizer.encode("aß").tolist() == [97, 0xC3, 0x9F]


def test_bpe_learns_merges_and_knows_every_byte() -> None:
    tokenizer = Tokenizer.train_bpe([FABLE], 280)
    assert tokenizer.vocab_size == 280
    assert len(tokenizer.encode(FABLE)) < len(FABLE) / 2
    assert tokenizer.decode(tokenizer.encode("文字")) == "文字"


def test_bpe_stops_where_nothing_repeats() -> None:
    assert Tokenizer.train_bpe(["ab"], 512).vocab_size == 256


@pytest.mark.parametrize("tokenizer", every_kind(), ids=lambda tokenizer: tokenizer.kind)
class TestEveryKind:
    def test_round_trip(self, tokenizer: Tokenizer) -> None:
        for text in (FABLE, HOSTILE, ""):
            assert tokenizer.decode(tokenizer.encode(text)) == text

    def test_agrees_with_hugging_face(self, tokenizer: Tokenizer) -> None:
        theirs = tokenizers.Tokenizer.from_str(tokenizer.to_json())
        for text in (FABLE, HOSTILE, "unseen: ©文"):
            assert tokenizer.encode(text).tolist() == theirs.encode(text).ids
            assert tokenizer.decode(tokenizer.encode(text)) == theirs.decode(theirs.encode(text).ids)

    def test_comes_back_from_json(self, tokenizer: Tokenizer) -> None:
        again = Tokenizer.from_json(tokenizer.to_json())
        assert (again.kind, again.vocab_size, again.dtype) == (tokenizer.kind, tokenizer.vocab_size, tokenizer.dtype)
        assert again.encode(FABLE).tolist() == tokenizer.encode(FABLE).tolist()

    def test_decodes_any_ids(self, tokenizer: Tokenizer) -> None:
        ids = np.random.default_rng(1).integers(0, tokenizer.vocab_size, 5000)
        assert tokenizer.decode(ids) == tokenizer.decode(ids.tolist())
        assert tokenizer.decode([]) == ""

    def test_a_prompt_never_raises(self, tokenizer: Tokenizer) -> None:
        for prompt in ("", "fox", "fox \ud800 ©\ud800 \U0010ffff", any_unicode(5)):
            known, unseen = tokenizer.known_part(prompt)
            assert tokenizer.decode(tokenizer.encode(known)) == known
            assert known == "".join(character for character in prompt if character not in unseen)

    def test_the_ids_do_not_depend_on_the_parts(self, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "PIECE_CHARACTERS", 50)
        cuts = [0, 1, 30, 31, 500, 1999, len(FABLE)]
        parts = [FABLE[start:end] for start, end in pairwise(cuts)]
        ids = np.concatenate(list(tokenizer.encode_stream(parts)))
        assert ids.tolist() == tokenizers.Tokenizer.from_str(tokenizer.to_json()).encode(FABLE).ids


@pytest.mark.parametrize("seed", range(3))
def test_any_unicode_round_trips(seed: int) -> None:
    text = any_unicode(seed)
    for tokenizer in (*every_kind(text), Tokenizer.train_bpe([text], 2000)):
        if tokenizer.kind != "char" or set(text) <= set(tokenizer.decode(range(tokenizer.vocab_size))):
            assert tokenizer.decode(tokenizer.encode(text)) == text


def test_incomplete_utf8_is_decoded_as_replacement() -> None:
    assert Tokenizer.bytes_().decode([0x61, 0xE6, 0x96, 0x62]) == "a\ufffdb"


def test_bytes_that_are_no_text_survive_as_ids() -> None:
    assert Tokenizer.bytes_().encode("a\udcff").tolist() == [0x61, 0xFF]


def test_unseen_characters_are_listed_once_in_order() -> None:
    assert Tokenizer.characters("abc").known_part("zazbyz") == ("ab", "zy")


def test_dtype_is_the_smallest() -> None:
    alphabet = [chr(code) for code in range(0x20000, 0x20000 + 65_537)]
    assert Tokenizer.characters(alphabet[:256]).dtype == np.uint8
    assert Tokenizer.characters(alphabet[:257]).dtype == np.uint16
    assert Tokenizer.characters(alphabet[:65_536]).encode(alphabet[65_535]).tolist() == [65_535]
    assert Tokenizer.characters(alphabet).dtype == np.uint32


def test_a_text_without_spaces_is_encoded_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_CHARACTERS", 100)
    genome = "".join(random.Random(1).choices("ACGT", k=2000))
    tokenizer = Tokenizer.train_bpe([genome], 300)
    assert tokenizer.vocab_size == 300
    assert tokenizer.decode(tokenizer.encode(genome)) == genome


def test_an_exception_while_reading_stops_the_training() -> None:
    class Stop(Exception):
        pass

    def texts():  # type: ignore[no-untyped-def]
        yield FABLE
        raise Stop

    with pytest.raises(Stop):
        Tokenizer.train_bpe(texts(), 300)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pre_tokenizer": null}'])
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"damaged.*tokenizer\.json"):
        Tokenizer.from_json(text)


def test_no_fork_warning_reaches_the_terminal() -> None:
    code = (
        "import os; from tui_trainer.corpus.tokenizer import Tokenizer\n"
        "t = Tokenizer.train_bpe(['a b c ' * 9999], 300); t.encode('a b c ' * 9999)\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, timeout=TIMEOUT
    )
    assert done.stdout + done.stderr == b""


@pytest.mark.parametrize(
    ("distinct", "size", "kind"),
    [
        (256, 19_999_999, "char"),
        (257, 1_999_999, "byte"),
        (257, 2_000_000, "bpe"),
        (65, 20_000_000, "bpe"),
    ],
)
def test_choose_kind(distinct: int, size: int, kind: str) -> None:
    alphabet = frozenset(chr(0x4E00 + number) for number in range(distinct))
    assert choose_kind(Scan(size, size, alphabet, "", "")) == kind


@pytest.mark.parametrize(
    ("size", "entries"), [(0, 512), (204_799, 512), (204_800, 1024), (1_115_394, 4096), (10**12, 16_384)]
)
def test_bpe_vocab_size(size: int, entries: int) -> None:
    assert bpe_vocab_size(size) == entries
