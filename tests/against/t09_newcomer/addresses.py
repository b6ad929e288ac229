"""The addresses of the small internet.

The guide shows addresses that are reserved for documentation (RFC 5737, RFC 3849). No server may
use those, and Secondpost treats them as private. So before a command is typed, each is replaced by
a public one, which exists only inside the namespace, and its output is translated back.
"""

from typing import Final

PREFIXES: Final = (
    ("192.0.2.", "5.45.100."),
    ("198.51.100.", "5.45.101."),
    ("203.0.113.", "5.45.102."),
    ("2001:db8:", "2a0b:5a80:"),
)
# The reverse of the above, for names such as 20.2.0.192.in-addr.arpa.
REVERSE: Final = ((".2.0.192.", ".100.45.5."), (".100.51.198.", ".101.45.5."), (".113.0.203.", ".102.45.5."))

SERVER: Final = "192.0.2.20"
SERVER_IPV6: Final = "2001:db8::20"
NAME_SERVER: Final = "203.0.113.53"
RESOLVER: Final = "203.0.113.54"  # where the machine is rented
AUTHORITY: Final = "203.0.113.80"
PROVIDER: Final = "198.51.100.10"
MAILBOXES: Final = "198.51.100.20"
BLOG: Final = "198.51.100.30"
SENDER: Final = "203.0.113.77"
TOWN: Final = (NAME_SERVER, RESOLVER, AUTHORITY, PROVIDER, MAILBOXES, BLOG, SENDER)


def real(text: str) -> str:
    """Documentation addresses replaced by those of the namespace."""
    for shown, used in (*PREFIXES, *REVERSE):
        text = text.replace(shown, used)
    return text


def shown(text: str) -> str:
    """The reverse of `real`."""
    for documented, used in (*PREFIXES, *REVERSE):
        text = text.replace(used, documented)
    return text
