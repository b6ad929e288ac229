"""The logical lines of a configuration: macros replaced, conditions decided, files included. Pure.

As Exim itself reads its file (specification, chapter 6, "The Exim run time configuration file"): a
physical line gets its macros replaced first; then comments and blank lines go, the conditions
`.ifdef`, `.ifndef`, `.elifdef`, `.elifndef`, `.else` and `.endif` are decided, and a backslash at the
end joins the next line, without its leading white space.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.old_files import NotRead, OldFiles

INCLUDE_DEPTH_MAX = 10
PHYSICAL_LINES_MAX = 200_000  # with all that is included
LINE_CHARACTERS_MAX = 200_000  # macros can double their text again and again

NOWHERE = OldPlace("", 0)

_MACRO = re.compile(r"([A-Z][A-Za-z0-9_]*)[ \t]*(==?)[ \t]*(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"\.(include_if_exists|include|ifdef|ifndef|elifdef|elifndef|else|endif)\b[ \t]*(.*)")
# Names that a build of Exim defines by itself (chapter 6, "Builtin macros"): what Debian's has.
_BUILT_IN = re.compile(r"\b_(?:OPT_\w+|HAVE_TLS|HAVE_GNUTLS|HAVE_IPV6|HAVE_DKIM|HAVE_PRDR|DRIVER_\w+)\b")


@dataclass(frozen=True, slots=True)
class Physical:
    """A line of a file, without its line feed."""

    place: OldPlace
    text: str


@dataclass(frozen=True, slots=True)
class Logical:
    """A logical line: where it began, what stood there, and its text with macros replaced."""

    place: OldPlace
    written: str
    text: str


@dataclass(frozen=True, slots=True)
class Macro:
    """The definition of a macro."""

    place: OldPlace
    written: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that could not be read as Exim reads it, and why; a sentence."""

    place: OldPlace
    written: str
    why: str
    leaves_out: bool = False  # lines that Exim read, and of which one may refuse mail


ReadLine = Logical | Macro | Unread


class _TooMuch(Exception):
    """A bound was reached; the text says which."""


