"""SGR escape sequences (ECMA-48, 8.3.117), which set the style of the characters that follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class CellStyle:
    """Parameters of SGR: of the colours, empty for the default ones, and of all else."""

    foreground: str = ""
    background: str = ""
    other: str = ""

    @property
    def of_blank(self) -> "CellStyle":
        """What can be seen of it where there is no character: not its colour, unless it is underlined or reversed."""
        return self if self.other else CellStyle("", self.background)


PLAIN = CellStyle()


@lru_cache(1024)
def parsed(parameters: str) -> CellStyle:
    """The style that a sequence with these parameters sets, from the plain style on."""
    foreground = background = ""
    other: list[str] = []
    for parameter in _whole(iter(parameters.split(";"))):
        kind = parameter.partition(";")[0].partition(":")[0]
        if kind in ("", "0"):
            foreground, background, other = "", "", []
        elif kind == "38" or (len(kind) == 2 and kind[0] in "39" and kind[1] in "01234567"):
            foreground = parameter
        elif kind == "48" or (kind[:-1] in ("4", "10") and kind[-1] in "01234567" and len(kind) > 1):
            background = parameter
        else:
            other.append(parameter)
    return CellStyle(foreground, background, ";".join(other))


def _whole(numbers: Iterator[str]) -> Iterator[str]:
    """The parameters, each of a colour as one: 38;2;1;2;3 and 48;5;17."""
    for number in numbers:
        if number in ("38", "48"):
            kind = next(numbers, "")
            count = {"2": 3, "5": 1}.get(kind, 0)
            yield ";".join([number, kind, *(next(numbers, "0") for _ in range(count))])
        else:
            yield number


@lru_cache(4096)
def change(before: CellStyle | None, after: CellStyle) -> str:
    """The shortest sequence from one style to another; `before` is None where the terminal's is not known."""
    if before == after:
        return ""
    parts = [part for part in (after.other, after.foreground, after.background) if part]
    whole = "\x1b[" + ";".join(["0", *parts] if parts else []) + "m"
    if before is None or before.other != after.other:
        return whole
    changed = []
    if before.foreground != after.foreground:
        changed.append(after.foreground or "39")
    if before.background != after.background:
        changed.append(after.background or "49")
    return min("\x1b[" + ";".join(changed) + "m", whole, key=len)
