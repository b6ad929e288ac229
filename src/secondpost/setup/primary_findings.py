"""What the primary found out about a message, from the lines that it wrote: the results of its checks,
whose address it checked, and how its spam filter saw it. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from secondpost.mail.address import as_ip
from secondpost.protocols.authentication_results import (
    MethodResult,
    Property,
    parse_authentication_results,
    parse_received_spf,
)
from secondpost.route.hosts import Ourselves
from secondpost.setup.header_chain import HeaderChain
from secondpost.setup.pasted_headers import PastedField

_ADDRESS = re.compile(r"(?<![\w.:-])(?:IPv6:)?([0-9A-Fa-f:.]{3,45})(?![\w-])")
_SKIPPED = ("x-ms-exchange-skiplistedinternetsender", "x-ms-exchange-externaloriginalinternetsender")
_CONNECTING = re.compile(r"(?:^|;)\s*CIP:([^;]*)", re.IGNORECASE)
_SCL = re.compile(r"(?:^|;)\s*SCL:(-?\d+)", re.IGNORECASE)
_VERDICT = re.compile(r"(?:^|;)\s*SFV:([A-Z]+)", re.IGNORECASE)
_LISTED = re.compile(r"(?:^|;)\s*IPV:(CAL)\b", re.IGNORECASE)
_ALL_TRUSTED = re.compile(r"\bALL_TRUSTED\b")
_SCL_SPAM_MIN = 5  # Microsoft files mail from 5 on as junk
# Headers in which filters say whether a message is spam, with what their values begin if it is.
_SPAM_FLAGS = {
    "x-spam-status": re.compile(r"yes\b", re.IGNORECASE),
    "x-spam-flag": re.compile(r"yes\b", re.IGNORECASE),
    "x-spam": re.compile(r"yes\b", re.IGNORECASE),
    "x-rspamd-action": re.compile(r"(?:reject|add header|rewrite subject)\b", re.IGNORECASE),
    "x-spamd-result": re.compile(r"default:\s*true\b", re.IGNORECASE),
    "x-gm-spam": re.compile(r"1\b"),
    "x-pm-spamscore": re.compile(r"[1-9]"),
}


class Trust(Enum):
    """Whether the primary trusts us: that shows in whose address it judged."""

    LOOKED_BEHIND = "looked-behind"  # it judged the server that had handed the message to us
    EXEMPT = "exempt"  # it judged no address: mail from us passes its checks
    JUDGED_US = "judged-us"  # it judged us as if we were the sender
    OTHER = "other"  # it judged an address that the header does not explain
    UNKNOWN = "unknown"  # it wrote nothing that says so


@dataclass(frozen=True, slots=True)
class SpamFinding:
    """What one filter says, in its own words."""

    header: str
    value: str
    is_spam: bool


@dataclass(frozen=True, slots=True)
class PrimaryFindings:
    results: tuple[MethodResult, ...]  # from the top
    judged: str  # the IP address that the primary's checks were about; "" if it is not named
    trust: Trust
    spam: tuple[SpamFinding, ...]

    def of(self, method: str) -> tuple[MethodResult, ...]:
        return tuple(result for result in self.results if result.method == method)


def findings_of(chain: HeaderChain, us: Ourselves) -> PrimaryFindings:
    results = tuple(_results(chain.primary))
    judged = next(_judged(chain.primary, results), "")
    return PrimaryFindings(
        results, judged, _trust(chain, results, judged, us), tuple(_spam_findings(chain.primary))
    )


def _results(fields: Iterable[PastedField]) -> Iterator[MethodResult]:
    """All results of the primary's own fields. Received-SPF counts only beside no spf result."""
    found = [
        result
        for field in fields
        if field.name == "authentication-results"
        for result in parse_authentication_results(field.value).results
    ]
    yield from found
    if any(result.method == "spf" for result in found):
        return
    for field in fields:
        if field.name == "received-spf":
            yield _spf_result(field.value)


