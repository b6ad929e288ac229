"""Which statements stand as Debian's package exim4-config has them, so that the owner's own stand out. Pure.

A statement is recognised by its lines, each together with the line before it, so that a line that was
added, changed or taken out is noticed. Comments and blank lines do not count.
"""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from secondpost.setup.importing.carried import OldPlace, ReportLine
from secondpost.setup.importing.exim.debian_lines import DIGEST_CHARACTERS, DIGESTS
from secondpost.setup.importing.exim.lines import Physical

_KNOWN = frozenset(DIGESTS.split())


def digests(lines: Iterable[Physical]) -> Iterator[tuple[int, str]]:
    """Of the lines of one file: the number of each that counts, and the digest of it and the one before."""
    before = ""
    for line in lines:
        text = line.text.strip()
        if len(text) > 0 and not text.startswith("#"):
            pair = f"{before}\n{text}".encode("utf-8", "surrogateescape")
            yield line.place.line, sha256(pair).hexdigest()[:DIGEST_CHARACTERS]
            before = text


def with_packaged(
    report: Sequence[ReportLine], lines: Iterable[Physical], telling: Collection[OldPlace | None]
) -> list[ReportLine]:
    """The report with `packaged_in` at what is Debian's own. `telling`: places of statements that have
    something to tell of this machine; so has each that lives on in the new file.
    """
    by_path = dict[str, list[Physical]]()
    for line in lines:
        by_path.setdefault(line.place.path, []).append(line)
    starts = dict[str, set[int]]()
    for one in report:
        starts.setdefault(one.place.path, set()).add(one.place.line)
    own = {path: _own_starts(by_path.get(path, ()), numbers) for path, numbers in starts.items()}
    return [
        replace(one, packaged_in=_part(one.place.path))
        if one.place.line in own[one.place.path] and len(one.becomes) == 0 and one.place not in telling
        else one
        for one in report
    ]


def _own_starts(lines: Sequence[Physical], starts: Collection[int]) -> frozenset[int]:
    """Those of `starts` up to whose next every line is Debian's."""
    touched: Mapping[int, bool] = {number: digest not in _KNOWN for number, digest in digests(lines)}
    own, start, is_own = set[int](), 0, False
    for number, is_touched in touched.items():
        if number in starts:
            if is_own:
                own.add(start)
            start, is_own = number, True
        is_own = is_own and not is_touched
    if is_own:
        own.add(start)
    return frozenset(own)


def _part(path: str) -> str:
    """The template, or a folder of conf.d, of which each file has but a few statements."""
    return posixpath.dirname(path) if "/conf.d/" in path else path
