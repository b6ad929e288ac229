"""What each column of a list is, and by that what one of its lines says of one person.

A column is what the owner says, else what the form of its service says, else what its name means everywhere.
Others are kept as attributes, and looked at for words that may mean that no mail is wanted.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from secondpost.mail.prefix import site_prefix
from secondpost.subscribers.cells import plain_cell
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_json import BETWEEN_VALUES
from secondpost.subscribers.list_moments import moment_ms
from secondpost.subscribers.list_person import Person, person_in, why_not
from secondpost.subscribers.list_rows import VERDICTS, Agreed, BadRow, NoList, ReaderRow, RowVerdict
from secondpost.subscribers.list_verdicts import Judge, reason_of
from secondpost.subscribers.meanings import ExportForm, Meaning, Moment, Plain, ReaderStanding, folded
from secondpost.subscribers.services import EXPORTS, GENERAL

ATTRIBUTES_MAX = 30  # other columns that are kept
NAME_CHARACTERS_MAX = 60
VALUE_CHARACTERS_MAX = 500
UNNAMED_COLUMNS_MAX = 30  # of a list without a head

OWN_SERVICE = "Secondpost"

_LIKE_AN_ADDRESS = re.compile(r"[^\s@/]@[^\s@]")


@dataclass(frozen=True, slots=True)
class OwnersWord:
    """What the owner says of a list: of columns by their folded names, of words, and of the whole."""

    columns: Mapping[str, Meaning] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, RowVerdict] = field(default_factory=lambda: MappingProxyType({}))  # folded
    whole: ReaderStanding | None = None


@dataclass(frozen=True, slots=True)
class ListColumn:
    number: int
    name: str  # as it stands in the list; of one without a head its number
    meaning: Meaning | None  # None: not understood, kept
    is_told: bool  # by the owner
    has_name: bool


@dataclass(frozen=True, slots=True)
class ListColumns:
    form: ExportForm | None
    columns: tuple[ListColumn, ...]
    address: int
    whole: RowVerdict
    whole_said: str
    judges: tuple[tuple[int, Judge], ...]
    left: tuple[int, ...]  # those of the judges that hold the moment of leaving
    places: Mapping[Plain, tuple[int, ...]]
    kept: tuple[tuple[int, str], ...]  # with the name of the attribute
    has_head: bool

    def verdict(self, cells: Sequence[str]) -> RowVerdict:
        """Of a line, as far as its words and moments say."""
        strongest = self.whole
        for number, judge in self.judges:
            if number < len(cells):
                said = judge.of(cells[number])
                if said > strongest:
                    strongest = said
        return RowVerdict.ACTIVE if strongest is RowVerdict.NOTHING else strongest

    def is_beyond(self, cells: Sequence[str]) -> bool:
        """Whether a line says more than there are columns, such as by a comma in a name: which of its cells
        is the state is not known.
        """
        return len(cells) > len(self.columns) and any(
            cell.strip() != "" for cell in cells[len(self.columns) :]
        )

    def person(self, cells: Sequence[str]) -> Person:
        """Whom a line names. Raises ValueError with a sentence."""
        if len(cells) <= self.address:
            raise ValueError(f"it has {len(cells)} columns, and the address is in number {self.address + 1}")
        if self.is_beyond(cells):
            raise ValueError(f"it has {len(cells)} columns, and the head has {len(self.columns)}")
        try:
            person = person_in(cells[self.address])
        except ValueError:
            raise ValueError(why_not(cells[self.address])) from None
        if not self.has_head and self._names_another(person, cells):
            raise ValueError("it has more than one address: write each on a line of its own")
        return person

    def _names_another(self, person: Person, cells: Sequence[str]) -> bool:
        """Where no head says otherwise, a second address is a second person, and would be lost."""
        told = {column.number for column in self.columns if column.is_told}
        others = [cell for number, cell in enumerate(cells) if number not in told | {self.address}]
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
            created_ms=self._moment(Plain.CREATED, cells),
            left_ms=self._left_ms(cells) if verdict is RowVerdict.LEFT else None,
            agreed=self._agreed(cells),
        )

    def _said(self, verdict: RowVerdict, cells: Sequence[str]) -> str:
        for number, judge in self.judges:
            if number < len(cells) and judge.of(cells[number]) is verdict:
                return judge.said(cells[number])
        return self.whole_said

    def _left_ms(self, cells: Sequence[str]) -> int | None:
        found = [moment_ms(_value(cells[number])) for number in self.left if number < len(cells)]
        return max((at_ms for at_ms in found if at_ms is not None), default=None)

    def _moment(self, what: Plain, cells: Sequence[str]) -> int | None:
        for value in reversed(self._values(what, cells)):
            at_ms = moment_ms(value)
            if at_ms is not None:
                return at_ms
        return None

    def _values(self, what: Plain, cells: Sequence[str]) -> list[str]:
        """Those that are not empty."""
        values = []
        for number in self.places.get(what, ()):
            if number < len(cells) and cells[number] != "" and (value := _value(cells[number])) != "":
                values.append(value)
        return values

    def _agreed(self, cells: Sequence[str]) -> Agreed | None:
        at_ms = self._moment(Plain.AGREED_AT, cells)
        where = self._values(Plain.AGREED_WHERE, cells)
        networks = (site_prefix(value) for value in reversed(self._values(Plain.AGREED_FROM, cells)))
        prefix = next((network for network in networks if network != ""), "")
        if at_ms is None and len(where) == 0 and prefix == "":
            return None
        return Agreed(at_ms, ", ".join(where), prefix)

    def _attributes(self, person: Person, cells: Sequence[str]) -> tuple[tuple[str, str], ...]:
        found = []
        name = " ".join(self._values(Plain.NAME, cells)) or person.name
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
    """Raises NoList where no column holds addresses."""
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
        places=_places(columns),
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
        told = word.columns.get(folded(label))
        meaning = told if told is not None else _meaning(name, form)
        columns.append(ListColumn(number, label, meaning, told is not None, len(name) > 0))
    return tuple(columns)


def _numbered(word: OwnersWord) -> tuple[ListColumn, ...]:
    """Of a list without a head."""
    columns = []
    for number in range(UNNAMED_COLUMNS_MAX):
        told = word.columns.get(str(number + 1))
        columns.append(ListColumn(number, f"column {number + 1}", told, told is not None, False))
    return tuple(columns)


def _meaning(name: str, form: ExportForm | None) -> Meaning | None:
    """A name in JSON also means what the object means that it is in."""
    if form is not None:
        for within in _names_within(name):
            if folded(within) in form.columns:
                return form.columns[folded(within)]
    return GENERAL.get(folded(name))


def _names_within(name: str) -> Iterator[str]:
    """Of "lists.status", which JSON has, also "lists"."""
    while len(name) > 0:
        yield name
        name = name.rpartition(".")[0]


def _address_of(part: ListPart, columns: Sequence[ListColumn]) -> int:
    told = [c.number for c in columns if c.meaning is Plain.ADDRESS and c.is_told]
    named = [c.number for c in columns if c.meaning is Plain.ADDRESS]
    for found in (told, named, [] if part.address is None else [part.address]):
        if len(found) > 0:
            return found[0]
    raise NoList('no column is called "email": name the one with the addresses: --column address=NAME')


def _only_one_address(column: ListColumn, address: int) -> ListColumn:
    """Other columns of addresses, such as a second one, are kept."""
    if column.number == address:
        return ListColumn(column.number, column.name, Plain.ADDRESS, column.is_told, column.has_name)
    if column.meaning is Plain.ADDRESS:
        return ListColumn(column.number, column.name, Plain.KEPT, column.is_told, column.has_name)
    return column


def _judges(column: ListColumn, word: OwnersWord) -> bool:
    """Whether a column says something of the standing, if only by words that the owner explained."""
    if column.meaning is None or (column.meaning is Plain.KEPT and not column.is_told):
        return len(word.words) > 0
    return not isinstance(column.meaning, Plain)


def _judge(column: ListColumn, word: OwnersWord) -> tuple[int, Judge]:
    return column.number, Judge(
        column.name, Plain.KEPT if column.meaning is None else column.meaning, word.words
    )


def _places(columns: Sequence[ListColumn]) -> Mapping[Plain, tuple[int, ...]]:
    found: dict[Plain, list[int]] = {}
    for column in columns:
        if isinstance(column.meaning, Plain):
            found.setdefault(column.meaning, []).append(column.number)
    return MappingProxyType({what: tuple(numbers) for what, numbers in found.items()})


def _is_kept(column: ListColumn) -> bool:
    return column.meaning is Plain.KEPT or (column.meaning is None and column.has_name)


def _attribute(name: str) -> str:
    return " ".join(name.lower().split())[:NAME_CHARACTERS_MAX]


def _value(cell: str) -> str:
    text = cell.replace(BETWEEN_VALUES, ", ") if BETWEEN_VALUES in cell else cell
    return plain_cell(text).strip()


def _members(column: str, cell: str) -> list[tuple[str, str]]:
    """All that stand in a column of JSON, as listmonk writes it."""
    try:
        told = json.loads(cell)
    except (ValueError, RecursionError):
        return [(column, cell[:VALUE_CHARACTERS_MAX])]
    members = [
        (_attribute(_whole(name)), _whole(value) if isinstance(value, str) else json.dumps(value))
        for name, value in told.items()
    ]
    return [(name, value[:VALUE_CHARACTERS_MAX]) for name, value in members if value != ""]


def _whole(text: str) -> str:
    """JSON can spell half a character, which nothing can keep."""
    return text.encode("utf-8", "replace").decode("utf-8")
