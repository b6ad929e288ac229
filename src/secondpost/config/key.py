"""The description of a key of the file: how its value is read and written, and what it says.

It stands once, beside the type and the default of the field that it fills:

    connections: Annotated[int, Key(number(1, 100_000), "How many connections …", example="200")] = 1000

The reader of the tables, docs/settings.md, `config explain` and `config show` are made from it; `versions`
says what it was called before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")
V = TypeVar("V", covariant=True)
Form = Callable[[object], T]  # raises Wrong


def kind(value: object) -> str:
    """The type of a TOML value, in words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return "a number"
    if isinstance(value, float):
        return "a decimal number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    return "a date or time"


@dataclass(frozen=True, slots=True)
class ValueForm(Generic[V]):
    """The form of one value. Called, it reads one; raises Wrong."""

    words: str  # such as "a whole number from 1 to 100"
    read: Callable[[object], V]
    write: Callable[..., str] | None = None  # the text of a value in the file; None: as TOML has its str
    none: str | None = None  # the word in the file that is read as None

    def __call__(self, value: object) -> V:
        return self.read(value)


@dataclass(frozen=True, slots=True)
class ListForm:
    """A list of values, none of them twice."""

    of: ValueForm[object]
    if_empty: str | None = None  # what to write instead of an empty list; None: it may be empty

    @property
    def words(self) -> str:
        return f"a list; each element is {self.of.words}"


class FileContent(Enum):
    """In words."""

    CERTIFICATE = "a certificate in PEM form"
    PRIVATE_KEY = "a private key in PEM form"
    SECRET = "a secret on its first line"


@dataclass(frozen=True, slots=True)
class FileForm:
    """The path of a file, whose content is checked when the configuration is read."""

    content: FileContent
    readers: frozenset[str]  # the roles that read it

    @property
    def words(self) -> str:
        return f"the path of a file with {self.content.value}"


@dataclass(frozen=True, slots=True)
class OwnForm:
    """A form that depends on more than the value: the table's function in `tables` reads it."""

    words: str
    write: Callable[..., str] | None = None


KeyForm = ValueForm[object] | ListForm | FileForm | OwnForm


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file, as the annotation of the field that it fills."""

    form: KeyForm
    says: str  # whole sentences in Markdown
    example: str  # as TOML; "" if there is none yet
    default: str = ""  # in words; "" if the default of the field can be written as a value
    is_secret: bool = False  # the value works like a password, and is not shown
    name: str = ""  # in the file; "" if it is the field's, without the unit
    need: str = ""  # of a key that must be there: what to write
    missing: object = None  # stands for such a key while the other faults are found; the tree is not used


@dataclass(frozen=True, slots=True)
class TableOfKeys:
    """A table of the file, and the record that it becomes."""

    record: type
    says: str  # a sentence
    is_repeated: bool = False  # [[name]], any number of them
    # The key without which the others of this table say nothing, as table and key.
    needs: tuple[str, str] | None = None
