"""The readers: they sign up, confirm and leave, and record our answers for the invariants.

They use our pages or mail, and retry until they get an answer, as people and their servers do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secondpost.web.public import TRAP
from simulation.dice import SimDice
from simulation.internet.net import SimInternet
from simulation.internet.primaries import Taken
from simulation.internet.senders import SimSender
from simulation.people.letters import compose, compose_report
from simulation.people.news import Channel, ReaderPlan
from simulation.people.pages import Posted
from simulation.people.reader_mail import ReaderMail, read_mail
from simulation.scenario import OUR_NAME
from simulation.service import SimService

AGAIN_SECONDS = 300.0
READS_SECONDS = (5.0, 1200.0)  # from the arrival of a mail to the reader's action
LETTER_OCTETS = 600


@dataclass(slots=True)
class SimReader:
    """One reader of one newsletter.

    Times are seconds of the timeline, None before the event. For actions by mail the end is not
    recorded here: the evidence is that the letter was taken.
    """

    plan: ReaderPlan
    caller: str  # IP address
    signed_up: float | None = None  # when we had answered
    asked_to_confirm: float | None = None  # when our mail was in the mailbox
    confirms: float | None = None  # when the first confirmation was sent
    confirmed: float | None = None  # when we had answered
    refused: bool = False  # the confirmation link was no longer valid
    leaves: float | None = None  # when it was sent
    left: float | None = None  # when we had answered
    suppressed: float | None = None  # by the owner
    leave_token: str | None = None
    leave_address: str | None = None
    letters: list[str] = field(default_factory=list)  # markers of the reader's letters, in order
    reports: list[str] = field(default_factory=list)  # markers of the reports that their server sent

    @property
    def key(self) -> tuple[str, str]:
        return self.plan.newsletter, self.plan.address


class People:
    def __init__(
        self,
        plans: Sequence[ReaderPlan],
        service: SimService,
        internet: SimInternet,
        outgoing: SimSender,
        dice: SimDice,
    ) -> None:
        self._service = service
        self._internet = internet
        self._outgoing = outgoing
        self._dice = dice
        self.readers = {
            (plan.newsletter, plan.address): SimReader(plan, f"100.{64 + number // 256}.{number % 256}.7")
            for number, plan in enumerate(plans)
        }
        self._at: dict[str, list[SimReader]] = {}
        for reader in self.readers.values():
            self._at.setdefault(reader.plan.address, []).append(reader)

    def begin(self) -> None:
        loop = self._internet.loop
        for reader in self.readers.values():
            if reader.plan.joins_at is not None:
                loop.call_at(reader.plan.joins_at, self._sign_up, reader)
            if reader.plan.leaves_at is not None:
                loop.call_at(reader.plan.leaves_at, self._leave, reader)

    def read(self, taken: Taken) -> None:
        """Handle a mail that reached a mailbox."""
        mail = read_mail(taken.content)
        for address in taken.recipients:
            for reader in self._at.get(address, ()):
                self._read(reader, mail, taken)

    def _read(self, reader: SimReader, mail: ReaderMail, taken: Taken) -> None:
        later = self._internet.loop.call_later
        if mail.newsletter is None:
            if reader.plan.joins_at is not None and reader.asked_to_confirm is None:
                reader.asked_to_confirm = self._now()
                later(self._dice.between(*READS_SECONDS), self._confirm, reader, mail)
        elif mail.newsletter == reader.plan.newsletter:
            reader.leave_token = mail.leave_token or reader.leave_token
            reader.leave_address = mail.leave_address
            if reader.plan.returns_mail:
                later(self._dice.between(*READS_SECONDS), self._report, reader, taken.sender)

    # -- actions
    def _sign_up(self, reader: SimReader) -> None:
        def heard() -> None:
            reader.signed_up = reader.signed_up or self._now()

        if reader.plan.joins is Channel.MAIL:
            self._write(reader, "joins", f"join-{reader.plan.newsletter}@{OUR_NAME}")
            return
        fields = (("email", reader.plan.address), (TRAP, ""))
        self._insist(Posted(f"/{reader.plan.newsletter}/", fields, reader.caller), heard, lambda: None)

    def _confirm(self, reader: SimReader, mail: ReaderMail) -> None:
        def heard() -> None:
            reader.confirmed = reader.confirmed or self._now()

        def refused() -> None:
            reader.refused = True

        if reader.plan.confirms is Channel.NOTHING:
            return
        reader.confirms = self._now()
        if reader.plan.confirms is Channel.MAIL:
            self._write(reader, "confirms", mail.reply_to or "")
        else:
            self._insist(Posted(f"/confirm/{mail.confirm_token}", (), reader.caller), heard, refused)

    def _leave(self, reader: SimReader) -> None:
        """Leave by the link or address of an earlier mail of ours; without one do nothing."""

        def heard() -> None:
            reader.left = reader.left or self._now()

        if reader.plan.leaves is Channel.MAIL:
            if reader.leave_address is not None:
                reader.leaves = self._now()
                self._write(reader, "leaves", reader.leave_address)
        elif reader.leave_token is not None:
            reader.leaves = self._now()
            body = (("List-Unsubscribe", "One-Click"),)  # RFC 8058 §3.2
            self._insist(Posted(f"/leave/{reader.leave_token}", body, reader.caller), heard, lambda: None)

    def _write(self, reader: SimReader, what: str, to: str) -> None:
        marker = f"{what}-{reader.plan.newsletter}-{reader.plan.address}"
        reader.letters.append(marker)
        self._outgoing.give(compose(self._dice, marker, reader.plan.address, (to,), LETTER_OCTETS))

    def _report(self, reader: SimReader, to: str) -> None:
        marker = f"report-{len(reader.reports)}-{reader.plan.address}"
        reader.reports.append(marker)
        host = reader.plan.address.rpartition("@")[2]
        self._outgoing.give(compose_report(marker, host, reader.plan.address, to))

    def _insist(self, posted: Posted, heard: Callable[[], None], refused: Callable[[], None]) -> None:
        """Post a form until there is a final answer: 200, or 410 for a link no longer valid."""
        over = False

        def answered(status: int) -> None:
            nonlocal over
            if status == 200:
                over = True
                heard()
            elif status == 410:
                over = True
                refused()
            elif status != 503:
                over = True
                self._internet.complain(f"{posted.path.partition('/')[2]} was answered with {status}")

        def again() -> None:
            if not over:
                self._service.post(posted, answered)
                self._internet.loop.call_later(AGAIN_SECONDS, again)

        again()

    def _now(self) -> float:
        return self._internet.timeline.now
