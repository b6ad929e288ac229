"""Asks the block lists in block_lists.toml about our public addresses and our domain (RFC 5782)."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal

import msgspec

from secondpost.mail.questions import AddressAnswer, Addresses, Finding
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking
from secondpost.setup.resolver_look import OWN_RESOLVER

ANSWERS = ip_network("127.0.0.0/8")
NO_VERDICT = {  # of Spamhaus and those that follow it
    "127.255.255.252": "the name that was asked for is wrong",
    "127.255.255.254": "it answers no resolver that many people share",
    "127.255.255.255": "it was asked too often",
}
NO_VERDICTS = ip_network("127.255.255.0/24")


@dataclass(frozen=True, slots=True)
class BlockList:
    name: str
    zone: str
    kind: Literal["address", "domain"]
    page: str  # where a listing is explained and lifted
    codes: dict[str, str]


class _BlockListTable(msgspec.Struct, forbid_unknown_fields=True):
    list: tuple[BlockList, ...]


def block_lists() -> tuple[BlockList, ...]:
    text = files("secondpost.setup").joinpath("block_lists.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _BlockListTable).list


def examine_block_list(one: BlockList, subjects: Sequence[str]) -> Looking[tuple[Diagnosis, ...]]:
    """`subjects`: our public IP addresses, or domains, as the list's kind has it."""
    found: list[Diagnosis] = []
    for subject in subjects:
        name = f"{reversed_name(subject) if one.kind == 'address' else subject}.{one.zone}"
        answer = yield from Addresses(name).ask()
        found.append(_verdict(one, subject, answer))
    return tuple(found)


def reversed_name(address: str) -> str:
    """The octets of an IPv4 address or the nibbles of an IPv6 address, last first (RFC 5782 §2)."""
    return ip_address(address).reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


def _verdict(one: BlockList, subject: str, answer: AddressAnswer) -> Diagnosis:
    check = Check.BLOCK_LIST
    if answer.finding in (Finding.NO_NAME, Finding.NO_DATA):
        return Diagnosis(check, subject, Grade.WELL, f"{one.name} does not list {subject}.")
    if answer.finding is Finding.FAILED:
        text = f"{one.name} gave no verdict on {subject}: DNS does not answer."
        return Diagnosis(check, subject, Grade.NOTE, text, OWN_RESOLVER)
    refused = [reason for reason in map(_no_verdict, answer.addresses) if reason is not None]
    if len(refused) == len(answer.addresses):
        text = f"{one.name} gave no verdict on {subject}: {refused[0]}."
        return Diagnosis(check, subject, Grade.NOTE, text, OWN_RESOLVER)
    reasons = " and ".join(dict.fromkeys(_reasons(one, answer.addresses)))
    text = f"{one.name} lists {subject}: {reasons}."
    return Diagnosis(check, subject, Grade.FAULT, text, f"have it lifted: {one.page}")


def _no_verdict(address: str) -> str | None:
    """Why an answer is no verdict; None if it is one."""
    parsed = ip_address(address)
    if not isinstance(parsed, IPv4Address) or parsed not in ANSWERS:
        return f"{address} is no answer of a block list; the resolver invents it, or the list is gone"
    if parsed in NO_VERDICTS:
        return NO_VERDICT.get(address, f"{address} means an error")
    return None


def _reasons(one: BlockList, addresses: Sequence[str]) -> Iterator[str]:
    for address in addresses:
        if _no_verdict(address) is None:
            yield one.codes.get(address, f"{address}, see {one.page}")
