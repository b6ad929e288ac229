"""Evaluates DMARC (RFC 9989) for one message: a generator that asks DNS and ends with the result. Pure."""

from collections.abc import Sequence

from secondpost.mail.authentication import AuthResult, DkimFound, DmarcFound, SpfFound
from secondpost.mail.questions import Asking, Txt


def check_dmarc(from_domains: Sequence[str], spf: SpfFound, dkim: Sequence[DkimFound]) -> Asking[DmarcFound]:
    """`from_domains`: of every address in From."""
    yield from Txt("_dmarc." + from_domains[0]).ask()
    return DmarcFound(AuthResult.NONE, from_domains[0])
