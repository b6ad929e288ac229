"""Whether a newsletter is just being moved to another name: nothing is made of what is half there."""

import apsw

from secondpost.store.sqlite.queries import read_queries

NAMING_QUERIES = read_queries("naming")


def is_being_renamed(db: apsw.Connection, newsletter: str) -> bool:
    return len(db.execute(NAMING_QUERIES["being_renamed"], (newsletter,)).fetchall()) > 0
