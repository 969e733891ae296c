"""Text from outside, made safe to show."""

import unicodedata

import pytest

from tui_trainer.run.text import human_bytes, human_count, human_seconds, visible, visible_line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\u241b[2J\u241b]0;title\u2407"),
        ("a\x00b\x7f", "a\u2400b\u2421"),
        ("\x9b2J\x85", "<U+009B>2J<U+0085>"),
        ("a\u202eb\u2066c\u200f", "a<U+202E>b<U+2066>c<U+200F>"),
        ("zero\u200bwidth\ufeff\u00ad\u2060", "zero<U+200B>width<U+FEFF><U+00AD><U+2060>"),
        ("\u2028\u2029", "<U+2028><U+2029>"),
        ("caf\udce9", "caf<U+DCE9>"),
        ("\ue000\U000e0041", "<U+E000><U+E0041>"),
        ("a\tb", "a    b"),
        ("a\r\nb\rc", "a\u240d\nb\u240dc"),
    ],
)
def test_control_characters_are_made_visible(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain, (text)!",
        "\u732b\u306f\u8db3",
        "na\u00efve \u2014 \u00abgut\u00bb",
        "\U0001f600\U0001f408",
        "e\u0301",
        "\u00a0\u3000",
        "\u05e9\u05dc\u05d5\u05dd",
        "[bold]x[/]",
    ],
)
def test_printable_text_is_unchanged(text: str) -> None:
    assert visible(text) == visible_line(text) == text


def test_nothing_left_can_move_a_cursor_or_reorder_a_line() -> None:
    planes = (range(0x20000), range(0xE0000, 0xE0200), range(0x10FFF0, 0x110000))
    everything = "".join(chr(code) for codes in planes for code in codes)
    left = set(map(unicodedata.category, visible_line(everything)))
    assert left.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert visible(visible(everything)) == visible(everything)


def test_line_ends_are_kept_or_shown() -> None:
    assert visible("a\nb") == "a\nb"
    assert visible_line("a\nb") == "a\u23ceb"
    assert visible("a\nb", keep="") == "a\u240ab"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (950, "950"),
        (999.6, "1000"),
        (1000, "1.0K"),
        (12_400, "12.4K"),
        (99_949, "99.9K"),
        (99_960, "100K"),
        (123_456, "123K"),
        (499_999, "500K"),
        (500_000, "0.50M"),
        (808_576, "0.81M"),
        (999_499, "1.00M"),
        (999_999, "1.0M"),
        (10_700_000, "10.7M"),
        (999_600_000, "1.0G"),
        (2.5e12, "2.5T"),
    ],
)
def test_counts(number: float, shown: str) -> None:
    assert human_count(number) == shown


def test_a_count_has_five_characters_at_most() -> None:
    numbers = [value * 10**power / 100 for power in range(13) for value in range(100, 1000)]
    assert [number for number in numbers if len(human_count(number)) > 5] == []


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (100 * 1024, "100 KiB"),
        (612_000_000, "584 MiB"),
        (1.3 * 2**30, "1.3 GiB"),
        (5000 * 2**30, "5000 GiB"),
    ],
)
def test_bytes(number: float, shown: str) -> None:
    assert human_bytes(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0s"),
        (0.4, "0s"),
        (45, "45s"),
        (59.6, "1m00s"),
        (130, "2m10s"),
        (3599.6, "1h00m"),
        (3 * 3600 + 5 * 60 + 59, "3h05m"),
        (86400 * 2 + 4 * 3600, "2d04h"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert human_seconds(seconds) == shown
