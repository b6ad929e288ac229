"""Readers of the newsletter: a mailbox at a server of their own, and what they do with what lies in it."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

from secondpost.demo.browser import Browser, Page
from secondpost.demo.mailserver import MailServer
from secondpost.web.public import TRAP

_URL = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in a reader's mailbox, as their program shows it."""

    sender: str  # of its envelope
    raw: bytes
    message: EmailMessage

    @property
    def is_confirmation(self) -> bool:
        return self.message.get("Auto-Submitted") == "auto-generated"

    def field(self, name: str) -> str:
        """Unfolded; empty when it is not there."""
        return str(self.message.get(name, ""))

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def urls(self) -> list[str]:
        """Every address of the web in it: of its head, its text and its HTML; each once."""
        lists = " ".join(str(value) for name, value in self.message.items() if name.startswith("List-"))
        texts = (lists, self.text, unescape(self._part("html")))
        return list(dict.fromkeys(url for text in texts for url in _URL.findall(text)))

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content())


@dataclass(frozen=True, slots=True)
class Reader:
    address: str
    server: MailServer
    browser: Browser

    @property
    def mails(self) -> list[Mail]:
        """In the order in which they came."""
        return [
            Mail(
                arrived.sender,
                arrived.data,
                message_from_bytes(arrived.data, policy=policy.default),
            )
            for arrived in self.server.mailbox
            if self.address in arrived.recipients
        ]

    @property
    def issues(self) -> list[Mail]:
        return [mail for mail in self.mails if not mail.is_confirmation]

    @property
    def confirmations(self) -> list[Mail]:
        return [mail for mail in self.mails if mail.is_confirmation]

    async def sign_up(self, page: str) -> Page:
        """What the form of the page does."""
        return await self.browser.post(page, {"email": self.address, TRAP: ""})

    def confirm_url(self) -> str:
        """The one address of the confirmation's text; empty when there is none."""
        urls = _URL.findall(self.confirmations[0].text)
        return next((url for url in urls if "/confirm/" in url), "")

    async def confirm(self) -> Page:
        """What the button of that page does."""
        return await self.browser.post(self.confirm_url(), {})

    async def leave_with_one_click(self, mail: Mail) -> Page:
        """What a mail program does (RFC 8058 §3.1): no cookie, no second page."""
        url = _URL.findall(mail.field("List-Unsubscribe"))[0]
        name, _, value = mail.field("List-Unsubscribe-Post").partition("=")
        return await self.browser.post(url, {name: value})
