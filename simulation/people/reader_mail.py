"""A mail of ours as a reader's mail program sees it, parsed without the product's code."""

import re
from dataclasses import dataclass

from simulation.internet.blog import BLOG

_LIST = re.compile(rb"^List-Id: [^<]*<(\w+)\.blog\.example>", re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s+(<[^>]+>)", re.MULTILINE)
_SIGNATURE = re.compile(rb"^DKIM-Signature:", re.MULTILINE)
_PLAIN = re.compile(rb"^Content-Type: text/plain.*?\r\n\r\n(.*?)\r\n--", re.MULTILINE | re.DOTALL)
_ARTICLE = re.compile(rb"^" + re.escape(BLOG.encode()) + rb"/\w+/(\w+)\r?$", re.MULTILINE)
_CONFIRM = re.compile(rb"/confirm/([a-z2-7]+)")
_MAILTO = re.compile(rb"^List-Unsubscribe: [^:]*(?::[^:]*)?<mailto:([^>]+)>", re.MULTILINE)
_REPLY_TO = re.compile(rb"^Reply-To: (\S+)\r$", re.MULTILINE)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LEAVE = re.compile(rb"/leave/([a-z2-7]+)")


@dataclass(frozen=True, slots=True)
class ReaderMail:
    newsletter: str | None  # None: a request to confirm
    message_id: str
    articles: tuple[str, ...]  # the last path segments of the article links in the text, with repetitions
    confirm_token: str | None
    leave_token: str | None
    leave_address: str | None  # a mail to it unsubscribes
    reply_to: str | None  # an answer to it confirms
    signatures: int


def read_mail(content: bytes) -> ReaderMail:
    end = content.find(b"\r\n\r\n")
    header, body = _FOLD.sub(b"", content[: end + 2]), content[end + 2 :]
    plain = _PLAIN.search(body)
    # RFC 2045 §6.7: a line that ends with "=" continues; nothing else is encoded in our links.
    text = b"" if plain is None else plain[1].replace(b"=\r\n", b"")
    leave_address = _first(_MAILTO, header)
    return ReaderMail(
        _first(_LIST, header) if leave_address is not None else None,
        _first(_MESSAGE_ID, header) or "",
        tuple(found.decode() for found in _ARTICLE.findall(text)),
        _first(_CONFIRM, text),
        _first(_LEAVE, text),
        leave_address,
        _first(_REPLY_TO, header),
        len(_SIGNATURE.findall(header)),
    )


def _first(pattern: re.Pattern[bytes], text: bytes) -> str | None:
    found = pattern.search(text)
    return None if found is None else found[1].decode()
