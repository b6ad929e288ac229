"""Plays docs/first-month.md: types its commands, and lets happen what its stage directions say.

The page is a script as in tests/against/t09_newcomer/console. A block after `<!-- file: NAME -->`
is a file of the blogger's, and a `toml` block has keys of the newsletter that are changed.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Final

from tests.against.t09_newcomer.console import Direction, Typed, alike, as_read, script_of
from tests.protocols.test_feedback import report
from tests.service.month_town import BLOG, OWNER, PAGES, Town
from tests.service.newsroom import ask, parsed, parts_of
from tests.service.primary import Client, Mail
from tests.service.test_hard_times import until

EVENT_SECONDS_MAX: Final = 90.0
QUIET_SECONDS: Final = 1.5
HEAD: Final = (
    "id,email_address,creation_date,type,notes,metadata,tags,source,"
    "unsubscription_date,undeliverability_date,churn_date"
)
ACTIVE: Final = {"pine.example": 150, "oak.example": 100, "elm.example": 38}
GONE: Final = tuple(f"reader{number:03d}@pine.example" for number in (7, 19, 77, 110))
REPORTED: Final = ("reader003@oak.example", "reader041@oak.example")
FULL: Final = "reader009@elm.example"
FORGIVEN: Final = tuple(f"reader{number:03d}@oak.example" for number in range(20, 26))
COMPLAINS: Final = "reader050@pine.example"
SENT_BEFORE_HOLD: Final = 60  # mails that pine.example has taken
_FILES: Final = re.compile(r"<!-- file: (.+?) -->\n```\w*\n(.*?)```", re.DOTALL)
_KEYS: Final = re.compile(r"```toml\n(.*?)```", re.DOTALL)
_VARIES: Final = (
    (re.compile(r"/approve/[a-z2-7]+"), "/approve/TOKEN"),
    (re.compile(r"^((?:Held|Goes on): .* planned): .*", re.MULTILINE), r"\1: COUNTS"),
    (re.compile(r"\[\d+(\.\d+){3}\]"), "[ADDRESS]"),
    # Of several that were refused, the one whose answer is shown is the last to come.
    (re.compile(r"<reader\d+@oak\.example>: Recipient"), "<READER>: Recipient"),
    # The server that answered last, how many mails went in the last minutes, and a month that ends meanwhile.
    (re.compile(r"^  all others, .*", re.MULTILINE), "THE LAST ANSWER"),
    (re.compile(r"^(all others( +\d+){5}).*", re.MULTILINE), r"\1"),
    (re.compile(r"(^\d{4}-\d{2} .*\n?)+", re.MULTILINE), "MONTHS\n"),
)


@dataclass(slots=True)
class Played:
    """What a run printed, and what it led to."""

    outputs: list[Typed] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # commands with another exit code than 0
    owners_mails: list[str] = field(default_factory=list)  # those of the service
    copies: dict[str, Counter[str]] = field(default_factory=dict)  # by subject: mails by reader
    texts: dict[str, str] = field(default_factory=dict)  # by subject: text and HTML of one reader's mail
    arrived_while_held: tuple[int, int] = (0, 0)  # at pine.example: once it was quiet, and later
    issues_after_looking: int = 0  # there are, when the link to approve the third has been opened


class Month:
    def __init__(self, town: Town, page: str) -> None:
        self.town = town
        self.played = Played()
        self._page = page

    def play(self) -> Played:
        for name, text in _FILES.findall(self._page):
            (self.town.folder / name).write_text(text)
        directions = self._directions()
        for step in script_of(self._page):
            if isinstance(step, Direction):
                directions[step.words]()
            else:
                self._type(step.command)
        self._look_into_the_mailboxes()
        return self.played

    def _type(self, command: str) -> None:
        output, code = self.town.type(command)
        self.played.outputs.append(Typed(command, _shown(output)))
        if code != 0:
            self.played.failed.append(command)

    # -- what happens outside

    def _directions(self) -> dict[str, Callable[[], None]]:
        pine, oak = (self.town.hosts[domain] for domain in ("pine.example", "oak.example"))
        return {
            "the export lies in the folder": self._have_export,
            "two articles are published": lambda: self._publish(5),
            "four mailboxes at pine.example are gone": lambda: pine.gone.update(GONE),
            "a part of the issue has been sent": self._is_half_sent,
            "nothing more arrives": self._is_quiet,
            "issue 1 is done": lambda: self._is_done(1),
            "two mailboxes at oak.example are gone, and one at elm.example is full": self._report,
            "an hour passes": self._pass_an_hour,
            "the directory of oak.example is broken": lambda: oak.gone.update(FORGIVEN),
            "issue 2 is done": lambda: self._is_done(2),
            "the owner hears of the bounces": lambda: self._owner_has(1),
            "the directory of oak.example is mended": oak.gone.clear,
            "a reader complains": self._complain,
            "the configuration is changed": self._change_configuration,
            "two more articles are published": lambda: self._publish(7),
            "the owner is asked": lambda: self._owner_has(2),
            "the owner presses the button": self._press_the_button,
            "issue 3 is done": lambda: self._is_done(3),
        }

    def _have_export(self) -> None:
        (self.town.folder / "buttondown.csv").write_text(export())
        self.town.hosts["pine.example"].shuts_after = SENT_BEFORE_HOLD
        self._wait("the feed was read", lambda: self._number("SELECT count(*) FROM article") == 3)

    def _publish(self, articles: int) -> None:
        self.town.publish(articles)

    def _is_half_sent(self) -> None:
        others = sum(many for domain, many in ACTIVE.items() if domain != "pine.example")
        arrived = "SELECT count(*) FROM delivery WHERE state = 'delivered' AND subscriber IS NOT NULL"
        pine = self.town.hosts["pine.example"]
        self._wait("the gate is shut", lambda: not pine.gate.is_set())
        self._wait("the others have it", lambda: self._number(arrived) > others)

    def _is_quiet(self) -> None:
        pine = self.town.hosts["pine.example"]
        pine.gate.set()
        under_way = "SELECT count(*) FROM delivery WHERE state IN ('claimed', 'committing')"
        self._wait("what was on its way has arrived", lambda: self._number(under_way) == 0)
        before = len(pine.mails)
        time.sleep(QUIET_SECONDS)
        self.played.arrived_while_held = (before, len(pine.mails))

    def _report(self) -> None:
        """Servers that took a mail send reports to its envelope sender."""
        said = [(address, "5.1.1", "550 5.1.1 no such user") for address in REPORTED]
        for address, status, reply in (*said, (FULL, "5.2.2", "552 5.2.2 the mailbox is full")):
            [mail] = self.town.mails_to(address)
            self._send(mail.sender, "", delivery_report(mail, status, reply))
        many = len(GONE) + len(REPORTED) + 1
        self._wait("they are counted", lambda: self._number("SELECT count(*) FROM bounce") == many)

    def _pass_an_hour(self) -> None:
        self.town.office.pass_an_hour()
        new = "SELECT count(*) FROM bounce WHERE weighed = 'new'"
        self._wait("the bounces are weighed", lambda: self._number(new) == 0)

    def _complain(self) -> None:
        """The provider reports it to the address that the mail names for that (RFC 9477)."""
        mail = self.town.mails_to(COMPLAINS)[-1]
        fields = b"Feedback-Type: abuse\nUser-Agent: PineLoop/1\nVersion: 1\n"
        to = str(parsed(mail)["CFBL-Address"]).partition(";")[0]
        self._send(to, "abusedesk@pine.example", report(fields).replace(b"\n", b"\r\n"))
        complained = "SELECT count(*) FROM subscriber WHERE state = 'complained'"
        self._wait("it is counted", lambda: self._number(complained) == 1)

    def _change_configuration(self) -> None:
        """Set the keys of the page's `toml` block, which stand in the file already."""
        path = self.town.office.config
        text = path.read_text()
        [block] = _KEYS.findall(self._page)
        for line in block.splitlines():
            key = line.split()[0]
            text, changed = re.subn(rf"^(# )?{key} .*$", line, text, flags=re.MULTILINE)
            assert changed == 1, key
        path.write_text(text)

    def _press_the_button(self) -> None:
        """A scanner follows the link, and then the owner does."""
        mail = self._owners_mails()[-1]
        [link] = re.findall(rf"{PAGES}(/approve/\S+)", as_read(mail))
        pages = self.town.office.pages
        ask(f"{pages}{link}", "HEAD")
        page = ask(f"{pages}{link}").body
        [action] = re.findall(r'action="([^"]+)"', page)
        ask(f"{pages}{unescape(action)}")
        time.sleep(QUIET_SECONDS)
        self.played.issues_after_looking = self._number("SELECT count(*) FROM issue")
        assert ask(f"{pages}{unescape(action)}", "POST").status == 200

    # -- looking

    def _is_done(self, number: int) -> None:
        state = f"SELECT count(*) FROM issue WHERE number = {number} AND state = 'done'"
        self._wait(f"issue {number} is done", lambda: self._number(state) == 1)

    def _owner_has(self, mails: int) -> None:
        self._wait("the owner hears of it", lambda: len(self._owners_mails()) >= mails)

    def _owners_mails(self) -> Sequence[str]:
        """What asks the owner for something: neither the test copy, nor that an alarm is over, which
        is mailed some time later.
        """
        mails = self.town.mails_to(OWNER)
        subjects = [str(parsed(mail)["Subject"]) for mail in mails]
        return [
            mail.content.decode().replace("\r\n", "\n")
            for mail, subject in zip(mails, subjects, strict=True)
            if subject.startswith("Secondpost ") and "over:" not in subject
        ]

    def _look_into_the_mailboxes(self) -> None:
        played = self.played
        played.owners_mails = [_shown(as_read(mail)) for mail in self._owners_mails()]
        for mail in self.town.readers_mails:
            subject = str(parsed(mail)["Subject"])
            played.copies.setdefault(subject, Counter()).update(mail.recipients)
            played.texts[subject] = "".join(parts_of(parsed(mail)))

    def _send(self, to: str, sender: str, content: bytes) -> None:
        client = Client(self.town.office.port)
        try:
            assert client.send(content, to, sender).startswith("250 ")
        finally:
            client.close()

    def _number(self, query: str) -> int:
        [(found,)] = self.town.office.rows(query)
        assert isinstance(found, int)
        return found

    def _wait(self, what: str, is_so: Callable[[], bool]) -> None:
        until(what, is_so, EVENT_SECONDS_MAX)


