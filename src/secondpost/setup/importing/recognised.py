"""Which mail server a configuration is of: by the names of its files, and by its words. Pure.

A folder stands for the file in it that its server reads first.
"""

import posixpath
import re
from dataclasses import dataclass

from secondpost.setup.importing.carried import OldServer
from secondpost.setup.importing.old_files import NotRead, OldFiles

# The file that each server reads first, below a folder such as /etc or its own.
FIRST_FILES = (
    ("smtpd.conf", None),
    ("main.cf", OldServer.POSTFIX),
    ("update-exim4.conf.conf", OldServer.EXIM),
    ("exim4.conf", OldServer.EXIM),
    ("exim4.conf.template", OldServer.EXIM),
)

# OpenSMTPD's rules since 6.4, and before it (smtpd.conf(5)); a rule begins a line.
_MATCHES = re.compile(r"^[ \t]*(?:match|action)\b(?![ \t]*=)", re.MULTILINE)
_ACCEPTS = re.compile(r"^[ \t]*(?:accept|reject)\b(?![ \t]*=)", re.MULTILINE)
# A line that only the one server knows.
_POSTFIX = re.compile(
    r"^(?:myhostname|mydestination|relay_domains|smtpd_\w+_restrictions|relayhost|mynetworks"
    r"|compatibility_level|virtual_\w+|inet_interfaces)[ \t]*=",
    re.MULTILINE,
)
_EXIM = re.compile(
    r"^(?:[ \t]*begin[ \t]+(?:acl|routers|transports|retry)\b"
    r"|dc_eximconfig_configtype=|(?:domainlist|hostlist|addresslist)[ \t]+\w+[ \t]*=)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """`path`: the file or folder that the server's reader begins with."""

    server: OldServer
    path: str


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """`reason` continues a sentence that begins with the path."""

    reason: str


def recognised(files: OldFiles, path: str, said: OldServer | None) -> Recognised | NotRecognised:
    """`said`: the server that the owner named, if he did; then only the file in a folder is looked for."""
    names = files.names(path)
    if isinstance(names, NotRead):
        return _of_file(files, path, said)
    for name, server in FIRST_FILES:
        if name in names and said in (None, server, *(_SMTPD if server is None else ())):
            found = said or server
            if found in (OldServer.POSTFIX, OldServer.EXIM):
                return Recognised(found, path)
            return _of_file(files, posixpath.join(path, name), said)
    if said is not None:
        return Recognised(said, path)
    known = ", ".join(name for name, _ in FIRST_FILES)
    return NotRecognised(f"is a folder without a file of a mail server that is known here ({known})")


_SMTPD = (OldServer.OPENSMTPD, OldServer.OLD_OPENSMTPD)


def _of_file(files: OldFiles, path: str, said: OldServer | None) -> Recognised | NotRecognised:
    text = files.text(path)
    if isinstance(text, NotRead):
        return NotRecognised(text.reason)
    if said is not None:
        return Recognised(said, path)
    name = posixpath.basename(path)
    server = next((server for first, server in FIRST_FILES if first == name), None) or _by_words(text)
    if server is None:
        return NotRecognised("has no line that shows of which mail server it is; name the server with --from")
    return Recognised(server, path)


def _by_words(text: str) -> OldServer | None:
    if _EXIM.search(text) is not None:
        return OldServer.EXIM
    if _POSTFIX.search(text) is not None:
        return OldServer.POSTFIX
    matches, accepts = _MATCHES.search(text), _ACCEPTS.search(text)
    if matches is not None and accepts is None:
        return OldServer.OPENSMTPD
    return OldServer.OLD_OPENSMTPD if accepts is not None and matches is None else None
