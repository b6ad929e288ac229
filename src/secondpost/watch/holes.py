"""The holes that the rules of protocols/attacks are about, one row each: which versions have it, under
which configuration, what its use looks like in a log and on the machine, and what to do then.

Versions are those of the software's own releases; Debian's are of its packages, where Debian mended an
older version. Sources stand with each row. `unchecked` names what was written from memory or could not
be compared with a public tracker. Secondpost has none of these holes: harmless says why, for
each rule.
"""

from collections.abc import Iterable

from secondpost.watch.hole import KnownHole, MailSoftware
from secondpost.watch.other_holes import OTHER_HOLES
from secondpost.watch.server_holes import SERVER_HOLES

HOLES: tuple[KnownHole, ...] = (*SERVER_HOLES, *OTHER_HOLES)


def holes_of(rule: str, server: MailSoftware | None = None) -> tuple[KnownHole, ...]:
    """The holes that a rule finds the use of; with `server`, those that it has or passes on to."""
    return tuple(hole for hole in HOLES if rule in hole.rules and (server is None or server in hole.behind))


def cves_of(holes: Iterable[KnownHole]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cve for hole in holes for cve in hole.cves))