def readers_of(domain: str) -> list[str]:
    """Those who are active in the export."""
    return [f"reader{number:03d}@{domain}" for number in range(1, ACTIVE[domain] + 1)]


def export() -> str:
    """Buttondown's, as tests/subscribers/exports has it."""
    people = [(address, "regular", "", "") for domain in ACTIVE for address in readers_of(domain)]
    people += [(f"left{n}@pine.example", "unsubscribed", "2025-05-01T07:30:00Z", "") for n in range(8)]
    people += [(f"dead{n}@oak.example", "undeliverable", "", "2025-06-01T07:30:00Z") for n in range(6)]
    people += [(f"angry{n}@oak.example", "complained", "", "") for n in range(3)]
    people += [(f"never{n}@elm.example", "unactivated", "", "") for n in range(4)]
    people += [("a reader of the blog", "regular", "", ""), ("two@@pine.example", "regular", "", "")]
    lines = [
        f"sub_{n:026d},{address},2024-02-{n % 28 + 1:02d}T10:54:27.123456Z,{type},,,,blog,{left},{dead},"
        for n, (address, type, left, dead) in enumerate(people, 1)
    ]
    return "\n".join((HEAD, *lines, ""))


def delivery_report(mail: Mail, status: str, reply: str) -> bytes:
    """A report that the mail could not be delivered after all (RFC 3464)."""
    address = mail.recipients[0]
    return (
        f"From: MAILER-DAEMON@{address.partition('@')[2]}\r\nTo: {mail.sender}\r\n"
        "Subject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.readers.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {reply}\r\n\r\n--b--\r\n"
    ).encode()


def same(text: str) -> str:
    """The text with everything replaced that differs from run to run."""
    text = alike(text)
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text


def _shown(text: str) -> str:
    """The blog's address as the page has it."""
    return re.sub(rf"http://{re.escape(BLOG)}:\d+", f"https://{BLOG}", text)


def page_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")
