"""Reasons to refuse a list before anything is written: the owner speaks of a column or a word that it
does not have, or its file's name says more about the people in it than its columns.
"""

import re
from collections.abc import Collection, Sequence
from itertools import islice

from secondpost.subscribers.list_columns import OWN_SERVICE, ListColumns, OwnersWord
from secondpost.subscribers.list_document import ListPart
from secondpost.subscribers.list_rows import NoList
from secondpost.subscribers.meanings import Plain, ReaderStanding, folded

NAMES_SHOWN_MAX = 12  # of columns or words that the list has

# As Mailchimp names the files of an audience, and what their owners make of these names. A list that
# its owner cleaned may have "cleaned" anywhere.
_NO_READERS = re.compile(r"(?<![a-z])(?:non-?subscribed|unsubscribed)(?![a-z])|^(cleaned)_")


def check_columns_named(parts: Sequence[ListPart], word: OwnersWord) -> None:
    """Raise NoList for a column that the owner named and the list does not have: it may be the one
    that matters.
    """
    if len(parts) == 0:
        return
    names = {folded(name) for part in parts for name in part.head}
    for name in word.columns:
        if name not in names and not (name.isdecimal() and any(len(part.head) == 0 for part in parts)):
            listed = [each for part in parts for each in part.head if each != ""]
            has = _shown(listed) if len(listed) > 0 else "columns without names: 1, 2, …"
            raise NoList(f"it has no column '{word.as_typed(name)}'; it has {has}")


def check_words_met(word: OwnersWord, met: Collection[str], words: Sequence[str]) -> None:
    """Raise NoList for a word that the owner explained and no line has: it may be misspelt, and the
    people about whom the list says it would be readers.

    `met` are the owner's words that the list has, folded; `words` are those that say something about
    people in it.
    """
    for name in word.words:
        if name not in met:
            has = f"; among its words are {_shown(words)}" if len(words) > 0 else ""
            raise NoList(f"it has no word '{word.as_typed(name)}'{has}")


def check_file_name(part: ListPart, columns: ListColumns, word: OwnersWord) -> None:
    """Raise NoList for a file of people who get no mail, as its name says and nothing in it, such as
    one of Mailchimp's cut down to its addresses.
    """
    found = _NO_READERS.search(part.name.rpartition("/")[2].casefold())
    form = columns.form
    is_said = form is not None and (
        form.service == OWN_SERVICE or form.whole in (ReaderStanding.LEFT, ReaderStanding.SUPPRESSED)
    )
    if found is None or is_said or word.whole is not None:
        return
    if any(column.is_given and not isinstance(column.meaning, Plain) for column in columns.columns):
        return
    standing = ReaderStanding.LEFT if found[1] is None else ReaderStanding.SUPPRESSED
    raise NoList(
        f"by its name, it holds people who are to get no mail. If so, add --as {standing}; if the name is "
        "wrong, --as active"
    )


def _shown(names: Sequence[str]) -> str:
    different = dict.fromkeys(names)
    more = len(different) - NAMES_SHOWN_MAX
    return ", ".join(islice(different, NAMES_SHOWN_MAX)) + (f" and {more:,} more" if more > 0 else "")
