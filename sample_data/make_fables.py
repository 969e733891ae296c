"""Write simple English fables: a seeded, endless sample corpus for training small language models.

Usage: python sample_data/make_fables.py [--megabytes N] [--seed S] [--output FILE]

The same seed gives the same text, and more megabytes only continue it. The words are in fable_words.py, the
plots in fable_plots.py; here a story is put together. First its facts are settled (who, where, which thing,
how many), then the grammar chooses among its alternatives, and the facts are filled in, so that they hold to
the end.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from random import Random
from typing import BinaryIO, NoReturn, TypeAlias, TypeVar

import fable_words as words
from fable_plots import PLOTS, Plot

# A choice is a list of alternatives; each is a sequence of literal text and further choices.
Choice: TypeAlias = "list[list[str | Choice]]"
Facts = dict[str, str]
Rand = Callable[[], float]
T = TypeVar("T")

SAMPLE_MEGABYTES, SAMPLE_SEED = 0.7, 1
"""What fables.txt, the sample corpus, was written with."""

TOKEN = re.compile(r"[\[\]|]|<\w+>|[^\[\]|<]+")
SPEECH = re.compile(r'@([abc]) "([^"]*)([.!?])"')
SAYING = {".": ("<said>", "<aloud>"), "!": ("<cried>", "<loudly>"), "?": ("<asked>", "<aloud>")}
ARTICLE = re.compile(r"\b([Aa])(?= (?:[aeiou]|honest))")
# The facts which character() gives, by their names in the text; the hero's pronouns are the plain ones.
HERO = words.listed("a A he He his His him himself a_kind a_new")
FRIEND = words.listed("b B b_he B_he b_his B_his b_him b_himself b_kind b_new")
THIRD = words.listed("c C c_he C_he c_his C_his c_him c_himself c_kind c_new")
KIND = HERO.index("a_kind")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- The grammar -----------------------------------------------------------------------------------


def dialogue(match: re.Match[str]) -> str:
    """The grammar for one speech: the speaker's name after it or before it, or a pronoun."""
    role, text, mark = match.groups()
    said, aloud = SAYING[mark]
    if mark == "." and match.string[: match.start()].endswith('" '):  # right after another speech
        said = "<answered>"
    name, start, he = f"{{{role}}}", f"{{{role.upper()}}}", "{he}" if role == "a" else f"{{{role}_he}}"
    quoted = f'"{text}{"," if mark == "." else mark}"'
    after = f"{quoted} {said} {name}{aloud}."
    return f'[{after}|{after}|{start} {said}{aloud}, "{text}{mark}"|{quoted} {he} {said}.]'


class Grammar:
    """Rules by name, parsed once; a rule may use any other."""

    def __init__(self, rules: dict[str, str]) -> None:
        self.rules: dict[str, Choice] = {name: [] for name in rules}
        for name, text in rules.items():
            self.rules[name].extend(self.parse(text))

    def parse(self, text: str) -> Choice:
        return self._choice(iter(TOKEN.findall(SPEECH.sub(dialogue, " ".join(text.split())))))

    def _choice(self, tokens: Iterator[str]) -> Choice:
        choice: Choice = [[]]
        for token in tokens:
            if token == "]":
                break
            if token == "|":
                choice.append([])
            else:
                choice[-1].append(self._part(token, tokens))
        return choice

    def _part(self, token: str, tokens: Iterator[str]) -> str | Choice:
        if token == "[":
            return self._choice(tokens)
        return self.rules[token[1:-1]] if token[0] == "<" else token


def expand(choice: Choice, rand: Rand, write: Callable[[str], None]) -> None:
    for part in choice[int(rand() * len(choice))]:
        if isinstance(part, str):
            write(part)
        else:
            expand(part, rand, write)


# --- The facts of a story --------------------------------------------------------------------------


def pick(rand: Rand, items: Sequence[T]) -> T:
    return items[int(rand() * len(items))]


def pick_several(rand: Rand, items: Sequence[T], count: int) -> list[T]:
    """Different items, in random order."""
    chosen: list[T] = []
    while len(chosen) < count:
        item = pick(rand, items)
        if item not in chosen:
            chosen.append(item)
    return chosen


def character(gender: str, kind: str, name: str = "") -> tuple[str, ...]:
    """What the text may call someone, in the order of HERO."""
    he, his, him, himself = words.PRONOUNS[gender]
    known, new = (name, f"{kind} named {name}") if name else (f"the {kind}", kind)
    return known, capital(known), he, capital(he), his, capital(his), him, himself, kind, new


def company(gender: str) -> list[tuple[str, ...]]:
    """Everyone of this gender who may appear: those with names, and people known by their work."""
    people, names = words.PEOPLE[gender], words.NAMES[gender]
    named = [character(gender, kind, name) for kind in people + words.ANIMALS for name in names]
    return named + [character(gender, kind) for kind in people for _ in names]


COMPANY = {
    "he": company("he"),
    "she": company("she"),
    "it": [character("it", kind) for kind in words.ANIMALS],
}
# No two characters share a pronoun, so that "he" can mean only one of them.
GENDERS = list(permutations(COMPANY))


def cast(rand: Rand) -> Iterator[tuple[str, str]]:
    """The names and pronouns of a, b and c."""
    kinds: set[str] = set()
    for keys, gender in zip((HERO, FRIEND, THIRD), pick(rand, GENDERS), strict=True):
        someone = pick(rand, COMPANY[gender])
        while someone[KIND] in kinds:
            someone = pick(rand, COMPANY[gender])
        kinds.add(someone[KIND])
        yield from zip(keys, someone, strict=True)


