"""What the old server answers to a recipient that an ordinary stranger names: its ACLs, worked out. Pure.

Specification, chapter 43, "Access control lists". Statements are tried in order; the first `accept`
or `deny` that applies decides, and at the end of a list everything is refused.

What is not certain never makes the old server more generous than it was: an `accept` in doubt does not
accept, and a `deny` in doubt about the recipient refuses. Only conditions about the client, its
sender and its message are passed over, because this server does not ask them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from secondpost.setup.importing.exim.expansion import (
    About,
    ForcedFailure,
    NotExact,
    Truth,
    Unsaid,
    is_true,
)
from secondpost.setup.importing.exim.matching import (
    STRANGER_DOMAIN,
    STRANGERS,
    Lists,
    Recipient,
    of_exception,
)
from secondpost.setup.importing.exim.routing import Forwarded, Local, NotKnown, Routing, ToHosts, ToMxHosts
from secondpost.setup.importing.exim.statements import AclStatement, Condition

NESTED_MAX = 10
_VARIABLE = re.compile(r"acl_[cm]\w+")  # §43.13: an ACL variable that was not set is empty
BEFORE_RCPT = ("acl_smtp_connect", "acl_smtp_helo", "acl_smtp_mail")
REJECTING = "host_reject_connection"  # an option: the clients that are turned away at once
AFTER_RCPT = ("acl_smtp_predata", "acl_smtp_data")

MODIFIERS = frozenset(
    {
        "add_header", "continue", "control", "delay", "endpass", "log_message", "log_reject_target",
        "logwrite", "message", "queue", "remove_header", "udpsend",
    }
)  # fmt: skip
# Conditions about the client or its message, and what they are for an ordinary one.
OF_CLIENT: Mapping[str, bool] = {
    "authenticated": False, "decode": True, "dnslists": False, "malware": False, "mime_regex": False,
    "ratelimit": False, "regex": False, "seen": False, "spam": False, "atrn_domains": False,
}  # fmt: skip
_LISTS_OF_CLIENTS = ("hosts", "senders", "sender_domains")
UNSAID_OF_CLIENT = frozenset({"encrypted", "spf", "spf_guess", "dmarc_status", "dkim_status", "dkim_signers"})


@dataclass(frozen=True, slots=True)
class RecipientAccepted:
    """`asked`: only after the primary itself took the address; `despite_silence`: or did not answer."""

    statement: AclStatement | None
    asked: bool = False
    despite_silence: bool = False


@dataclass(frozen=True, slots=True)
class RecipientRefused:
    """`doubt`: why it may not have been; it continues a sentence about the statement."""

    statement: AclStatement | None
    doubt: str | None = None


RecipientVerdict = RecipientAccepted | RecipientRefused


@dataclass(frozen=True, slots=True)
class _Said:
    """Whether a statement's conditions hold, and whether that was decided after `endpass`."""

    truth: Truth
    is_after: bool


@dataclass(slots=True)
class _Asking:
    """What is known while the lists are gone through for one recipient."""

    recipient: Recipient | None
    variables: dict[str, str] = field(default_factory=dict)
    unsaid: dict[str, Unsaid] = field(default_factory=dict)  # ACL variables whose values are not known
    asked: bool = False
    despite_silence: bool = True


