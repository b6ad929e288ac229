"""This server's own name: its addresses, their reverse names, the host of its pages, and CAA. Pure."""

from secondpost.mail.dns_questions import Alias, AskingZone, Ptr
from secondpost.mail.questions import Addresses, Finding
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, in_words, no_answer, well
from secondpost.setup.records import zone_line
from secondpost.setup.wanted import forbids, web_host

ADDRESSES_MAX = 8  # of the hostname whose reverse names are looked up
NAMES_MAX = 4  # of one address that are followed back


def examine_host(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    alias = yield from Alias(it.host).ask()
    answer = yield from Addresses(it.host).ask()
    found = []
    if alias.finding is Finding.FOUND:
        found.append(_is_alias(it, alias.target))
    if answer.finding is Finding.FAILED:
        return (*found, no_answer(it.host, f"the addresses of {it.host}"))
    found += _addresses(it, answer.addresses)
    for address in answer.addresses[:ADDRESSES_MAX]:
        found.append((yield from _reverse(it, address)))
    found += yield from _pages(it)
    return (*found, *_authority(it))


def _is_alias(it: Examination, target: str) -> Diagnosis:
    text = f"{it.host} is an alias (CNAME) of {target}, and an MX record must not name an alias (RFC 2181)."
    lines = it.lines(it.host, "A", "AAAA")
    return Diagnosis(Check.HOST_ADDRESS, it.host, Grade.FAULT, text, lines or _addresses_of(it))


def _addresses_of(it: Examination) -> str:
    return f"{it.host}. IN A the public address of this machine"


def _addresses(it: Examination, published: tuple[str, ...]) -> list[Diagnosis]:
    own, host = it.facts.addresses, it.host
    lines = it.lines(host, "A", "AAAA") or _addresses_of(it)
    if len(published) == 0:
        text = f"{host} has no address in DNS."
        return [Diagnosis(Check.HOST_ADDRESS, host, Grade.FAULT, text, lines)]
    found = []
    foreign = [address for address in published if len(own) > 0 and address not in own]
    missing = [address for address in own if address not in published]
    if len(own) == 0:
        text = f"{host} is {in_words(published)}; this machine's own public addresses are not known here."
        remedy = f'addresses = ["{published[0]}"]'
        found.append(Diagnosis(Check.HOST_ADDRESS, host, Grade.NOTE, text, remedy))
    if len(foreign) > 0:
        text = f"{host} is {in_words(foreign)} in DNS, which is no public address of this machine."
        found.append(Diagnosis(Check.HOST_ADDRESS, host, Grade.FAULT, text, lines))
    if len(missing) > 0:
        text = f"{in_words(missing)} of this machine does not stand in DNS as an address of {host}."
        found.append(Diagnosis(Check.HOST_ADDRESS, host, Grade.WARNING, text, lines))
    if len(found) == 0:
        found.append(well(Check.HOST_ADDRESS, host, f"{host} is {in_words(published)}, this machine."))
    if all(":" not in address for address in published):
        text = f"{host} has no IPv6 address."
        found.append(Diagnosis(Check.IPV6, host, Grade.NOTE, text, f"{host}. IN AAAA its IPv6 address"))
    return found


def _reverse(it: Examination, address: str) -> AskingZone[Diagnosis]:
    """The name of the address must lead back to it (forward-confirmed), and be the name of HELO."""
    answer = yield from Ptr(address).ask()
    remedy = f"Ask the company that rents out {address} to set its reverse name (PTR) to {it.host}"
    if answer.finding is Finding.FAILED:
        return no_answer(address, f"the reverse name of {address}")
    if len(answer.hosts) == 0:
        text = f"{address} has no reverse name (PTR)."
        return Diagnosis(Check.HOST_REVERSE, address, Grade.FAULT, text, remedy)
    names = in_words(answer.hosts[:NAMES_MAX])
    if it.host in answer.hosts:  # one of its own addresses, or it would not have been asked about
        return well(Check.HOST_REVERSE, address, f"{address} is {names}, and {it.host} leads back to it.")
    for host in answer.hosts[:NAMES_MAX]:
        back = yield from Addresses(host).ask()
        if address in back.addresses:
            text = f"{address} is {host}, but this server says that it is {it.host}."
            return Diagnosis(Check.HOST_REVERSE, address, Grade.WARNING, text, remedy)
    text = f"{address} is {names}, which does not lead back to {address}."
    return Diagnosis(Check.HOST_REVERSE, address, Grade.FAULT, text, remedy)


def _pages(it: Examination) -> AskingZone[list[Diagnosis]]:
    host = web_host(it.config)
    if host is None:
        return []
    answer = yield from Addresses(host).ask()
    if answer.finding is Finding.FAILED:
        return [no_answer(host, f"the addresses of {host}")]
    if len(answer.addresses) == 0:
        text = f"{host}, the host in [web] url, has no address in DNS."
        return [Diagnosis(Check.WEB_ADDRESS, host, Grade.FAULT, text, it.lines(host, "A", "AAAA"))]
    return [well(Check.WEB_ADDRESS, host, f"{host} is {in_words(answer.addresses)}.")]


def _authority(it: Examination) -> list[Diagnosis]:
    facts, host = it.facts, it.host
    if len(facts.caa) == 0:
        text = f"{host} has no CAA record: every authority may issue a certificate for it."
        line = zone_line(host, "CAA", f'0 issue "{facts.authority}"')
        remedy = line if len(facts.authority) > 0 else ""
        return [Diagnosis(Check.CAA, host, Grade.NOTE, text, remedy)]
    if len(facts.authority) == 0:
        return []
    if forbids(facts):
        text = (
            f"The CAA records of {facts.caa_name} do not name {facts.authority}, which issued this server's "
            "certificate: it will not be renewed."
        )
        return [Diagnosis(Check.CAA, host, Grade.FAULT, text, it.lines(facts.caa_name, "CAA"))]
    return [well(Check.CAA, host, f"{facts.authority} may issue the certificate of {host}.")]
