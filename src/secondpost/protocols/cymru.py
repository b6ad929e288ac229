"""Team Cymru's answers in DNS: which autonomous system announces a network.

For 192.0.2.0/24 the TXT records of 0.2.0.192.origin.asn.cymru.com say "64500 | 192.0.2.0/24 | US |
arin | 1998-09-25"; those of AS64500.asn.cymru.com "64500 | US | arin | 2002-01-04 | NAME, US".
Only the network is asked for, never the whole address.
"""

from ipaddress import IPv4Address, ip_network

from secondpost.mail.arrivals import NetworkOrigin
from secondpost.mail.questions import Asking, Finding, Txt

NAME_CHARACTERS_MAX = 60
NUMBER_DIGITS_MAX = 10
NOWHERE = NetworkOrigin(0, "", "")


def origin_asked(network: str) -> Asking[NetworkOrigin | None]:
    """The origin of a network; NOWHERE if it is announced by none, None if DNS did not answer."""
    answer = yield from Txt(_question(network)).ask()
    if answer.finding is Finding.FAILED:
        return None
    fields = _fields(answer.texts)
    # Several systems may announce one network; the first will do.
    number, country = _number(fields[0].partition(" ")[0]), _country(fields[2])
    if number == 0:
        return NOWHERE
    named = yield from Txt(f"AS{number}.asn.cymru.com").ask()
    name = "".join(c for c in _fields(named.texts)[4] if c.isprintable())
    return NetworkOrigin(number, name.removesuffix(f", {country}")[:NAME_CHARACTERS_MAX], country)


def _question(network: str) -> str:
    address = ip_network(network).network_address
    reversed_name = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{reversed_name}.{'origin' if isinstance(address, IPv4Address) else 'origin6'}.asn.cymru.com"


def _fields(texts: tuple[str, ...]) -> list[str]:
    """The fields of the first record, filled up to five."""
    fields = [field.strip() for field in texts[0].split("|")] if len(texts) > 0 else []
    return fields + [""] * (5 - len(fields))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX else 0


def _country(text: str) -> str:
    return text.upper() if len(text) == 2 and text.isascii() and text.isalpha() else ""
