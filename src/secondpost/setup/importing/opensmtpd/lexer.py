"""The statements of smtpd.conf: quotes, comments, continued lines, macros and includes (yylex in parse.y).

A statement ends with its line, or with the line of the brace that closes a list in it. A macro is only
expanded outside quotes, and what it stands for is read as if it stood there, but for macros in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from secondpost.setup.importing.carried import OldConfigFaults, OldFault, OldPlace
from secondpost.setup.importing.old_files import NotRead, OldFiles

INCLUDES_MAX = 16  # of files in each other
STATEMENTS_MAX = 100_000
TEXT_CHARACTERS_MAX = 1_000  # of a statement as shown

_MARKS = "(){}<>!=,"
_ENDS_WORD = frozenset(_MARKS + "# \t\n")
_OPENS, _CLOSES = frozenset("{("), frozenset("})")


class SmtpdTokenKind(StrEnum):
    WORD = "word"  # a keyword or a string
    QUOTED = "quoted"  # a string only
    MARK = "mark"  # one of _MARKS, or =>


@dataclass(frozen=True, slots=True)
class SmtpdToken:
    """`macro`: the name of the macro that it came from, if it is all that the macro stands for."""

    kind: SmtpdTokenKind
    text: str
    macro: str | None = None


@dataclass(frozen=True, slots=True)
class SmtpdStatement:
    """`tokens`: with macros expanded; `text`: as it stood, on one line; `remark`: the comment at its end."""

    place: OldPlace
    tokens: tuple[SmtpdToken, ...]
    text: str
    remark: str = ""

    @property
    def keyword(self) -> str:
        """The word that it begins with; "" for a mark."""
        first = self.tokens[0]
        return "" if first.kind is SmtpdTokenKind.MARK else first.text

    @property
    def is_macro(self) -> bool:
        """NAME = VALUE (varset)."""
        return len(self.tokens) >= 2 and self.tokens[1].text == "="


@dataclass(frozen=True, slots=True)
class SmtpdRemark:
    """Lines of comment, or an empty line, between statements; as they stood."""

    text: str


SmtpdPart = SmtpdStatement | SmtpdRemark


class SmtpdSyntax(Exception):
    """A line cannot be read; the text says why."""


def parts_of(files: OldFiles, path: str) -> tuple[SmtpdPart, ...]:
    """All statements, those of included files in place of the include, which comes first.

    Raises OldConfigFaults.
    """
    reading = _Inclusion(files)
    parts: list[SmtpdPart] = []
    for part in reading.file(path, ()):
        parts.append(part)
        if len(parts) > STATEMENTS_MAX:
            reading.faults.append(
                OldFault(OldPlace(path, 0), f"it has more than {STATEMENTS_MAX} statements")
            )
            break
    if len(reading.faults) > 0:
        raise OldConfigFaults(tuple(reading.faults))
    return tuple(parts)


@dataclass(slots=True)
class _Inclusion:
    files: OldFiles
    macros: dict[str, str] = field(default_factory=dict)
    faults: list[OldFault] = field(default_factory=list)

    def file(self, path: str, within: tuple[OldPlace, ...]) -> Iterator[SmtpdPart]:
        text = self.files.text(path)
        if isinstance(text, NotRead):
            place = within[-1] if len(within) > 0 else OldPlace(path, 0)
            copied = ": if the folders of the old machine are copied elsewhere, name their place with --root"
            what = f"{path} " if len(within) > 0 else "it "
            self.faults.append(OldFault(place, f"{what}{text.reason}{copied if len(within) > 0 else ''}"))
            return
        scan = _Scan(text, self.macros)
        while (start := scan.begin()) is not None:
            if isinstance(start, SmtpdRemark):
                yield start
                continue
            place = OldPlace(path, scan.line)
            try:
                statement = scan.statement(place)
            except SmtpdSyntax as syntax:
                self.faults.append(OldFault(place, str(syntax)))
                scan.skip_line()
                continue
            yield statement
            yield from self._effect(statement, within)

    def _effect(self, statement: SmtpdStatement, within: tuple[OldPlace, ...]) -> Iterator[SmtpdPart]:
        """Define its macro, or read the file that it includes."""
        tokens, place = statement.tokens, statement.place
        if statement.is_macro:
            if len(tokens) != 3:
                self.faults.append(
                    OldFault(place, "a macro stands for one string; write its value in quotation marks")
                )
                return
            self.macros[tokens[0].text] = tokens[2].text
        elif statement.keyword == "include" and len(tokens) == 2:
            if len(within) >= INCLUDES_MAX or any(one.path == tokens[1].text for one in (*within, place)):
                self.faults.append(
                    OldFault(place, f"{tokens[1].text} includes itself, or files in each other")
                )
                return
            yield from self.file(tokens[1].text, (*within, place))


@dataclass(slots=True)
class _Scan:
    """A walk over the characters of a file."""

    source: str
    macros: dict[str, str]
    at: int = 0
    line: int = 1

    def begin(self) -> bool | SmtpdRemark | None:
        """Step to the next statement: True; a comment or an empty line before it; None at the end."""
        start = self.at
        self._blanks()
        here = self._peek()
        if here == "":
            return None
        if here == "#":
            self._comment()
        elif here != "\n":
            return True
        text = self.source[start : self.at]
        self._newline()
        return SmtpdRemark(text.strip(" \t"))

    def statement(self, place: OldPlace) -> SmtpdStatement:
        start, depth = self.at, 0
        tokens: list[SmtpdToken] = []
        remark = ""
        end = self.at
        while (here := self._peek()) != "":
            if here == "\n" and depth == 0:
                break
            if here in " \t\n":
                self._newline() if here == "\n" else self._blanks()
                continue
            if here == "#":
                remark = self._comment()
                continue
            made = self._tokens()
            tokens += made
            end = self.at
            depth += sum(one.text in _OPENS for one in made if one.kind is SmtpdTokenKind.MARK)
            depth -= sum(one.text in _CLOSES for one in made if one.kind is SmtpdTokenKind.MARK)
        self._newline()
        text = " ".join(self.source[start:end].replace("\\\n", " ").split())
        return SmtpdStatement(place, tuple(tokens), text[:TEXT_CHARACTERS_MAX], remark)

    def skip_line(self) -> None:
        while self._peek() not in ("", "\n"):
            self.at += 1
        self._newline()

    def _peek(self) -> str:
        """The next character behind joined lines; "" at the end."""
        while self.source.startswith("\\\n", self.at):
            self.at += 2
            self.line += 1
        return self.source[self.at : self.at + 1]

    def _newline(self) -> None:
        if self._peek() == "\n":
            self.at += 1
            self.line += 1

    def _blanks(self) -> None:
        while (here := self._peek()) != "" and here in " \t":
            self.at += 1

    def _comment(self) -> str:
        """A comment goes on in the next line behind a backslash, as lines do (lgetc)."""
        start = self.at
        while self._peek() not in ("", "\n"):
            self.at += 1
        return self.source[start : self.at]

    def _tokens(self) -> list[SmtpdToken]:
        """The next token, or those of a macro."""
        here = self._peek()
        if here == "$":
            return self._macro()
        if here in "\"'":
            return [SmtpdToken(SmtpdTokenKind.QUOTED, self._quoted(here))]
        if here in _MARKS:
            self.at += 1
            if here == "=" and self._peek() == ">":
                self.at += 1
                return [SmtpdToken(SmtpdTokenKind.MARK, "=>")]
            return [SmtpdToken(SmtpdTokenKind.MARK, here)]
        return [SmtpdToken(SmtpdTokenKind.WORD, self._word())]

    def _word(self) -> str:
        letters = []
        while (here := self._peek()) != "" and here not in _ENDS_WORD:
            if here == "\\":  # lgetc drops one that does not end the line
                self.at += 1
                here = self._peek()
            letters.append(here)
            self.at += 1
        return "".join(letters)

    def _quoted(self, mark: str) -> str:
        letters = []
        self.at += 1
        while (here := self.source[self.at : self.at + 1]) != mark:
            following = self.source[self.at + 1 : self.at + 2]
            if here == "":
                raise SmtpdSyntax("the quotation marks that open here are not closed")
            if here == "\\" and following == mark:
                letters.append(mark)
                self.at += 2
                continue
            if here == "\n" or (here == "\\" and following == "\n"):  # both are dropped
                self.line += 1
                self.at += 1 if here == "\n" else 2
                continue
            letters.append(here)
            self.at += 1
        self.at += 1
        return "".join(letters)

    def _macro(self) -> list[SmtpdToken]:
        self.at += 1
        name = ""
        while (here := self._peek()) != "" and (here == "_" or (here.isascii() and here.isalnum())):
            name += here
            self.at += 1
        if name not in self.macros:
            raise SmtpdSyntax(f"the macro ${name} is not defined above")
        inner = _Scan(self.macros[name], {})
        made: list[SmtpdToken] = []
        while (here := inner._peek()) != "":
            if here in " \t\n":
                inner.at += 1
            elif here == "#":
                inner._comment()
            else:
                made += inner._tokens()
        if len(made) == 1:
            return [SmtpdToken(made[0].kind, made[0].text, name)]
        return made
