"""The owner of a real service hears of an alarm once, by mail and by webhook."""

import email
import email.policy
import json
import threading
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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


class Chat:
    """A chat service with a webhook, which keeps what is posted to it."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = int(self.headers["Content-Length"])
                assert self.headers["Content-Type"] == "application/json"
                chat.posted.append(json.loads(self.rfile.read(octets)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook/secret"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_the_webhook_gets_what_the_mailbox_gets(make_office: MakeOffice) -> None:
    chat = Chat()
    with Primary() as mailbox:
        alarms = f'\n[alarms]\nwebhook = "{chat.url}"\n\n[fetch]\nallow_private = true\n'
        office = with_owner(make_office, mailbox, alarms)
        office.start()
        office.wait_for_roles()
        assert office.kill(Victim.RECEIVE)
        until("the post of it", lambda: any(post["kind"] == "role-died" for post in chat.posted))
        until("the mail of it", lambda: len(about(mailbox, "role died (receive)")) == 1)
        assert office.stop() == 0
    chat.close()
    [post] = [post for post in chat.posted if post["kind"] == "role-died"]
    assert (post["hostname"], post["news"], post["subject"]) == ("mx2.example.net", "began", "receive")
    assert "What to do: " in post["text"]
    assert "/hook/secret" not in office.log.read_text()
