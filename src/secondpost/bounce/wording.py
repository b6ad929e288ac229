"""The form in which the words of a refusal are searched: one line, limited, without names. Pure.

Gaps in all patterns are bounded, so that no text can make them slow.
"""

import re

TEXT_CHARACTERS_MAX = 1_000
OURS = "{ours}"  # stands for our envelope sender
OTHER = "@"  # stands for any other address

# Names tell nothing, whatever word they contain: the reader's address, and the server that refused, as
# Exim quotes it. A provider's desk for complaints does, and so does our envelope sender (protocols/verp).
_OURS = re.compile(r"<?\bb-(?:\*|[a-z2-7]{32,52})@[\w.-]{1,255}>?", re.IGNORECASE)
_OTHER = re.compile(r"(?<![\w.+=-])(?!(?:abuse|delist)@)[\w.+=-]{1,64}@[\w.-]{1,255}", re.IGNORECASE)
_SERVER = re.compile(r"\bhost [\w-]{1,63}\.[\w.-]{1,190} ?\[[\da-f.:]{1,45}\]", re.IGNORECASE)


def any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


def in_one_line(text: str) -> str:
    return " ".join(text[:TEXT_CHARACTERS_MAX].split())


def without_names(line: str) -> str:
    """The line with OURS and OTHER instead of addresses."""
    return _SERVER.sub("host", _OTHER.sub(OTHER, _OURS.sub(OURS, line)))
