"""What one process at a time may do is done under its lease."""

import apsw

from secondpost.store.newsletter_ports import LeadershipLost
from secondpost.store.ports import Lease
from secondpost.store.sqlite.queries import read_queries

_QUERIES = read_queries("issues")


def check_led(db: apsw.Connection, leader: Lease) -> None:
    """Raises LeadershipLost."""
    if len(db.execute(_QUERIES["is_led"], (leader.fence,)).fetchall()) == 0:
        raise LeadershipLost("the lease of the leader fell")