@dataclass(slots=True)
class _Reader:
    files: OldFiles
    macros: dict[str, str] = field(default_factory=dict)
    conditions: list[list[bool]] = field(default_factory=list)  # is it read now, has a part been read
    lines_left: int = PHYSICAL_LINES_MAX
    begun: list[str] = field(default_factory=list)  # the parts of a logical line that goes on
    written: list[str] = field(default_factory=list)
    place: OldPlace = NOWHERE

    def read(self, physical: Iterable[Physical], within: tuple[str, ...]) -> Iterator[ReadLine]:
        """`within`: the files that include this one."""
        for line in physical:
            self.lines_left -= 1
            if self.lines_left < 0:
                raise _TooMuch(f"there are more than {PHYSICAL_LINES_MAX} lines")
            text = self._replaced(line.text.lstrip()).lstrip()
            directive = _DIRECTIVE.match(text)
            if text.startswith("#"):
                continue
            if directive is not None and not directive[1].startswith("include"):
                yield from self._condition(line, directive[1], directive[2])
            elif not all(is_read for is_read, _ in self.conditions):
                continue
            elif directive is not None:
                yield from self._included(line, directive[1], directive[2], within)
            else:
                yield from self._joined(line, text.rstrip())

    def rest(self) -> Iterator[ReadLine]:
        """The last line, if a backslash left it open, and conditions without an end."""
        if len(self.begun) > 0:
            yield from self._ended()
        if len(self.conditions) > 0:
            yield Unread(self.place, ".endif", "A condition has no .endif, so Exim would not start.")

    def _replaced(self, text: str) -> str:
        """`text` with its macros replaced in the order of their definitions, but for its own name."""
        own = _MACRO.match(text) if len(self.begun) == 0 else None
        kept, rest = (text[: own.end(1)], text[own.end(1) :]) if own is not None else ("", text)
        for name, value in self.macros.items():
            if name in rest:
                rest = rest.replace(name, value)
                if len(rest) > LINE_CHARACTERS_MAX:
                    raise _TooMuch(f"macros make a line longer than {LINE_CHARACTERS_MAX} characters")
        return kept + rest

    def _condition(self, line: Physical, word: str, rest: str) -> Iterator[ReadLine]:
        """`.ifdef X` holds if a macro was replaced in X."""
        written = line.text.strip()
        asked = written.partition(word)[2].strip()
        holds = rest.strip() != asked or self._is_defined(asked)
        if word in ("ifdef", "ifndef"):
            is_read = holds is (word == "ifdef")
            self.conditions.append([is_read, is_read])
        elif len(self.conditions) == 0:
            yield Unread(line.place, written, "There is no condition to which it belongs.")
        elif word == "endif":
            self.conditions.pop()
        else:
            block = self.conditions[-1]
            block[0] = not block[1] and (word == "else" or holds is (word == "elifdef"))
            block[1] = block[1] or block[0]

    def _is_defined(self, asked: str) -> bool:
        """Whether a macro whose value is its own name, or one of Exim's own, stands there."""
        return _BUILT_IN.search(asked) is not None or any(name in asked for name in self.macros)

    def _included(self, line: Physical, word: str, rest: str, within: tuple[str, ...]) -> Iterator[ReadLine]:
        written, path = line.text.strip(), rest.strip().strip('"')
        if len(within) >= INCLUDE_DEPTH_MAX:
            why = f"Files include files more than {INCLUDE_DEPTH_MAX} deep."
            yield Unread(line.place, written, why, leaves_out=True)
            return
        if path in (*within, line.place.path):
            yield Unread(line.place, written, f"{path} would include itself, so Exim would not start.")
            return
        if not path.startswith("/"):
            yield Unread(line.place, written, "Exim includes files by their absolute path only.")
            return
        text = self.files.text(path)
        if isinstance(text, NotRead):
            if word == "include":
                why = f"{path} {text.reason}, so nothing of it was read. Copy it too, then import again."
                yield Unread(line.place, written, why, leaves_out=True)
            return
        yield from self.read(physical_lines(path, text), (*within, line.place.path))

    def _joined(self, line: Physical, text: str) -> Iterator[ReadLine]:
        if len(self.begun) == 0:
            if len(text) == 0:
                return
            self.place = line.place
        self.begun.append(text.removesuffix("\\"))
        self.written.append(line.text.strip().removesuffix("\\").strip())
        if sum(map(len, self.begun)) > LINE_CHARACTERS_MAX:
            raise _TooMuch(f"a line is longer than {LINE_CHARACTERS_MAX} characters")
        if not text.endswith("\\"):
            yield from self._ended()

    def _ended(self) -> Iterator[ReadLine]:
        text, written = "".join(self.begun), " ".join(self.written).strip()
        self.begun, self.written = [], []
        macro = _MACRO.fullmatch(text)
        if macro is None:
            yield Logical(self.place, written, text)
            return
        name, value = macro[1], macro[3]
        # A second `=` is an error in Exim, which would not start; `==` replaces the value.
        self.macros[name] = value
        yield Macro(self.place, written, name, value)


def physical_lines(path: str, text: str) -> Iterator[Physical]:
    for number, line in enumerate(text.split("\n"), start=1):
        yield Physical(OldPlace(path, number), line.removesuffix("\r"))


def logical_lines(files: OldFiles, physical: Iterable[Physical]) -> tuple[ReadLine, ...]:
    """All that is read, in order. What exceeds a bound ends the reading, as an Unread."""
    reader, found = _Reader(files), list[ReadLine]()
    try:
        for one in reader.read(physical, ()):
            found.append(one)
        found += reader.rest()
    except _TooMuch as bound:
        why = f"The reading ended here: {bound}."
        found.append(Unread(reader.place, "", why, leaves_out=True))
    return tuple(found)
