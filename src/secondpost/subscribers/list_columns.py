"""The meaning of each column of a list, and the row that a line becomes by it.

A column means what the owner says, else what its service's export format says, else what its name
means in any list. Other columns are kept as attributes, and searched for words that may mean that
no mail is wanted.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from secondpost.mail.network import site_prefix
from secondpost.subscribers.cells import plain_cell
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_json import BETWEEN_VALUES
from secondpost.subscribers.list_moments import moment_ms
from secondpost.subscribers.list_person import Person, person_in, why_not
from secondpost.subscribers.list_rows import VERDICTS, Agreed, BadRow, NoList, ReaderRow, RowVerdict
from secondpost.subscribers.list_verdicts import Judge, reason_of
from secondpost.subscribers.meanings import ExportForm, Meaning, Moment, Plain, ReaderStanding, folded
from secondpost.subscribers.services import EXPORTS, GENERAL

ATTRIBUTES_MAX = 30  # other columns that are kept, per reader
NAME_CHARACTERS_MAX = 60
VALUE_CHARACTERS_MAX = 500
UNNAMED_COLUMNS_MAX = 30  # of a list without a header

OWN_SERVICE = "Secondpost"

_LIKE_AN_ADDRESS = re.compile(r"[^\s@/]@[^\s@]")


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What the owner says about a list: the meaning of columns (by folded name), of words, and of
    the whole file.
    """

    columns: Mapping[str, Meaning] = field(default_factory=lambda: MappingProxyType({}))
    # Folded words.
    words: Mapping[str, RowVerdict] = field(default_factory=lambda: MappingProxyType({}))
    whole: ReaderStanding | None = None
    # Columns and words as the owner wrote them, by their folded form.
    spellings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def as_typed(self, name: str) -> str:
        """A folded column or word as the owner wrote it."""
        return self.spellings.get(name, name)


@dataclass(frozen=True, slots=True)
class ListColumn:
    number: int
    name: str  # as in the header; "column N" in a list without one
    meaning: Meaning | None  # None: unknown, kept as an attribute
    is_given: bool  # the owner gave the meaning
    has_name: bool


@dataclass(frozen=True, slots=True)
class FactColumns:
    """The numbers of the columns for each fact about a reader. Where there are several, the last
    value counts; names are joined.
    """

    name: tuple[int, ...]
    created: tuple[int, ...]
    agreed_at: tuple[int, ...]
    agreed_where: tuple[int, ...]
    agreed_from: tuple[int, ...]

    @property
    def have_agreed(self) -> bool:
        return len(self.agreed_at) + len(self.agreed_where) + len(self.agreed_from) > 0


