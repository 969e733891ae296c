"""Makes text from outside safe to show, by replacing control characters; and formats numbers for people."""

import math
import re
import unicodedata

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
_FORMS = re.compile("(?<=[0-9#*])\ufe0f?\u20e3|[\ufe00-\ufe0f]")
"""What says in which form a character is to be drawn, and the frame of a key around a digit."""

_JOINED_EMOJI = re.compile(f"(?<=[{_EMOJI}])(?:\u200d(?=[{_EMOJI}])|[\U0001f3fb-\U0001f3ff])")
"""What joins two of them into one, and colours of skin: not every terminal knows them."""

_BASE = "\u25cc"
"""A dotted circle, for a mark without a letter."""

_FLAG_LETTERS = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"<U+{code:04X}>"
    return character


def visible(text: str, keep: str = "\n") -> str:
    """`text` with every control or invisible character shown as a symbol, but for those in `keep`; tabs become spaces.

    Escape becomes U+241B, other invisible characters `<U+200B>`: nothing left can move a cursor or reorder a line.
    Joined emoji are shown apart and without colours of skin, flags as letters, and a mark that follows no letter on a
    dotted circle: terminals differ on the widths of these.
    """
    text = text.replace("\t", "    ")
    if text.isascii() and text.isprintable():
        return text
    text = _JOINED_EMOJI.sub("", _FORMS.sub("", text)).translate(_FLAG_LETTERS)
    shown: list[str] = []
    has_base = False
    for character in text:
        if not has_base and unicodedata.category(character).startswith("M"):
            shown.append(_BASE)
        shown.append(character if character in keep or character.isprintable() else _visible_character(character))
        has_base = not character.isspace()
    return "".join(shown)


def visible_line(text: str) -> str:
    """`text` on one line: line ends are shown as a symbol too."""
    return visible(text, keep="").replace("\u240a", "\u23ce")


def counted(count: int, noun: str) -> str:
    """A number of things: 1 step, 2,000 steps."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def human_count(number: float) -> str:
    """A count in at most five characters: 950, 12.4K, 0.81M, 10.7M."""
    if number < 1000:
        return f"{number:.0f}"
    for unit in "KMGT":
        number /= 1000
        if number < 999.5 or unit == "T":
            break
    if unit == "K" and number >= 500:
        return f"{number / 1000:.2f}M"
    return f"{number:.1f}{unit}" if number < 99.95 else f"{number:.0f}{unit}"


def human_bytes(number: float) -> str:
    """Bytes with a binary unit: 512 B, 1.3 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024 or unit == "GiB":
            break
        number /= 1024
    return f"{number:.0f} {unit}" if unit == "B" or number >= 99.95 else f"{number:.1f} {unit}"


def human_range(least: float, most: float) -> str:
    """Two durations in the leading unit of the longer one: 2 to 3m, 20 to 40s, up to 2h."""
    size, unit = next((size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if most >= size)
    low, high = math.floor(least / size), math.ceil(most / size)
    return f"{low} to {high}{unit}" if low else f"up to {high}{unit}"


def human_seconds(seconds: float) -> str:
    """A duration with its two leading units: 45s, 2m10s, 3h05m, 2d04h."""
    whole = max(0, round(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02}h"
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"
