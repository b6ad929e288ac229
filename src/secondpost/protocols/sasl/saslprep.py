"""SASLprep (RFC 4013): one spelling for names and passwords that look the same."""

import stringprep
from itertools import chain
from unicodedata import ucd_3_2_0  # stringprep is defined for this version of Unicode

_PROHIBITED = (  # RFC 4013 §2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class CannotPrepare(ValueError):
    """The text has characters that SASLprep prohibits. The message does not quote it."""


def prepared(text: str) -> str:
    """Prepare a query string: unassigned code points are allowed (RFC 5802 §5.1).

    Raises CannotPrepare.
    """
    mapped = "".join(chain.from_iterable(map(_mapped, text)))
    result = ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(character) for character in result for prohibits in _PROHIBITED):
        raise CannotPrepare("it contains a character that SASLprep prohibits")
    _check_direction(result)
    return result


def _mapped(character: str) -> str:
    """RFC 4013 §2.1: every space becomes the ASCII space; some characters become nothing."""
    if stringprep.in_table_c12(character):
        return " "
    return "" if stringprep.in_table_b1(character) else character


def _check_direction(text: str) -> None:
    """RFC 3454 §6: text from right to left begins and ends so, and has no part from left to right."""
    right_to_left = [stringprep.in_table_d1(character) for character in text]
    if not any(right_to_left):
        return
    if any(map(stringprep.in_table_d2, text)) or not (right_to_left[0] and right_to_left[-1]):
        raise CannotPrepare("it mixes the directions of writing in a way that SASLprep prohibits")
