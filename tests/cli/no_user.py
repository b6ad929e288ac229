"""A machine without the user `secondpost`, whether or not this one has it.

Tests run as whoever they are: as root, `init` would become that user for good. `python -m
tests.cli.no_user WORDS` is the command `secondpost WORDS` on such a machine.
"""

import pwd
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from secondpost.cli.main import main
from secondpost.config.records import Config

USUAL_USER = Config.__dataclass_fields__["user"].default


@contextmanager
def no_user() -> Iterator[None]:
    found = pwd.getpwnam

    def seen(name: str) -> pwd.struct_passwd:
        if name == USUAL_USER:
            raise KeyError(name)
        return found(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pwd, "getpwnam", seen)
        yield


if __name__ == "__main__":
    with no_user():
        main()