@dataclass(frozen=True, slots=True)
class Acls:
    lists: Lists
    acls: Mapping[str, tuple[AclStatement, ...]]
    used: Mapping[str, str]  # the options acl_smtp_…, with their values
    routing: Routing

    def verdict(self, recipient: Recipient) -> RecipientVerdict:
        asking = _Asking(None)
        rejected = self.used.get(REJECTING)
        if rejected is not None and self.lists.holds("host", rejected, None, {}) is True:
            return RecipientRefused(None)
        for stage in BEFORE_RCPT:
            said = self._stage(stage, asking)
            if isinstance(said, RecipientRefused):
                return said
        asking.recipient = recipient
        if "acl_smtp_rcpt" not in self.used:
            return RecipientRefused(None)  # §43.3: without this ACL every recipient is refused
        taken = self._stage("acl_smtp_rcpt", asking)
        if isinstance(taken, RecipientRefused):
            return taken
        asking.recipient = None
        for stage in AFTER_RCPT:
            said = self._stage(stage, asking)
            if isinstance(said, RecipientRefused):
                return said
        return RecipientAccepted(taken.statement, asking.asked, asking.asked and asking.despite_silence)

    def _stage(self, option: str, asking: _Asking) -> RecipientVerdict:
        name = self.used.get(option)
        if name is None:
            return RecipientAccepted(None)
        try:
            expanded = self.lists.expander(asking.recipient, asking.variables).expand(name).strip()
        except (NotExact, ForcedFailure):
            return RecipientRefused(None, f"{option} cannot be worked out")
        if expanded.lower() in ("accept", "deny"):
            return RecipientAccepted(None) if expanded.lower() == "accept" else RecipientRefused(None)
        if expanded not in self.acls:
            return RecipientRefused(None, f"the ACL {expanded} is not there")
        return self._acl(expanded, asking, 0)

    def _acl(self, name: str, asking: _Asking, depth: int) -> RecipientVerdict:
        for statement in self.acls[name]:
            said = self._said(statement, asking, depth)
            verdict = _decided(statement, said)
            if verdict is not None:
                return verdict
        return RecipientRefused(None)

    def _said(self, statement: AclStatement, asking: _Asking, depth: int) -> _Said:
        """The conditions in order; the first that does not hold ends them."""
        is_after, doubt = False, None
        for condition in statement.conditions:
            if condition.name == "endpass":
                is_after = True
                continue
            if condition.name == "set":
                self._set(condition, asking)
                continue
            if condition.name in MODIFIERS:
                continue
            truth = self._holds(condition, asking, depth)
            if isinstance(truth, Unsaid):
                if condition.name in _LISTS_OF_CLIENTS:
                    if statement.verb == "warn" and not condition.is_negated:
                        return _Said(False, is_after)  # what it sets for those in a list, strangers lack
                    truth = of_exception(truth) if condition.is_negated else truth
                if doubt is None or truth.about is About.RECIPIENT:
                    doubt = truth
            elif truth is condition.is_negated:
                return _Said(False, is_after)
        return _Said(True if doubt is None else doubt, is_after)

    def _set(self, condition: Condition, asking: _Asking) -> None:
        """If the value depends on the client, and is the same for each stranger, it is that."""
        unsaid = self._set_for(condition, asking, {})
        if unsaid is None or unsaid.about is not About.CLIENT:
            return
        values = set[str]()
        for stranger in STRANGERS:
            if self._set_for(condition, asking, stranger) is None:
                values.add(asking.variables[condition.target])
            else:
                return
        if len(values) > 1:
            del asking.variables[condition.target]
            asking.unsaid[condition.target] = unsaid

    def _set_for(self, condition: Condition, asking: _Asking, stranger: Mapping[str, str]) -> Unsaid | None:
        """Set the variable; the doubt if its value is not known."""
        unset = {name: "" for name in _VARIABLE.findall(condition.value) if name not in asking.unsaid}
        variables = {**unset, **stranger, **asking.variables}
        expander = self.lists.expander(asking.recipient, variables)
        try:
            asking.variables[condition.target] = expander.expand(condition.value)
        except ForcedFailure:
            asking.variables[condition.target] = ""
        except NotExact as error:
            asking.variables.pop(condition.target, None)
            asking.unsaid[condition.target] = error.unsaid
            return error.unsaid
        asking.unsaid.pop(condition.target, None)
        return None

    def _holds(self, condition: Condition, asking: _Asking, depth: int) -> Truth:
        name, value, recipient = condition.name, condition.value, asking.recipient
        if name in OF_CLIENT:
            return OF_CLIENT[name]
        if name in UNSAID_OF_CLIENT:
            return Unsaid(About.CLIENT, f"depends on {name}")
        match name:
            case "hosts":
                return self.lists.holds("host", value, None, asking.variables)
            case "senders":
                return self.lists.holds("address", value, None, asking.variables)
            case "sender_domains":
                said = self.lists.match("domain", value, STRANGER_DOMAIN, None, asking.variables, 0)
                return Unsaid(About.CLIENT, said.why) if isinstance(said, Unsaid) else said
            case "domains" | "local_parts" | "recipients" if recipient is not None:
                kind = {"domains": "domain", "local_parts": "local_part", "recipients": "address"}[name]
                return self.lists.holds(kind, value, recipient, asking.variables)
            case "condition":
                return self._condition(value, asking)
            case "acl":
                return self._nested(value, asking, depth)
            case "verify":
                return self._verified(condition, asking)
        return Unsaid(About.RECIPIENT, f"has {name}, which is not read here")

    def _condition(self, value: str, asking: _Asking) -> Truth:
        """If it depends on the client, what is true of each stranger counts; in doubt, it does depend."""
        said = self._true_for(value, asking, {})
        if not isinstance(said, Unsaid) or said.about is not About.CLIENT:
            return said
        of_strangers = [self._true_for(value, asking, stranger) for stranger in STRANGERS]
        is_exact = not any(isinstance(one, Unsaid) for one in of_strangers)
        return of_strangers[0] if is_exact and len(set(of_strangers)) == 1 else said

    def _true_for(self, value: str, asking: _Asking, stranger: Mapping[str, str]) -> Truth:
        unset = {name: "" for name in _VARIABLE.findall(value) if name not in asking.unsaid}
        variables = {**unset, **stranger, **asking.variables}
        try:
            return is_true(self.lists.expander(asking.recipient, variables).expand(value))
        except ForcedFailure:
            return True  # §43: the condition is then ignored
        except NotExact as error:
            known = [said for name, said in asking.unsaid.items() if name in value]
            is_of_client = len(known) > 0 and all(said.about is About.CLIENT for said in known)
            return Unsaid(About.CLIENT, error.unsaid.why) if is_of_client else error.unsaid

    def _nested(self, value: str, asking: _Asking, depth: int) -> Truth:
        name = value.split()[0] if len(value.split()) > 0 else ""
        if depth >= NESTED_MAX or name not in self.acls:
            return Unsaid(About.RECIPIENT, f"calls the ACL {name}, which cannot be worked out")
        verdict = self._acl(name, asking, depth + 1)
        if isinstance(verdict, RecipientRefused) and verdict.doubt is not None:
            return Unsaid(About.RECIPIENT, verdict.doubt)
        return isinstance(verdict, RecipientAccepted)

    def _verified(self, condition: Condition, asking: _Asking) -> Truth:
        """An ordinary client has a sender that exists, a name and a well-formed header."""
        what, *options = [part.strip() for part in condition.value.split("/")]
        if what.startswith("certificate"):
            return False
        if what != "recipient":
            return True
        if asking.recipient is None:
            return Unsaid(About.RECIPIENT, "verifies a recipient before there is one")
        way = self.routing.way(asking.recipient, is_verified=True)
        if isinstance(way, NotKnown):
            return Unsaid(About.RECIPIENT, f"verifies it by the router {way.router.name}, which {way.why}")
        callout = next((option for option in options if option.startswith("callout")), None)
        if callout is not None and isinstance(way, ToMxHosts | ToHosts):
            asking.asked = True
            asking.despite_silence &= "defer_ok" in {
                one.strip() for one in callout.replace("=", ",").split(",")
            }
        return isinstance(way, ToMxHosts | ToHosts | Local | Forwarded)


def _decided(statement: AclStatement, said: _Said) -> RecipientVerdict | None:
    """None: the next statement is tried."""
    truth, verb = said.truth, statement.verb
    of_recipient = truth.why if isinstance(truth, Unsaid) and truth.about is About.RECIPIENT else None
    of_client = isinstance(truth, Unsaid) and truth.about is About.CLIENT
    match verb:
        case "accept":
            if truth is True or (of_client and said.is_after):
                return RecipientAccepted(statement)
            if said.is_after and (truth is False or of_recipient is not None):
                return RecipientRefused(statement, of_recipient)
        case "deny" | "drop" | "discard":
            if truth is True or of_recipient is not None:
                return RecipientRefused(statement, of_recipient)
        case "defer":
            # In doubt, this is greylisting, which the sender's second attempt gets through.
            return RecipientRefused(statement) if truth is True else None
        case "require":
            if truth is False or of_recipient is not None:
                return RecipientRefused(statement, of_recipient)
    return None
