"""The services on which strangers could deliver mail, and what is said of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.remarks import NO_LOGINS
from secondpost.setup.importing.postfix.services import (
    SMTP_PORT,
    SUBMISSION_PORTS,
    NotService,
    OldService,
)


@dataclass(frozen=True, slots=True)
class PostfixDoors:
    """`services`: of master.cf; none if there is no such file."""

    services: Sequence[OldService | NotService]

    @property
    def open(self) -> tuple[OldService, ...]:
        """The services on port 25, or else on any port but those for submission."""
        inet = [one for one in self.services if isinstance(one, OldService) and one.kind == "inet"]
        open_ = [one for one in inet if one.command in ("smtpd", "postscreen") and not one.is_inside]
        usual = [one for one in open_ if one.port == SMTP_PORT]
        others = [one for one in open_ if one.port not in SUBMISSION_PORTS and one.port > 0]
        return tuple(usual if len(usual) > 0 else others)

    def own_of(self, door: OldService) -> Mapping[str, str]:
        """The parameters of a door; behind postscreen, those of the smtpd that it passes clients to."""
        if door.command == "smtpd":
            return door.own
        behind = (one for one in self.services if isinstance(one, OldService) and one.kind == "pass")
        return next((one.own for one in behind if one.command == "smtpd"), {})

    def take_mail(self, ledger: PostfixLedger) -> bool:
        """Whether strangers could deliver at all."""
        if len(self.services) == 0 or len(self.open) > 0:
            return True
        why = "master.cf has no service on port 25 that others could reach, so no domain is carried."
        ledger.changed("relay_domains", why)
        return False

    def say(self, ledger: PostfixLedger) -> None:
        for one in self.services:
            if not isinstance(one, OldService) or one.kind != "inet":
                continue
            name = f"service {one.place.line}"
            if one in self.open:
                ledger.carried(name, ("receive", "listen"))
            elif one.port in SUBMISSION_PORTS:
                ledger.not_carried(name, NO_LOGINS)
            elif one.command in ("smtpd", "postscreen"):
                ledger.not_carried(
                    name, "This door is not opened here: add it to `listen` of [receive] if needed."
                )
