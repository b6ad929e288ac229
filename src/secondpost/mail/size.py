"""Amounts of data as the owner writes them: "1 GB", "50 MB". Decimal units."""

import re

OCTETS_PER = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d{1,12}) ?(B|KB|MB|GB|TB)", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Parse a size into octets. Raises ValueError with a sentence that names the right form."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f'{text!r} is not a size; write a whole number and B, KB, MB, GB or TB, such as "50 MB"'
        )
    return int(match[1]) * OCTETS_PER[match[2].upper()]


def size_text(octets: int) -> str:
    """A short form for people: 52428800 is "52.4 MB"."""
    for unit in ("TB", "GB", "MB", "KB"):
        if octets >= OCTETS_PER[unit]:
            return f"{octets / OCTETS_PER[unit]:.3g} {unit}"
    return f"{octets} B"