@dataclass(frozen=True, slots=True)
class ListColumns:
    form: ExportForm | None
    columns: tuple[ListColumn, ...]
    address: int
    whole: RowVerdict
    whole_said: str
    judges: tuple[tuple[int, Judge], ...]
    left: tuple[int, ...]  # columns that hold the time of leaving
    facts: FactColumns
    kept: tuple[tuple[int, str], ...]  # column number and attribute name
    has_head: bool

    def verdict(self, cells: Sequence[str]) -> RowVerdict:
        """The verdict of a line's state and date columns, the strongest of them."""
        strongest = self.whole
        for number, judge in self.judges:
            if number < len(cells):
                said = judge.of(cells[number])
                if said > strongest:
                    strongest = said
        return RowVerdict.ACTIVE if strongest is RowVerdict.NOTHING else strongest

    def is_beyond(self, cells: Sequence[str]) -> bool:
        """Whether a line has more filled cells than there are columns.

        An unquoted comma in a name does that; it is then unclear which cell holds the state.
        """
        return len(cells) > len(self.columns) and any(
            cell.strip() != "" for cell in cells[len(self.columns) :]
        )

    def person(self, cells: Sequence[str]) -> Person:
        """The person that a line names. Raises ValueError with a sentence for the owner."""
        if len(cells) <= self.address:
            raise ValueError(f"it has {len(cells)} columns, and the address is in number {self.address + 1}")
        if self.is_beyond(cells):
            raise ValueError(f"it has {len(cells)} columns, and the header has {len(self.columns)}")
        try:
            person = person_in(cells[self.address])
        except ValueError:
            raise ValueError(why_not(cells[self.address])) from None
        if not self.has_head and self._names_another(person, cells):
            raise ValueError("it has more than one address: write each on a line of its own")
        return person

    def _names_another(self, person: Person, cells: Sequence[str]) -> bool:
        """Whether a line of a list without a header holds a second person's address, who would be
        lost.
        """
        given = {column.number for column in self.columns if column.is_given}
        others = [cell for number, cell in enumerate(cells) if number not in given | {self.address}]
        for cell in (person.name, *others):
            if _LIKE_AN_ADDRESS.search(cell) is None:
                continue
            try:
                other = person_in(cell)
            except ValueError:
                return True
            if other.mailbox != person.mailbox:
                return True
        return False

    def row(self, line: int, cells: list[str]) -> ReaderRow | BadRow:
        try:
            person = self.person(cells)
        except ValueError as fault:
            return BadRow(line, str(fault))
        verdict = self.verdict(cells)
        if person.gets_none and verdict < RowVerdict.LEFT:
            verdict = RowVerdict.LEFT
        said = "" if verdict < RowVerdict.LEFT else self._said(verdict, cells)
        return ReaderRow(
            line=line,
            mailbox=person.mailbox,
            verdict=verdict,
            attributes=self._attributes(person, cells),
            said=said,
            reason=reason_of(said),
            created_ms=_moment(self.facts.created, cells),
            left_ms=self._left_ms(cells) if verdict is RowVerdict.LEFT else None,
            agreed=_agreed(self.facts, cells) if self.facts.have_agreed else None,
        )

    def _said(self, verdict: RowVerdict, cells: Sequence[str]) -> str:
        for number, judge in self.judges:
            if number < len(cells) and judge.of(cells[number]) is verdict:
                return judge.said(cells[number])
        return self.whole_said

    def _left_ms(self, cells: Sequence[str]) -> int | None:
        found = [moment_ms(_value(cells[number])) for number in self.left if number < len(cells)]
        return max((at_ms for at_ms in found if at_ms is not None), default=None)

    def _attributes(self, person: Person, cells: Sequence[str]) -> tuple[tuple[str, str], ...]:
        found = []
        name = " ".join(_values(self.facts.name, cells)) or person.name
        if name != "":
            found.append(("name", name[:VALUE_CHARACTERS_MAX]))
        for number, kept in self.kept:
            if number >= len(cells) or cells[number] == "" or (value := _value(cells[number])) == "":
                continue
            if kept == "attributes" and value.startswith("{"):
                found.extend(_members(kept, value))
            else:
                found.append((kept, value[:VALUE_CHARACTERS_MAX]))
        return tuple(found[:ATTRIBUTES_MAX])


def columns_of(part: ListPart, word: OwnersWord) -> ListColumns:
    """Find the meaning of each column. Raises NoList if no column holds addresses."""
    form = form_of(part)
    columns = _named(part, form, word) if len(part.head) > 0 else _numbered(word)
    address = _address_of(part, columns)
    columns = tuple(_only_one_address(column, address) for column in columns)
    whole = word.whole if word.whole is not None else None if form is None else form.whole
    return ListColumns(
        form=form,
        columns=columns,
        address=address,
        whole=RowVerdict.NOTHING if whole is None else VERDICTS[whole],
        whole_said=f"a list of {form.what}" if form is not None and word.whole is None else "the whole list",
        judges=tuple(_judge(column, word) for column in columns if _judges(column, word)),
        left=tuple(c.number for c in columns if c.meaning == Moment(ReaderStanding.LEFT)),
        facts=_facts(columns),
        kept=tuple((column.number, _attribute(column.name)) for column in columns if _is_kept(column)),
        has_head=len(part.head) > 0,
    )


def form_of(part: ListPart) -> ExportForm | None:
    names = {folded(name) for each in part.head for name in _names_within(each)}
    name = part.name.rpartition("/")[2].casefold()
    found = [
        form
        for form in EXPORTS
        if form.marks <= names and (part.is_json or form.rows_at is None) and form.file_name in name
    ]
    return max(found, key=_closeness, default=None)


def _closeness(form: ExportForm) -> tuple[bool, int, int]:
    return form.rows_at is not None, len(form.marks), len(form.file_name)


def _named(part: ListPart, form: ExportForm | None, word: OwnersWord) -> tuple[ListColumn, ...]:
    seen: dict[str, int] = {}
    columns = []
    for number, name in enumerate(part.head):
        times = seen[name] = seen.get(name, 0) + 1
        label = (name or f"column {number + 1}") if times == 1 else f"{name} {times}"
        given = word.columns.get(folded(label))
        meaning = given if given is not None else _meaning(name, form)
        columns.append(ListColumn(number, label, meaning, given is not None, len(name) > 0))
    return tuple(columns)


def _numbered(word: OwnersWord) -> tuple[ListColumn, ...]:
    """The columns of a list without a header."""
    columns = []
    for number in range(UNNAMED_COLUMNS_MAX):
        given = word.columns.get(str(number + 1))
        columns.append(ListColumn(number, f"column {number + 1}", given, given is not None, False))
    return tuple(columns)


