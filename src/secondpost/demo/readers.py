"""Readers of the newsletter: their mailboxes and their reactions to mail."""

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
    """A mail in a reader's mailbox, as parsed by a mail program."""

    sender: str  # of its envelope
    raw: bytes
    message: EmailMessage

    @property
    def is_confirmation(self) -> bool:
        return self.message.get("Auto-Submitted") == "auto-generated"

    def field(self, name: str) -> str:
        """The unfolded value of a header field; empty if there is none."""
        return str(self.message.get(name, ""))

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def urls(self) -> list[str]:
        """All URLs in the List-* fields, the text and the HTML, without duplicates."""
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
        """In order of arrival."""
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
        """Submit the sign-up form of the page."""
        return await self.browser.post(page, {"email": self.address, TRAP: ""})

    def confirm_url(self) -> str:
        """The confirmation URL of the first mail; empty if there is none."""
        urls = _URL.findall(self.confirmations[0].text)
        return next((url for url in urls if "/confirm/" in url), "")

    async def confirm(self) -> Page:
        """Press the button on the confirmation page."""
        return await self.browser.post(self.confirm_url(), {})

    async def leave_with_one_click(self, mail: Mail) -> Page:
        """Unsubscribe as a mail program does (RFC 8058 §3.1): no cookie, no second page."""
        url = _URL.findall(mail.field("List-Unsubscribe"))[0]
        name, _, value = mail.field("List-Unsubscribe-Post").partition("=")
        return await self.browser.post(url, {name: value})
