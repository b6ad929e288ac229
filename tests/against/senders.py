"""Real mail servers as the sender: each accepts mail for the backup domain and sends it to our MX.

Each queues the mail, tries at once, and retries every few seconds.
"""

import smtplib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.postfix import Postfix
from bench.ready import free_port
from tests.against.sending import READER, SENDER
from tests.against.servers import Exim, OpenSmtpd, Server, folder_of

PER_CONNECTION_MAX: Final = 100  # OpenSMTPD sends no more


class Sender(Server):
    @abstractmethod
    def queued(self) -> int:
        """The number of messages that it still has."""

    def hand_over(self, messages: Sequence[bytes]) -> None:
        for start in range(0, len(messages), PER_CONNECTION_MAX):
            with smtplib.SMTP("127.0.0.1", self.port, "writer.sender.example", timeout=60) as connection:
                for message in messages[start : start + PER_CONNECTION_MAX]:
                    connection.sendmail(SENDER, [READER], message)


class EximSender(Exim, Sender):
    """One process and connection per message, which ends with dot, QUIT and FIN in one segment."""

    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        super().__init__(folder_of(place, "exim-sender"), "2s")
        self.write(
            "out.sender.example",
            f"""\
smtp_accept_queue_per_connection = 0
tls_advertise_hosts =
acl_smtp_rcpt = accept
begin routers
out:
  driver = manualroute
  route_list = * 127.0.0.1::{target} byname
  self = send
  transport = out
begin transports
out:
  driver = smtp
  {"hosts_require_tls" if tls else "hosts_avoid_tls"} = *
  tls_try_verify_hosts = *
begin retry
* * F,1h,2s
""",
        )

    def queued(self) -> int:
        return len(list((self.folder / "spool/input").rglob("*-H")))


class OpenSmtpdSender(OpenSmtpd, Sender):
    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        super().__init__(folder_of(place, "opensmtpd-sender"))
        scheme, demand = ("smtp+tls", "tls no-verify") if tls else ("smtp+notls", "")
        self.write(
            "out.sender.example",
            f"""\
action out relay host "{scheme}://127.0.0.1:{target}" {demand}
match from any for any action out
""",
        )

    def queued(self) -> int:
        return len(list((self.var / "spool/smtpd/queue").glob("*/*")))


class PostfixSender(Sender):
    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        self.port = free_port()
        settings = {
            "myhostname": "out.sender.example",
            "default_transport": "smtp",
            "relayhost": f"[127.0.0.1]:{target}",
            "smtp_tls_security_level": "encrypt" if tls else "none",
            "queue_run_delay": "2s",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "2s",
        }
        self._postfix = Postfix(folder_of(place, "postfix-sender"), self.port, settings)
        self._postfix.write()

    def start(self) -> None:
        self._postfix.start()

    def stop(self) -> None:
        self._postfix.stop()

    def queued(self) -> int:
        return self._postfix.queued()

    def trouble(self) -> str:
        return self._postfix.trouble()


MakeSender = Callable[..., Sender]
SENDERS: Final[dict[str, MakeSender]] = {
    "exim": EximSender,
    "opensmtpd": OpenSmtpdSender,
    "postfix": PostfixSender,
}
