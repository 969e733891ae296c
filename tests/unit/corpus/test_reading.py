"""Reading sources as one stream of text."""

import gzip
import hashlib
import itertools
from pathlib import Path

import pytest

from tui_trainer.config import InputError
from tui_trainer.corpus import reading
from tui_trainer.corpus.reading import read_chunks, scan
from tui_trainer.corpus.sources import Source, find_sources


@pytest.fixture(params=[1, 2, 3, 7, 4 << 20], ids=lambda size: f"chunk {size}")
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(reading, "CHUNK_BYTES", request.param)
    return int(request.param)


def sources(folder: Path, *contents: bytes, suffix: str = ".txt", binary_ok: bool = False) -> list[Source]:
    paths = [folder / f"{number}{suffix}" for number in range(len(contents))]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    return find_sources([str(path) for path in paths], binary_ok=binary_ok)


def read(folder: Path, *contents: bytes, lossless: bool = False, suffix: str = ".txt") -> str:
    found = sources(folder, *contents, suffix=suffix, binary_ok=lossless)
    return "".join(read_chunks(found, lossless=lossless))


def test_text_is_unchanged(tmp_path: Path, chunk: int) -> None:
    text = "naïve 文字 🦊\x1b[31m[bold]\u2028\x85\tend"
    assert read(tmp_path, text.encode()) == text


def test_line_ends_become_lf(tmp_path: Path, chunk: int) -> None:
    assert read(tmp_path, b"a\r\nb\rc\n\r\n\r\rd\r") == "a\nb\nc\n\n\n\nd\n"


def test_a_byte_order_mark_is_dropped_at_the_start_only(tmp_path: Path, chunk: int) -> None:
    mark = b"\xef\xbb\xbf"
    assert read(tmp_path, mark + b"a" + mark, mark + b"b") == "a\ufeff\nb"


def test_sources_are_joined_at_line_ends(tmp_path: Path, chunk: int) -> None:
    assert read(tmp_path, b"one", b"two\n", b"three\r", b"four") == "one\ntwo\nthree\nfour"


def test_the_length_of_each_source_has_the_line_end_that_it_is_given(tmp_path: Path, chunk: int) -> None:
    mark = b"\xef\xbb\xbf"
    found = scan(sources(tmp_path, b"one", b"two\n", mark, "drei ä".encode(), b"four"))
    assert found.lengths == (4, 4, 0, 7, 4)
    assert found.characters == 19


def test_gzip(tmp_path: Path, chunk: int) -> None:
    assert read(tmp_path, gzip.compress("Füchse\r\n".encode()), suffix=".txt.gz") == "Füchse\n"


def test_invalid_utf8_is_located(tmp_path: Path, chunk: int) -> None:
    found = sources(tmp_path, b"fine\n", b"one\r\ntw\xc3\xb6\rthr\xffee\n")
    with pytest.raises(InputError, match=r"1\.txt is not UTF-8 at byte 13 \(line 3\).*--tokenizer byte"):
        list(read_chunks(found))


def test_a_character_cut_off_at_the_end_is_located(tmp_path: Path, chunk: int) -> None:
    with pytest.raises(InputError, match=r"at byte 2 \(line 2\)"):
        read(tmp_path, b"a\n\xf0\x9f")


def test_lossless_keeps_every_byte(tmp_path: Path, chunk: int) -> None:
    data = bytes(range(1, 256)).replace(b"\r", b"") + b"\xf0\x9f"
    assert reading.to_bytes(read(tmp_path, data, lossless=True)) == data


def test_a_binary_source_keeps_its_carriage_returns(tmp_path: Path, chunk: int) -> None:
    data = b"\0\r\n\r\xef\xbb\xbf\xff\r"
    assert reading.to_bytes(read(tmp_path, data, lossless=True)) == data


def test_damage_far_inside_a_gzip_is_reported(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(hashlib.sha256(bytes([n])).hexdigest().encode() for n in range(250)) * 9)
    corrupt = data[:-8] + b"\0" * 8
    for broken in (data[:-100], corrupt):
        found = sources(tmp_path, broken, suffix=".gz")
        with pytest.raises(InputError, match=r"0\.gz is not a whole gzip file"):
            list(read_chunks(found))


def test_a_deleted_file_is_reported(tmp_path: Path) -> None:
    found = sources(tmp_path, b"text")
    Path(found[0].path).unlink()
    with pytest.raises(InputError, match="Cannot read"):
        list(read_chunks(found))


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_progress_is_reported_to_its_end_at_most_every_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(reading, "CHUNK_BYTES", 100)
    ticks = itertools.count(step=0.025)
    monkeypatch.setattr(reading.time, "monotonic", lambda: next(ticks))
    data = b"0123456789" * 400
    found = sources(tmp_path, *[gzip.compress(data) if suffix == ".gz" else data] * 2, suffix=suffix)
    reports: list[tuple[int, int]] = []
    list(read_chunks(found, progress=lambda done, total: reports.append((done, total))))
    total = sum(source.size for source in found)
    assert {report[1] for report in reports} == {total}
    assert reports == sorted(reports)
    assert reports[-1] == (total, total)
    assert 80 / 5 <= len(reports) <= 80 / 4 + 1


def test_scan(tmp_path: Path, chunk: int) -> None:
    text = "\n  Füchse, laufen!\r\n"
    found = scan(sources(tmp_path, text.encode()))
    plain = text.replace("\r", "")
    assert found.characters == len(plain)
    assert found.bytes == len(plain.encode())
    assert found.distinct == set(plain)
    assert found.fingerprint == hashlib.sha256(plain.encode()).hexdigest()
    assert found.opening == "Füchse,"


def test_the_opening_is_short_and_printable_as_text(tmp_path: Path) -> None:
    assert scan(sources(tmp_path, b"Donaudampfschifffahrt")).opening == "Donaudampfsc"
    assert scan(sources(tmp_path, b"\xff a b"), lossless=True).opening == "a"
    assert scan(sources(tmp_path, b"\xff\xff"), lossless=True).opening == "\n"


def test_white_space_alone_is_no_corpus(tmp_path: Path, chunk: int) -> None:
    with pytest.raises(InputError, match="empty"):
        scan(sources(tmp_path, b"\xef\xbb\xbf \r\n\t \xc2\xa0"))
