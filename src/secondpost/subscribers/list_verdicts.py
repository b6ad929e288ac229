"""The verdict of a cell, from the meaning of its column and the owner's words."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from secondpost.mail.subscriber_states import Reason
from secondpost.subscribers.cells import plain_cell
from secondpost.subscribers.list_json import BETWEEN_VALUES
from secondpost.subscribers.list_moments import moment_ms
from secondpost.subscribers.list_rows import VERDICTS, RowVerdict
from secondpost.subscribers.meanings import (
    AtLeast,
    Meaning,
    Moment,
    Plain,
    ReaderStanding,
    Words,
    YesNo,
    folded,
)
from secondpost.subscribers.services import GENERAL, NO, SUSPECT, WANTS

CELLS_REMEMBERED_MAX = 2_000  # distinct cells, per column
REMEMBERED_CHARACTERS_MAX = 200  # a longer cell is looked at again each time
DIGITS_MAX = 18  # a longer number is above every bound, and Python converts none of thousands of digits
WORDS_OF_AN_ITEM_MAX = 3  # a longer item is a sentence, which is not searched
CHARACTERS_OF_AN_ITEM_MAX = 40
STEM_CHARACTERS_MIN = 6  # shorter stems match only as whole words, with one of _ENDINGS
FIRST_STEM_CHARACTERS_MIN = 5  # for the first word of a sentence

TRUE = frozenset({"true", "yes", "y", "t", "1"})
FALSE = frozenset({"false", "no", "n", "f", "0"})
_NO_MOMENT = frozenset({"0", "null", "none", "nil", "no", "false", "never", "na", "-", "–", "—"})
_BETWEEN_ITEMS = re.compile(rf"[,;|/\n{BETWEEN_VALUES}\[\]{{}}\"]")
_ENDINGS = (
    "", "e", "ed", "d", "s", "es", "med", "mer", "mers", "ing", "er", "list", "listed", "listing", "scribe",
    "scribed", "scribes", "scription", "scribing",
)  # fmt: skip
_ONE_WORD = frozenset(
    stem + ending for stem in SUSPECT if len(stem) < STEM_CHARACTERS_MIN for ending in _ENDINGS
)
_STEMS = re.compile("|".join(sorted(stem for stem in SUSPECT if len(stem) >= STEM_CHARACTERS_MIN)))


def state_words() -> Words:
    """Words for states in a list of no known service."""
    meaning = GENERAL["status"]
    assert isinstance(meaning, Words)
    return meaning


_FIRST = re.compile("|".join(sorted(stem for stem in SUSPECT if len(stem) >= FIRST_STEM_CHARACTERS_MIN)))
_NO_MAIL = frozenset(
    word
    for word, standing in state_words().meanings.items()
    if standing in (ReaderStanding.LEFT, ReaderStanding.SUPPRESSED) and len(word) >= FIRST_STEM_CHARACTERS_MIN
)
_WORD = re.compile(r"[^\W_]+")
_WANTS = re.compile("|".join(sorted(WANTS)))
_QUICK = re.compile("|".join(sorted(SUSPECT)))
_SEPARATORS = {ord(mark): None for mark in " -_.'"}
_COMPLAINT = re.compile("complain|spam|abuse|junk")
_BOUNCE = re.compile("bounce|clean|undeliver|unreach|invalid|dead")


def verdict_of(meaning: Meaning, value: str, words: Mapping[str, RowVerdict]) -> RowVerdict:
    """The verdict of one value. `words` are the owner's, by folded word."""
    word = folded(value)
    if word in words:
        return words[word]
    match meaning:
        case Words(meanings=meanings, empty=empty, is_open=is_open):
            if len(value) == 0:
                return _verdict(empty)
            unknown = RowVerdict.NOTHING if is_open else RowVerdict.UNCLEAR
            return _verdict(meanings[word]) if word in meanings else unknown
        case YesNo(yes=yes, no=no):
            return _yes_or_no(value, word, yes, no)
        case Moment(standing=standing):
            is_none = len(word.strip("0")) == 0 or word in _NO_MOMENT
            return RowVerdict.NOTHING if is_none else VERDICTS[standing]
        case AtLeast(number=number, standing=standing):
            if len(value) == 0:
                return RowVerdict.NOTHING
            if not value.isdecimal():
                return RowVerdict.UNCLEAR
            digits = value.lstrip("0")
            is_enough = len(digits) > DIGITS_MAX or int(f"0{digits}") >= number
            return VERDICTS[standing] if is_enough else RowVerdict.NOTHING
        case Plain():
            return RowVerdict.NOTHING


