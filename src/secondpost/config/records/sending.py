"""How mail goes out, and what is sent to readers."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from secondpost.config import addresses, forms, grammars
from secondpost.config.key import Key, ListForm, ValueForm
from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.duration import HOUR_MS, SECOND_MS
from secondpost.mail.rate import MailRate

SELECTOR = ValueForm("a name in DNS", grammars.selector)


@dataclass(frozen=True, slots=True)
class Dns:
    """The name servers; none: those of /etc/resolv.conf."""

    servers: Annotated[
        tuple[Endpoint, ...],
        Key(
            ListForm(ValueForm("an IP address, with a port if it is not 53", addresses.name_server)),
            "The name servers to ask, by IP address; the port is 53 unless you say otherwise.",
            '["127.0.0.1:53"]',
            default="those of the machine",
        ),
    ] = ()


@dataclass(frozen=True, slots=True)
class Deliver:
    """How mail goes out."""

    probe_ms: Annotated[
        int,
        Key(
            forms.duration(SECOND_MS, HOUR_MS),
            "How often a server that is down is tried while mail waits for it.",
            '"1 minute"',
        ),
    ] = 30_000
    connections_per_site: Annotated[
        int,
        Key(
            forms.number(1, 1_000),
            "How many connections may be open at once to the servers of one provider, and to one IP "
            "address, whichever names lead to it; three more may replace some that have stalled.",
            "5",
        ),
    ] = 20
    port: Annotated[
        int,
        Key(
            forms.number(1, 65_535),
            "The port of other mail servers; anything but 25 is meant for tests.",
            "2700",
        ),
    ] = 25


@dataclass(frozen=True, slots=True)
class Fetch:
    """What may be fetched."""

    allow_private: Annotated[
        bool,
        Key(
            forms.SWITCH,
            "Whether feeds may be fetched from private addresses, such as this machine, and alarms "
            "posted to them; meant for tests.",
            "true",
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class Send:
    """Limits on what is sent to readers."""

    only_to: Annotated[
        tuple[str, ...],
        Key(
            ListForm(
                ValueForm('a mail address, or "*" in place of what stands before the @', grammars.only_to),
                "leave the key out to mail everyone",
            ),
            "The only addresses that get mail, with `*` before the @ for a whole domain; it keeps a "
            "staging copy from writing to your readers.",
            '["*@example.net"]',
            default="all readers",
        ),
    ] = ()
    rate: Annotated[
        MailRate | None,
        Key(
            ValueForm("a number of mails a second, a minute, an hour or a day", grammars.rate),
            "The most mails of issues that leave, to all readers together; they are spread evenly over "
            "the time. Other mail is not counted.",
            '"20000 an hour"',
            default="as fast as the readers' servers take it",
        ),
    ] = None
    warm_up: Annotated[
        bool,
        Key(
            forms.SWITCH,
            "Whether the large providers get only as many mails of issues a day as they are used to from "
            "you: 200 on the first day, and then half more each day that goes well, so that a large issue "
            "of a new server takes days. Mail through a smart host is not bound. Set it to false when the "
            "providers have known this server's address for long.",
            "false",
        ),
    ] = True
    unverified: Annotated[
        bool,
        Key(
            forms.SWITCH,
            "Whether issues go out before DNS proves who sends (SPF, DKIM, DMARC and the reverse name) and "
            "readers can unsubscribe at `url` of `[web]`, as `check dns` shows. By default they wait for "
            "it; meant for tests.",
            "true",
        ),
    ] = False

    def allows(self, mailbox: Mailbox) -> bool:
        """Whether `only_to` allows a reader: a staging copy mails only those."""
        patterns = self.only_to
        return len(patterns) == 0 or any(fnmatchcase(mailbox.key, each.casefold()) for each in patterns)


@dataclass(frozen=True, slots=True)
class Dkim:
    """The selectors of the keys that sign."""

    rsa: Annotated[str, Key(SELECTOR, "The name in DNS (selector) of the RSA key.", '"rsa2026"')] = "sp-rsa"
    ed25519: Annotated[str, Key(SELECTOR, "The selector of the Ed25519 key.", '"ed2026"')] = "sp-ed"