def scenery(rand: Rand) -> Facts:
    """Where and when, in which weather."""
    facts: Facts = {}
    for number, (place, at, walk) in zip(("", "2", "3"), pick_several(rand, words.PLACES, 3), strict=True):
        facts |= {f"place{number}": place, f"at{number}": at, f"walk{number}": walk}
        facts[f"At{number}"] = capital(at)
    wet, sky, still, ended = pick(rand, words.WEATHERS)
    time, late = pick(rand, words.TIMES)
    facts |= {"sky": sky, "Sky": capital(sky), "still": still, "Still": capital(still)}
    return facts | {"wet": wet, "ended": ended, "time": time, "late": late}


def belongings(rand: Rand) -> Facts:
    """The things, the food, and where things lie."""
    thing, thing2 = pick_several(rand, words.THINGS, 2)
    color, color2 = pick_several(rand, words.COLORS, 2)
    mass, mass2 = pick_several(rand, words.MASSES, 2)
    spot, spot2, spot3 = pick_several(rand, words.SPOTS, 3)
    hide, hide2 = pick_several(rand, words.HIDEOUTS, 2)
    riddle, answer = pick(rand, words.RIDDLES)
    return {
        "thing": thing, "thing2": thing2, "color": color, "color2": color2, "mass": mass, "mass2": mass2,
        "roots": pick(rand, words.ROOTS), "foods2": pick(rand, words.TREATS), "bag": pick(rand, words.BAGS),
        "spot": spot, "spot2": spot2, "spot3": spot3, "hide": hide, "hide2": hide2,
        "seat": pick(rand, words.SEATS), "riddle": riddle, "answer": answer,
    }  # fmt: skip


def counts(rand: Rand) -> Facts:
    """Fruit, and numbers which add up: n and m make sum, n less m is rest, and m and m make twice."""
    food, foods = pick(rand, words.FRUITS)
    m = 2 + int(rand() * 3)
    n = m + 1 + int(rand() * 4)
    totals = {"n": n, "m": m, "sum": n + m, "rest": n - m, "twice": 2 * m}
    facts = {name: words.NUMBERS[total] for name, total in totals.items()}
    rest_foods = f"{facts['rest']} {food if n - m == 1 else foods}"  # all the other numbers are above one
    return facts | {"food": food, "foods": foods, "rest_foods": rest_foods, "N": capital(facts["n"])}


def settle(plot: Plot, rand: Rand) -> Facts:
    """All the facts of one story."""
    trait = pick(rand, plot.traits.split("|"))
    return dict(cast(rand)) | scenery(rand) | belongings(rand) | counts(rand) | {"trait": trait}


# --- Stories ---------------------------------------------------------------------------------------


def moral(plot: Plot) -> str:
    """The grammar for the last line: usually a moral, in one of two forms."""
    plain = plot.morals
    alone = "|".join(capital(text) for text in plain.split("|"))
    return f"[/ <Moral>: [{plain}].|/ <Moral>: [{plain}].|/ [{alone}].|]"


def parse_plots() -> list[tuple[Plot, Choice]]:
    grammar = Grammar(words.RULES)
    return [(plot, grammar.parse(f"<opening> {plot.text} {moral(plot)}")) for plot in PLOTS]


def tell(text: str, facts: Facts) -> str:
    """Fill in the facts, then put right the articles, the spaces and the paragraphs."""
    plain = " ".join(text.format_map(facts).split())
    return ARTICLE.sub(r"\1n", plain).replace(" / ", "\n") + "\n"


def stories(seed: int) -> Iterator[str]:
    """Stories without end. Only random() is used, whose numbers are the same in every version of Python."""
    rand = Random(seed).random
    plots = parse_plots()
    while True:
        plot, choice = pick(rand, plots)
        facts = settle(plot, rand)
        parts: list[str] = []
        expand(choice, rand, parts.append)
        yield tell("".join(parts), facts)


def write_corpus(file: BinaryIO, size: int, seed: int) -> None:
    """Whole stories with an empty line between them, until there are at least `size` bytes."""
    written, gap = 0, b""
    for story in stories(seed):
        written += file.write(gap + story.encode("ascii"))
        gap = b"\n"
        if written >= size:
            return


# --- The command line ------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """Reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def megabytes(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"must be above zero: {text}")
    return number


def whole_number(text: str) -> int:
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"must not be negative: {text}")
    return number


def make_parser() -> Parser:
    parser = Parser(description="Write simple English fables, a sample corpus for small language models.")
    parser.add_argument("--megabytes", type=megabytes, default=SAMPLE_MEGABYTES, metavar="N",
                        help=f"size (default: {SAMPLE_MEGABYTES})")  # fmt: skip
    parser.add_argument("--seed", type=whole_number, default=SAMPLE_SEED, metavar="S",
                        help=f"which text (default: {SAMPLE_SEED})")  # fmt: skip
    parser.add_argument("--output", metavar="FILE",
                        help="- is standard output; by default a name beside this script")  # fmt: skip
    return parser


def default_output(size: float, seed: int) -> Path:
    """The sample corpus's own name is for the sample corpus alone."""
    sample = (size, seed) == (SAMPLE_MEGABYTES, SAMPLE_SEED)
    return Path(__file__).with_name("fables.txt" if sample else f"fables-{size:g}MB-{seed}.txt")


def main() -> None:
    parser = make_parser()
    args = parser.parse_args()
    size = round(args.megabytes * 1_000_000)
    args.output = args.output or str(default_output(args.megabytes, args.seed))
    try:
        if args.output == "-":
            write_corpus(sys.stdout.buffer, size, args.seed)
            sys.stdout.flush()
        else:
            with Path(args.output).open("wb") as file:
                write_corpus(file, size, args.seed)
    except BrokenPipeError:  # the reader has had enough, as with "| head"
        os._exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        parser.error(f"cannot write {args.output}: {error.strerror}")


if __name__ == "__main__":
    main()