def _spf_result(value: str) -> MethodResult:
    read = parse_received_spf(value)
    named = (
        Property("smtp", "mailfrom", read.value_of("envelope-from").strip("<>")),
        Property("smtp", "helo", read.value_of("helo")),
        Property("smtp", "remote-ip", read.value_of("client-ip")),
    )
    comments = () if len(read.comment) == 0 else (read.comment,)
    return MethodResult("spf", read.result, comments=comments, properties=named)


def _judged(fields: Sequence[PastedField], results: Sequence[MethodResult]) -> Iterator[str]:
    """The addresses that the primary's checks name, the surest first."""
    for field in fields:
        if field.name in _SKIPPED:
            yield from addresses_in(field.value)
    for result in results:
        if result.method == "spf":
            yield from _addresses_of(result)
    for field in fields:
        if field.name == "received-spf":
            yield from addresses_in(parse_received_spf(field.value).value_of("client-ip"))
    for result in results:
        if result.method in ("iprev", "arc", "x-ptr"):
            yield from _addresses_of(result)
    for field in fields:
        if field.name == "x-forefront-antispam-report":
            yield from addresses_in(" ".join(_CONNECTING.findall(field.value)))
        elif field.name == "x-originating-ip":
            yield from addresses_in(field.value)


def _addresses_of(result: MethodResult) -> Iterator[str]:
    yield from addresses_in(result.value_of("smtp.remote-ip", "policy.iprev", "smtp.client-ip"))
    for comment in result.comments:
        yield from addresses_in(comment)


def addresses_in(text: str) -> Iterator[str]:
    """The IP addresses named in a text, in their usual spelling."""
    for found in _ADDRESS.findall(text):
        address = as_ip(found.rstrip(".:")) or as_ip(found)
        if address is not None:
            yield str(address)


def _trust(chain: HeaderChain, results: Sequence[MethodResult], judged: str, us: Ourselves) -> Trust:
    before_us = "" if chain.ours is None else chain.ours.address
    skipped = any(field.name in _SKIPPED for field in chain.primary)
    seen_as = us.addresses if chain.taker is None else us.addresses | {chain.taker.address}
    if len(judged) > 0 and judged in seen_as:
        return Trust.JUDGED_US
    if skipped or (len(judged) > 0 and judged == before_us):
        return Trust.LOOKED_BEHIND
    if _is_exempt(chain.primary, results):
        return Trust.EXEMPT
    return Trust.OTHER if len(judged) > 0 else Trust.UNKNOWN


def _is_exempt(fields: Sequence[PastedField], results: Sequence[MethodResult]) -> bool:
    if any(result.method == "spf" and result.result == "skipped" for result in results):
        return True
    # Google checks neither SPF nor DMARC of mail from a domain's inbound gateways.
    if not any(result.method in ("spf", "dmarc") for result in results) and any(
        field.name == "authentication-results"
        and parse_authentication_results(field.value).server == "mx.google.com"
        for field in fields
    ):
        return True
    return any(
        (field.name == "x-spam-status" and _ALL_TRUSTED.search(field.value) is not None)
        or (field.name == "x-forefront-antispam-report" and _LISTED.search(field.value) is not None)
        for field in fields
    )


def _spam_findings(fields: Iterable[PastedField]) -> Iterator[SpamFinding]:
    for field in fields:
        if field.name == "x-forefront-antispam-report":
            level, verdict = _SCL.search(field.value), _VERDICT.search(field.value)
            if level is not None:
                words = f"SCL:{level[1]}" + ("" if verdict is None else f" SFV:{verdict[1]}")
                yield SpamFinding(field.name, words, int(level[1][:9]) >= _SCL_SPAM_MIN)
        elif field.name in _SPAM_FLAGS:
            flagged = _SPAM_FLAGS[field.name].match(field.value) is not None
            yield SpamFinding(field.name, field.value, flagged)
