"""The readers: they sign up, confirm, leave, and remember what we told them, for the invariants.

Whatever is not answered they try again, as people do.
"""

from collections.abc import Callable
from dataclasses import dataclass

from simulation.dice import SimDice
from simulation.net import SimInternet
from simulation.news import By, ReaderPlan
from simulation.pages import Posted
from simulation.primaries import Taken
from simulation.reader_mail import read_mail
from simulation.service import Service

AGAIN_SECONDS = 300.0
READS_SECONDS = (5.0, 1200.0)  # from a mail to what its reader does about it


@dataclass(slots=True)
class Reader:
    """One reader of one newsletter. Times are of the timeline; None: not yet."""

    plan: ReaderPlan
    caller: str  # IP address
    signed_up: float | None = None  # when we had answered
    asked_to_confirm: float | None = None  # when our mail was in the mailbox
    confirms: float | None = None  # when the first yes was on its way
    confirmed: float | None = None
    refused: bool = False  # the yes came to a link that was no longer good
    leaves: float | None = None
    left: float | None = None
    suppressed: float | None = None  # by the owner
    leave_token: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.plan.newsletter, self.plan.address


class People:
    def __init__(
        self, plans: tuple[ReaderPlan, ...], service: Service, internet: SimInternet, dice: SimDice
    ) -> None:
        self._service = service
        self._internet = internet
        self._dice = dice
        self.readers = {
            (plan.newsletter, plan.address): Reader(plan, f"100.{64 + number // 256}.{number % 256}.7")
            for number, plan in enumerate(plans)
        }
        self._at: dict[str, list[Reader]] = {}
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
        """Called for every mail that comes to a mailbox."""
        mail = read_mail(taken.content)
        for address in taken.recipients:
            for reader in self._at.get(address, ()):
                if mail.confirm_token is not None and reader.plan.joins_at is not None:
                    self._asked_to_confirm(reader, mail.confirm_token)
                elif mail.newsletter == reader.plan.newsletter and mail.leave_token is not None:
                    reader.leave_token = mail.leave_token

    # -- what they do
    def _sign_up(self, reader: Reader) -> None:
        def heard() -> None:
            reader.signed_up = reader.signed_up or self._now()

        fields = (("email", reader.plan.address), ("website", ""))
        self._insist(Posted(f"/{reader.plan.newsletter}/", fields, reader.caller), heard, lambda: None)

    def _asked_to_confirm(self, reader: Reader, token: str) -> None:
        if reader.asked_to_confirm is None:
            reader.asked_to_confirm = self._now()
            if reader.plan.confirms is not By.NOTHING:
                seconds = self._dice.between(*READS_SECONDS)
                self._internet.loop.call_later(seconds, self._confirm, reader, token)

    def _confirm(self, reader: Reader, token: str) -> None:
        def heard() -> None:
            reader.confirmed = reader.confirmed or self._now()

        def refused() -> None:
            reader.refused = True

        reader.confirms = self._now()
        self._insist(Posted(f"/confirm/{token}", (), reader.caller), heard, refused)

    def _leave(self, reader: Reader) -> None:
        """By a link of any of our mails: who never had one has nothing to leave."""
        if reader.leave_token is None:
            return

        def heard() -> None:
            reader.left = reader.left or self._now()

        reader.leaves = self._now()
        body = (("List-Unsubscribe", "One-Click"),)  # RFC 8058 §3.2
        self._insist(Posted(f"/leave/{reader.leave_token}", body, reader.caller), heard, lambda: None)

    def _insist(self, posted: Posted, heard: Callable[[], None], refused: Callable[[], None]) -> None:
        """Until there is an answer that ends it."""
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