def _yes_or_no(value: str, word: str, yes: ReaderStanding | None, no: ReaderStanding | None) -> RowVerdict:
    if len(value) == 0:
        return RowVerdict.NOTHING
    if word in TRUE or word in FALSE:
        return _verdict(yes if word in TRUE else no)
    if _verdict(yes) > RowVerdict.UNCLEAR and any(digit in value for digit in "123456789"):
        return _verdict(yes)  # a count or a date: it happened
    if moment_ms(value) is not None:
        return _verdict(yes)
    meanings = state_words().meanings
    return _verdict(meanings[word]) if word in meanings else RowVerdict.UNCLEAR


def _verdict(standing: ReaderStanding | None) -> RowVerdict:
    return RowVerdict.NOTHING if standing is None else VERDICTS[standing]


@dataclass(slots=True)
class Judge:
    """Verdicts of one column; remembers cells it has seen."""

    name: str
    meaning: Meaning
    words: Mapping[str, RowVerdict]
    met: set[str] = field(default_factory=set)  # those of `words` that it was asked about
    _known: dict[str, RowVerdict] = field(default_factory=dict)

    def of(self, cell: str) -> RowVerdict:
        found = self._known.get(cell)
        if found is None:
            values = [plain_cell(value).strip() for value in self._items(cell)]
            found = max(verdict_of(self.meaning, value, self.words) for value in values)
            if len(self.words) > 0:
                self.met.update(self.words.keys() & map(folded, values))
                if (whole := folded(cell)) in self.words:  # of several values, as they are shown
                    found = self.words[whole]
                    self.met.add(whole)
            if len(self._known) < CELLS_REMEMBERED_MAX and len(cell) <= REMEMBERED_CHARACTERS_MAX:
                self._known[cell] = found
        return found

    def _items(self, cell: str) -> list[str]:
        """The values of a cell; a column that is only kept is split into words, which the owner may
        have explained.
        """
        is_kept = isinstance(self.meaning, Plain)
        return _BETWEEN_ITEMS.split(cell) if is_kept else cell.split(BETWEEN_VALUES)

    def said(self, cell: str) -> str:
        """The column, and the word if it is one, for the owner to read."""
        is_word = isinstance(self.meaning, Words | YesNo | AtLeast)
        word = " ".join(plain_cell(cell).replace(BETWEEN_VALUES, ", ").split())
        return f"{self.name}: {word[:CHARACTERS_OF_AN_ITEM_MAX]}" if is_word else self.name


@lru_cache(CELLS_REMEMBERED_MAX)
def reason_of(said: str) -> Reason:
    """The reason for a suppression, from the list's words."""
    text = folded(said)
    if _COMPLAINT.search(text) is not None:
        return Reason.COMPLAINED
    return Reason.BOUNCED if _BOUNCE.search(text) is not None else Reason.IMPORTED


def suspects_in(cell: str) -> list[str]:
    """The items of a cell that may mean that no mail is wanted.

    Of a sentence only the first word counts: free text is not guessed at.
    """
    if cell.upper() == cell.lower():  # no letters
        return []
    if cell.isascii() and _QUICK.search(cell.casefold().translate(_SEPARATORS)) is None:
        return []
    return [item for item in _items_of(cell) if _is_suspect_item(_words_of(item))]


def states_in(cell: str) -> list[str]:
    """The items of a cell, such as tags, that are exactly a known word for left or suppressed."""
    return [item for item in _items_of(cell) if folded(item) in _NO_MAIL]


def _items_of(cell: str) -> list[str]:
    return [item for each in _BETWEEN_ITEMS.split(cell) if (item := plain_cell(each).strip()) != ""]


def _is_suspect_item(words: list[str]) -> bool:
    if len(words) > WORDS_OF_AN_ITEM_MAX:
        return _FIRST.match(words[0]) is not None
    return is_suspect(words)


def is_suspect(words: list[str]) -> bool:
    return _STEMS.search("".join(words)) is not None or any(word in _ONE_WORD for word in words)


def is_suspect_name(name: str) -> bool:
    """Whether a column's name alone makes any value in it doubtful."""
    return is_suspect(_words_of(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)))


def is_wanting_name(name: str) -> bool:
    """Whether a column's name may mean that it says who wants mail, so that "no" in it counts."""
    return _WANTS.search(folded(name)) is not None


def says_no(cell: str) -> bool:
    return folded(plain_cell(cell)) in NO


def _words_of(text: str) -> list[str]:
    if text.isascii():
        return _WORD.findall(text.casefold())
    plain = unicodedata.normalize("NFKD", text).casefold()
    seen = (letter for letter in plain if unicodedata.category(letter) not in ("Cf", "Mn"))
    return _WORD.findall("".join(seen))


def is_no(cell: str) -> bool:
    """Whether a value in a column with a suspect name is harmless: empty, "no", or a link."""
    word = folded(cell)
    return len(word) == 0 or word in _NO_MOMENT or word in FALSE or "://" in cell
