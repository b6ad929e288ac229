"""The owner of a real service hears of an alarm once, by mail and by webhook."""

import email
import email.policy
from email.message import EmailMessage

from tests.crash.postoffice import PostOffice, Victim
from tests.service.conftest import MakeOffice
from tests.service.primary import Primary
from tests.service.test_hard_times import until

OWNER = "me@elsewhere.example"


def with_owner(make_office: MakeOffice, mailbox: Primary, more: str = "") -> PostOffice:
    """An office whose owner's mail server is `mailbox`."""
    office = make_office()
    route = f'\n[[route]]\ndomain = "elsewhere.example"\nhost = "127.0.0.1:{mailbox.port}"\n'
    office.config.write_text(office.config.read_text() + route + more)
    return office


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def about(mailbox: Primary, words: str) -> list[EmailMessage]:
    return [mail for mail in map(read, mailbox.taken) if words in mail["Subject"]]


def test_the_owner_gets_one_mail_of_a_role_that_died(make_office: MakeOffice) -> None:
    with Primary() as mailbox:
        office = with_owner(make_office, mailbox)
        office.start()
        office.wait_for_roles()
        assert office.kill(Victim.RECEIVE)
        until("the mail of it", lambda: len(about(mailbox, "role died (receive)")) == 1)
        [mail] = about(mailbox, "role died (receive)")
        assert mailbox.mails[0].sender == ""
        assert mail["To"] == OWNER
        assert mail["From"].addresses[0].addr_spec == "postmaster@mx2.example.net"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "d=mx2.example.net" in mail["DKIM-Signature"]
        assert "Reason: it was ended by SIGKILL" in mail.get_content()
        assert office.kill(Victim.DELIVER)  # its successor knows what was mailed
        until("the mail of the other", lambda: len(about(mailbox, "role died (deliver)")) == 1)
        assert office.stop() == 0
        assert len(about(mailbox, "role died (receive)")) == 1
