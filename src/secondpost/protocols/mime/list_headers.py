"""The header fields by which mail programs recognise a newsletter and offer to unsubscribe.

List-Id (RFC 2919), List-Unsubscribe, List-Help, List-Archive, List-Post (RFC 2369),
List-Unsubscribe-Post (RFC 8058), and Feedback-ID, which names the newsletter and never a reader.
By CFBL-Address (RFC 9477) providers find out where to report a reader's complaint.
"""

from hashlib import sha256

from secondpost.mail.address import Domain
from secondpost.protocols.mime.header_fields import address_field, structured_field

ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"  # RFC 8058 §3.1
NO_POSTS = "List-Post: NO"  # RFC 2369 §3.4: a list without posting
MESSAGE_ID_OCTETS = 16
SENDER_ID_OCTETS = 5  # as 10 hexadecimal digits: Gmail asks for 5 to 15 characters


def list_id(title: str, identity: str) -> str:
    """`List-Id: The Blog <weekly.example.net>`; the identity never changes, the title may."""
    return address_field("List-Id", title, identity)


def list_unsubscribe(page_url: str | None, mailbox: str) -> str:
    """The page's URL and a mailto:, in this order: programs use the first that they support."""
    mailto = f"<mailto:{mailbox}>"
    return structured_field("List-Unsubscribe", (mailto,) if page_url is None else (f"<{page_url}>", mailto))


def list_archive(url: str) -> str:
    return structured_field("List-Archive", (f"<{url}>",))


def list_help(url: str) -> str:
    return structured_field("List-Help", (f"<{url}>",))


def feedback_id(newsletter: str, domain: Domain) -> str:
    """By which Gmail's Postmaster Tools show complaints: `campaign:customer:kind:sender`, where the last
    is always the same for a domain. The same in all issues, so that their counts add up.
    """
    sender = sha256(domain.name.encode("ascii")).digest()[:SENDER_ID_OCTETS].hex()
    return structured_field("Feedback-ID", (f"{newsletter}:{newsletter}:issue:{sender}",))


def may_ask_for_complaints(signing: Domain, at: Domain) -> bool:
    """Whether a mail that `signing` signs may ask for complaints to an address at the domain `at`.

    It may for its own domain and those below it (RFC 9477 §3.1.1 and §3.1.2). For another one
    providers want a second signature (§3.1.3), and report nothing without it.
    """
    return at == signing or at.name.endswith(f".{signing.name}")


def cfbl_address(mailbox: str) -> str:
    """Asks for complaints as ARF, to an address that names the reader (RFC 9477 §4.1)."""
    return structured_field("CFBL-Address", (f"{mailbox};",)) + "\r\n report=arf"


def message_id(seed: bytes, subscriber: int, number: int, domain: Domain) -> str:
    """The Message-ID of one reader's mail: the same at every attempt, revealing no reader."""
    named = b"message-id %d %d " % (subscriber, number) + seed
    return f"<{sha256(named).digest()[:MESSAGE_ID_OCTETS].hex()}@{domain.name}>"
