"""Which of the wanted records are not visible yet, for waiting until all are. Pure.

Unlike the examination it asks only about the records, and takes the owner's own SPF, DMARC and TLS-RPT
record for the wanted one.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import AskingZone, Caa, Ptr, StsPolicy, Tlsa
from secondpost.mail.questions import Addresses, Mx, Txt
from secondpost.protocols.dmarc import is_dmarc
from secondpost.protocols.mta_sts import StsFault, parse_policy
from secondpost.protocols.spf import is_spf
from secondpost.protocols.tls_reports import is_tls_reports
from secondpost.setup.records import WantedRecord

OWN_CHOICES = (is_spf, is_dmarc, is_tls_reports)


def still_missing(records: Iterable[WantedRecord]) -> AskingZone[tuple[WantedRecord, ...]]:
    """The records that DNS does not show, in their order. What DNS does not answer is missing."""
    missing: list[WantedRecord] = []
    for record in records:
        if not (yield from _is_visible(record)):
            missing.append(record)
    return tuple(missing)


def _is_visible(record: WantedRecord) -> AskingZone[bool]:
    match record.type:
        case "A" | "AAAA":
            addresses = yield from Addresses(record.name).ask()
            return record.value in addresses.addresses
        case "MX":
            mx = yield from Mx(Domain(record.name)).ask()
            return record.value in [f"{it.preference} {it.host}." for it in mx.records]
        case "PTR":
            ptr = yield from Ptr(_address(record.name)).ask()
            return record.value.rstrip(".") in ptr.hosts
        case "TLSA":
            tlsa = yield from Tlsa(record.name).ask()
            return record.value in [str(it) for it in tlsa.records]
        case "CAA":
            caa = yield from Caa(record.name).ask()
            return record.value in [f'{it.flags} {it.tag} "{it.value}"' for it in caa.records]
        case "text":
            return (yield from _is_served(record))
        case _:
            texts = yield from Txt(record.name).ask()
            return _is_among(record.value, texts.texts)


def _address(reverse: str) -> str:
    """The address of a name below in-addr.arpa or ip6.arpa."""
    labels = reverse.split(".")[:-2][::-1]
    if reverse.endswith(".in-addr.arpa"):
        return ".".join(labels)
    digits = "".join(labels)
    return str(ip_address(":".join(digits[start : start + 4] for start in range(0, len(digits), 4))))


def _is_served(record: WantedRecord) -> AskingZone[bool]:
    """Whether the served policy names every host that the wanted one names."""
    domain = record.name.removeprefix("https://mta-sts.").partition("/")[0]
    answer = yield from StsPolicy(Domain(domain)).ask()
    try:
        served = parse_policy(answer.text)
    except StsFault:
        return False
    return all(served.names(host) for host in parse_policy(record.value).hosts)


def _is_among(wanted: str, texts: tuple[str, ...]) -> bool:
    for is_kind in OWN_CHOICES:
        if is_kind(wanted):
            return sum(is_kind(text) for text in texts) == 1
    return "".join(wanted.split()) in ["".join(text.split()) for text in texts]
