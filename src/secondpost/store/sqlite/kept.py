"""The copies that were kept of a database, each in a folder of its own beside it."""

import os
from contextlib import suppress

from secondpost.mail.kept_copy import KEPT_FOLDER, KeptCopy, schema_and_time_of


def kept_copies(database: str) -> list[KeptCopy]:
    """Those of the database at this path, oldest first; none where there is no such folder, or no file,
    as in memory.
    """
    room, name = os.path.split(database)
    folder = os.path.join(room, KEPT_FOLDER)
    found = []
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        for each in os.listdir(folder):
            named, path = schema_and_time_of(each), os.path.join(folder, each, name)
            if named is not None and os.path.isfile(path) and not os.path.islink(path):
                found.append(KeptCopy(named[1], named[0], path, os.stat(path).st_size))
    return sorted(found)
