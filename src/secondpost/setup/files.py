"""Who may read and write the files that the service depends on."""

import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.setup.diagnosis import Check, Diagnosis, Grade

FORBIDDEN_IN_STORE = stat.S_IWGRP | stat.S_IRWXO
FORBIDDEN_IN_DIVIDED = stat.S_IROTH | stat.S_IWOTH
DOUBTFUL_IN_STORE = stat.S_IRGRP | stat.S_IXGRP  # a group for backups may be meant
FORBIDDEN_FOR_SECRETS = stat.S_IRWXO | stat.S_IWGRP  # a group such as ssl-cert may read them
FORBIDDEN_FOR_CONFIG = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file or folder: its permission bits, and the name of its owner."""

    path: str
    mode: int
    owner: str


@dataclass(frozen=True, slots=True)
class FilesFacts:
    """`store`: the folder itself, its folders and keys; `secrets`: private keys and passwords beside it.

    The databases are as SQLite makes them, readable by all: the folder protects them.
    """

    config: FileFacts | None
    store: tuple[FileFacts, ...]
    databases: tuple[FileFacts, ...]
    secrets: tuple[FileFacts, ...]
    unreadable: tuple[str, ...] = ()  # by the service: certificate, key or passwords
    is_divided: bool = False  # each role has a user, and the rooms have groups


def examine_files(facts: FilesFacts, user: str) -> Iterator[Diagnosis]:
    """`user`: the name of the one that runs the service, to whom the store must belong."""
    if facts.is_divided:
        yield from _divided(facts.store, facts.databases)
    else:
        yield from _store(facts.store, facts.databases, user)
    yield from _secrets(facts.secrets)
    yield from (_hidden(path, user) for path in facts.unreadable)
    if facts.config is not None:
        yield _config(facts.config, user)


def _store(files: tuple[FileFacts, ...], databases: tuple[FileFacts, ...], user: str) -> Iterator[Diagnosis]:
    found = [*_strangers((*files, *databases), user), *(wrong for one in files for wrong in _opened(one))]
    yield from found
    if len(files) > 0 and len(found) == 0:
        yield Diagnosis(Check.STORE_FILES, files[0].path, Grade.WELL, f"Only {user} can open it.")


def _divided(files: tuple[FileFacts, ...], databases: tuple[FileFacts, ...]) -> Iterator[Diagnosis]:
    """The groups of a divided store are meant; what lies in it is for no other user."""
    opened = [one for one in (*files, *databases) if one.mode & FORBIDDEN_IN_DIVIDED != 0]
    for one in opened:
        text = f"Other users may {_what(one.mode & FORBIDDEN_IN_DIVIDED)} {one.path}."
        remedy = "systemctl restart secondpost-store.service"
        yield Diagnosis(Check.STORE_FILES, one.path, Grade.FAULT, text, remedy)
    if len(files) > 0 and len(opened) == 0:
        text = "Only the users of the roles can open it, each its rooms."
        yield Diagnosis(Check.STORE_FILES, files[0].path, Grade.WELL, text)


def _strangers(files: tuple[FileFacts, ...], user: str) -> Iterator[Diagnosis]:
    for one in files:
        if one.owner != user:
            text = f"{one.path} belongs to {one.owner}, and the service runs as {user}."
            remedy = f"chown -R {user}: {shlex.quote(files[0].path)}"
            yield Diagnosis(Check.STORE_FILES, one.path, Grade.FAULT, text, remedy)
            return  # the command mends the others too


def _opened(file: FileFacts) -> Iterator[Diagnosis]:
    wrong, doubtful = file.mode & FORBIDDEN_IN_STORE, file.mode & DOUBTFUL_IN_STORE
    remedy = f"chmod go= {shlex.quote(file.path)}"
    if wrong != 0:
        text = f"Other users may {_what(wrong)} {file.path}."
        yield Diagnosis(Check.STORE_FILES, file.path, Grade.FAULT, text, remedy)
    elif doubtful != 0:
        text = f"Users of its group may {_what(doubtful)} {file.path}."
        yield Diagnosis(Check.STORE_FILES, file.path, Grade.NOTE, text, remedy)


def _secrets(files: tuple[FileFacts, ...]) -> Iterator[Diagnosis]:
    for one in files:
        wrong = one.mode & FORBIDDEN_FOR_SECRETS
        if wrong != 0:
            text = f"Other users may {_what(wrong)} {one.path}."
            remedy = f"chmod o=,g-w {shlex.quote(one.path)}"
            yield Diagnosis(Check.SECRET_FILES, one.path, Grade.FAULT, text, remedy)
        else:
            yield Diagnosis(Check.SECRET_FILES, one.path, Grade.WELL, "Other users cannot read it.")


def _hidden(path: str, user: str) -> Diagnosis:
    copy = f"/etc/secondpost/{os.path.basename(path)}"
    text = f"The service runs as {user} and cannot read {path}."
    remedy = (
        f"install -D -o {user} -m 600 {shlex.quote(path)} {copy}, and name the copy (certbot: --deploy-hook)"
    )
    return Diagnosis(Check.SECRET_FILES, path, Grade.FAULT, text, remedy)


def _config(file: FileFacts, user: str) -> Diagnosis:
    wrong = file.mode & FORBIDDEN_FOR_CONFIG
    if wrong != 0:
        text = f"Other users may {_what(wrong)} {file.path}."
        return Diagnosis(
            Check.CONFIG_FILE, file.path, Grade.FAULT, text, f"chmod go-w {shlex.quote(file.path)}"
        )
    if file.owner not in ("root", user):
        text = f"It belongs to {file.owner}, who can change it."
        return Diagnosis(
            Check.CONFIG_FILE, file.path, Grade.NOTE, text, f"chown root: {shlex.quote(file.path)}"
        )
    return Diagnosis(Check.CONFIG_FILE, file.path, Grade.WELL, "Other users cannot write it.")


def _what(mode: int) -> str:
    """What the permission bits of group and others allow, in words."""
    reads, writes = mode & (stat.S_IRGRP | stat.S_IROTH), mode & (stat.S_IWGRP | stat.S_IWOTH)
    if reads != 0 and writes != 0:
        return "read and write"
    if writes != 0:
        return "write"
    return "read" if reads != 0 else "enter"
