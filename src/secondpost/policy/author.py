"""Refuses a message that its author's domain asks to be refused: one that fails DMARC, whose policy is
"reject" (RFC 9989 §7.4).

Only where every recipient's domain enforces that; and never on doubt: not while DNS gives no answer
that might make it pass, and not if a chain of ARC seals shows that the message was changed on its way by
servers that one of those domains trusts. The seal of anybody else proves nothing: a forger can make one.
While the keys of trusted seals cannot be looked up, the message is put off: anybody can name a trusted
server in a seal, so that excusing it then would let in the owner of a silent name server.
"""

from collections.abc import Collection

from secondpost.mail.address import as_ip
from secondpost.mail.authentication import ArcFound, Authentication, AuthResult, DmarcPolicy
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, Defer, Reject, Verdict
from secondpost.policy.known import AtContent

_UNKNOWN_SEAL = Reply.of(
    451, "4.4.3", "DMARC fails, and the key of the ARC seal cannot be looked up now; try again later"
)


def judge_author(at: AtContent) -> Verdict:
    found = at.authentication
    if found is None or not all(backup.enforce_dmarc for backup in at.backups):
        return ACCEPT
    trusted = frozenset(sealer.name for backup in at.backups for sealer in backup.trusted_sealers)
    if not _has_failed(found) or _is_of_this_machine(at.mail.hello.address):
        return ACCEPT
    if _is_all_of(trusted, found.arc):
        if found.arc.result is AuthResult.PASS:
            return ACCEPT
        if found.arc.result is AuthResult.TEMPERROR:
            return Defer(_UNKNOWN_SEAL, "dmarc-unsure")
    # RFC 7372 §3.4: 5.7.26, more than one check failed.
    domain = found.dmarc.domain
    text = f"{domain} asks to refuse mail that is not proved to be its own (DMARC)"
    if found.dmarc.result is AuthResult.PERMERROR:
        text = "From names too many authors, or one whose domain cannot be read (DMARC)"
    return Reject(Reply.of(550, "5.7.26", text), "dmarc")


def _has_failed(found: Authentication) -> bool:
    # A missing answer about what might be aligned makes DMARC's own result a temperror. One about other
    # domains counts for nothing: a forger would add a signature whose key never comes.
    dmarc = found.dmarc
    has_failed = dmarc.result in (AuthResult.FAIL, AuthResult.PERMERROR)
    return has_failed and dmarc.policy is DmarcPolicy.REJECT


def _is_all_of(trusted: Collection[str], arc: ArcFound) -> bool:
    """Whether all seals name trusted domains; that they are theirs, only the result of the chain says."""
    return len(arc.sealers) > 0 and all(sealer in trusted for sealer in arc.sealers)


def _is_of_this_machine(address: str) -> bool:
    """A proxy or a tunnel on this machine hides the client, so that SPF judged the wrong address."""
    ip = as_ip(address)
    return ip is not None and ip.is_loopback
