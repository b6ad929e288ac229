"""The value of `recipients` of a [[backup]], with the list beside our file, and what is said of it."""

from dataclasses import dataclass, field

from secondpost.config.faults import Wrong
from secondpost.config.positions import KeyPath
from secondpost.config.recipients import recipient
from secondpost.mail.address import Domain
from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.postfix.ledger import PostfixLedger
from secondpost.setup.importing.postfix.recipients import OldRecipients, Openness
from secondpost.setup.importing.postfix.settings import PostfixSettings

MAPS, DOMAINS = "relay_recipient_maps", "relay_domains"


@dataclass(slots=True)
class RecipientAnswers:
    settings: PostfixSettings
    ledger: PostfixLedger
    lists: dict[str, str] = field(default_factory=dict)  # text by the name of the file

    @property
    def _decides(self) -> str:
        """The parameter at whose line recipients are spoken of."""
        return MAPS if self.settings.is_set(MAPS) else DOMAINS

    def of(self, domain: Domain, known: OldRecipients, number: int) -> tuple[str, ...]:
        """`number`: of the [[backup]], from 0. Empty: there is none that could be taken."""
        becomes: KeyPath = ("backup", number, "recipients")
        self._say_aliases(domain, known)
        match known.openness:
            case Openness.ANY:
                self._say_refused(domain, known, "any address is taken, and the primary decides")
                if self.settings.is_set(MAPS):
                    self.ledger.carried(MAPS, becomes)
                return ("any",)
            case Openness.LISTED:
                self._say_listed(known, becomes)
                return self._listed(domain, known)
            case Openness.LEARNED:
                self._say_refused(domain, known, "the primary is asked")
                return ("learn",)
        why = f"For {domain} some addresses cannot be listed: the primary is asked about them."
        self.ledger.changed(self._decides, why, becomes)
        return (*self._listed(domain, known), "learn")

    def _say_listed(self, known: OldRecipients, becomes: KeyPath) -> None:
        if "postmaster" in known.listed:
            self.ledger.carried(self._decides, becomes)
        else:
            why = "Mail to postmaster is always taken here (RFC 5321 §4.5.1), though it was not listed."
            self.ledger.changed(self._decides, why, becomes)

    def _listed(self, domain: Domain, known: OldRecipients) -> tuple[str, ...]:
        """A file with the recipients, as a source of `recipients`."""
        entries = list[str]()
        for local in known.listed:
            try:
                recipient(f"{local}@{domain}", domain)
            except Wrong as wrong:
                self.ledger.changed(self._decides, f"{wrong}: it is left out.")
            else:
                entries.append(f"{local}@{domain}\n")
        if len(entries) == 0:
            return ()
        name = f"recipients/{domain}"
        self.lists[name] = f"# The recipients of {domain}, as Postfix knew them.\n{''.join(entries)}"
        return (f"file:{name}",)

    def _say_aliases(self, domain: Domain, known: OldRecipients) -> None:
        for local, alias in known.rewritten.items():
            is_taken = local in known.listed or known.openness is Openness.ANY
            fate, what = Fate.NOT_CARRIED, "its mail is refused here"
            if is_taken:
                fate, what = Fate.CHANGED, "its mail is passed on to the primary as it is"
            why = f"Postfix rewrote this address; {what}. Let the primary have the alias."
            self.ledger.table(alias, fate, why)

    def _say_refused(self, domain: Domain, known: OldRecipients, instead: str) -> None:
        for one in known.refused:
            if one.ruling.entry is None:
                continue
            why = f"Postfix refused this address; here {instead}."
            self.ledger.table(one.ruling.entry, Fate.CHANGED, why)