def _meaning(name: str, form: ExportForm | None) -> Meaning | None:
    """The meaning of a column; in JSON a nested name inherits that of the object around it."""
    if form is not None:
        for within in _names_within(name):
            if folded(within) in form.columns:
                return form.columns[folded(within)]
    return GENERAL.get(folded(name))


def _names_within(name: str) -> Iterator[str]:
    """For a nested JSON name such as "lists.status", also yield "lists"."""
    while len(name) > 0:
        yield name
        name = name.rpartition(".")[0]


def _address_of(part: ListPart, columns: Sequence[ListColumn]) -> int:
    given = [c.number for c in columns if c.meaning is Plain.ADDRESS and c.is_given]
    named = [c.number for c in columns if c.meaning is Plain.ADDRESS]
    for found in (given, named, [] if part.address is None else [part.address]):
        if len(found) > 0:
            return found[0]
    raise NoList('no column is called "email": name the one with the addresses: --column address=NAME')


def _only_one_address(column: ListColumn, address: int) -> ListColumn:
    """Keep further address columns as attributes."""
    if column.number == address:
        return ListColumn(column.number, column.name, Plain.ADDRESS, column.is_given, column.has_name)
    if column.meaning is Plain.ADDRESS:
        return ListColumn(column.number, column.name, Plain.KEPT, column.is_given, column.has_name)
    return column


def _judges(column: ListColumn, word: OwnersWord) -> bool:
    """Whether a column affects the verdict, if only by words that the owner explained."""
    if column.meaning is None or (column.meaning is Plain.KEPT and not column.is_given):
        return len(word.words) > 0
    return not isinstance(column.meaning, Plain)


def _judge(column: ListColumn, word: OwnersWord) -> tuple[int, Judge]:
    return column.number, Judge(
        column.name, Plain.KEPT if column.meaning is None else column.meaning, word.words
    )


def _facts(columns: Sequence[ListColumn]) -> FactColumns:
    def numbers(meaning: Plain) -> tuple[int, ...]:
        return tuple(column.number for column in columns if column.meaning is meaning)

    return FactColumns(
        name=numbers(Plain.NAME),
        created=numbers(Plain.CREATED),
        agreed_at=numbers(Plain.AGREED_AT),
        agreed_where=numbers(Plain.AGREED_WHERE),
        agreed_from=numbers(Plain.AGREED_FROM),
    )


def _is_kept(column: ListColumn) -> bool:
    return column.meaning is Plain.KEPT or (column.meaning is None and column.has_name)


def _attribute(name: str) -> str:
    return " ".join(name.lower().split())[:NAME_CHARACTERS_MAX]


def _value(cell: str) -> str:
    text = cell.replace(BETWEEN_VALUES, ", ") if BETWEEN_VALUES in cell else cell
    return plain_cell(text).strip()


def _values(numbers: Sequence[int], cells: Sequence[str]) -> list[str]:
    """The values in these columns that are not empty."""
    values = []
    for number in numbers:
        if number < len(cells) and cells[number] != "" and (value := _value(cells[number])) != "":
            values.append(value)
    return values


def _moment(numbers: Sequence[int], cells: Sequence[str]) -> int | None:
    for value in reversed(_values(numbers, cells)):
        at_ms = moment_ms(value)
        if at_ms is not None:
            return at_ms
    return None


def _agreed(columns: FactColumns, cells: Sequence[str]) -> Agreed | None:
    at_ms = _moment(columns.agreed_at, cells)
    where = _values(columns.agreed_where, cells)
    networks = (site_prefix(value) for value in reversed(_values(columns.agreed_from, cells)))
    prefix = next((network for network in networks if network != ""), "")
    if at_ms is None and len(where) == 0 and prefix == "":
        return None
    return Agreed(at_ms, ", ".join(where), prefix)


def _members(column: str, cell: str) -> list[tuple[str, str]]:
    """Attributes from a JSON object in one cell, as listmonk writes it."""
    try:
        members = [
            (_attribute(_whole(name)), _whole(value) if isinstance(value, str) else json.dumps(value))
            for name, value in json.loads(cell).items()
        ]
    except (ValueError, RecursionError):
        return [(column, cell[:VALUE_CHARACTERS_MAX])]
    return [(name, value[:VALUE_CHARACTERS_MAX]) for name, value in members if value != ""]


def _whole(text: str) -> str:
    """Replace unpaired surrogates, which JSON can spell and nothing can store."""
    return text.encode("utf-8", "replace").decode("utf-8")
