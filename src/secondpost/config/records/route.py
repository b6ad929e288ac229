"""The smart hosts."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms
from secondpost.config.file_readers import PASSWORD_READERS
from secondpost.config.key import FileContent, FileForm, Key, ValueForm
from secondpost.config.records.backup import HOST, NOWHERE
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Login, TlsDemand

ROUTED_LANES = (Lane.RELAY, Lane.ISSUES, Lane.OWN)  # the lane unverified follows relay


def _domain_or_all(value: object) -> Domain | None:
    domain = addresses.domain_or_any(value)
    return None if domain == addresses.ANY_DOMAIN else domain


@dataclass(frozen=True, slots=True)
class Route:
    """A smart host: mail of a lane to a domain goes there instead of to the domain's MX."""

    domain: Annotated[
        Domain | None,
        Key(
            ValueForm('a full domain, or "*"', _domain_or_all, none="*"),
            'Mail for this domain takes the route; `"*"` means every domain.',
            '"*"',
            need='write the domain whose mail takes this way, or "*" for all',
            missing=NOWHERE,
        ),
    ]
    lane: Annotated[
        Lane | None,
        Key(
            forms.choice(ROUTED_LANES),
            'Which mail: `"relay"` (for backup domains), `"issues"` (to readers) or `"own"` '
            '(confirmations, test copies, redirected mail). A `"*"` route applies to `relay` only if '
            "its `lane` says so.",
            '"issues"',
            default="all",
        ),
    ]
    host: Annotated[
        Endpoint,
        Key(
            HOST,
            "The server, with its port if it is not 25.",
            '"smtp.example:587"',
            need='write host = "smtp.example:587"',
            missing=Endpoint("", 0),
        ),
    ]
    username: Annotated[
        str | None,
        Key(
            forms.TEXT,
            "The name to log in with; needs `password_file`. The login is SCRAM-SHA-256, PLAIN or "
            "LOGIN, whichever is the strongest that the server offers.",
            '"me"',
            default="no login",
        ),
    ] = None
    password_file: Annotated[
        str | None,
        Key(
            FileForm(FileContent.SECRET, PASSWORD_READERS),
            "The file with the password on its first line, in UTF-8; the service's `user` must be "
            "able to read it, and others should not.",
            '"/etc/secondpost/password"',
            default="no login",
        ),
    ] = None
    tls: Annotated[
        TlsDemand | None,
        Key(
            forms.choice(TlsDemand),
            'TLS with this server: `"opportunistic"` (encrypt if it can), `"encrypt"` (only '
            'encrypted), `"verify"` (only encrypted, with a valid certificate) or `"none"` (never '
            'encrypt). With a login it must be `"encrypt"` or `"verify"`, or, for a server on this '
            'machine, `"none"`. Port 465 is encrypted from the first octet.',
            '"verify"',
            default="`opportunistic`; `none` on this machine; `encrypt` with a login or on port 465",
        ),
    ] = None

    @property
    def login(self) -> Login | None:
        if self.username is None or self.password_file is None:
            return None
        return Login(self.username, self.password_file)
