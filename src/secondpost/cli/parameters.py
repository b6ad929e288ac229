"""Parsers of words on the command line: ids, addresses, ages, sizes; and their error messages."""

import re
from collections.abc import Callable
from typing import TypeVar

import click

from secondpost.config.addresses import ascii_domain, utf8_mailbox
from secondpost.mail.address import Domain
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.duration import parse_duration_ms
from secondpost.mail.queue_id import QueueId, parse_queue_id
from secondpost.mail.size import parse_size

T = TypeVar("T")
_UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_SHORT_AGE = re.compile(r"(\d{1,9})([smhdw])")
WHERE_IDS_ARE = "; `secondpost queue list` shows ids"


class Parsed(click.ParamType[T]):
    """A parameter type; `parse` raises ValueError with a sentence, to which `fix` is appended."""

    def __init__(self, name: str, parse: Callable[[str], T], fix: str = "") -> None:
        self.name = name
        self._parse = parse
        self._fix = fix

    def convert(self, value: T | str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(f"{error}{self._fix}", param, ctx)


def _message(text: str) -> QueueId:
    return DeliveryId.parse(text).queue_id if "/" in text else parse_queue_id(text)


def _message_or_delivery(text: str) -> QueueId | DeliveryId:
    return DeliveryId.parse(text) if "/" in text else parse_queue_id(text)


def age_ms(text: str) -> int:
    short = _SHORT_AGE.fullmatch(text)
    return parse_duration_ms(text if short is None else f"{short[1]} {_UNITS[short[2]]}")


def _domain(text: str) -> Domain:
    return Domain.parse(ascii_domain(text))


# A message: its queue id, or ID/N as lists show it.
MESSAGE = Parsed("ID", _message, WHERE_IDS_ARE)
# A message with all its recipients (ID), or one delivery (ID/N).
MESSAGE_OR_DELIVERY = Parsed("ID[/N]", _message_or_delivery, WHERE_IDS_ARE)
DELIVERY = Parsed("ID/N", DeliveryId.parse)
DOMAIN = Parsed("DOMAIN", _domain)
MAILBOX = Parsed("ADDRESS", utf8_mailbox)
AGE = Parsed("AGE", age_ms)
SIZE = Parsed("SIZE", parse_size)
