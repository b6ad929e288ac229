"""How deliveries are named on the command line: by id, by what they have in common, or all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from secondpost.mail.address import AddressError, Domain, Mailbox
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.queue_id import QueueId, parse_queue_id
from secondpost.spool.desk import OwnersDesk
from secondpost.store.ports import Selection

Function = TypeVar("Function", bound=Callable[..., None])


class MessageParam(click.ParamType[QueueId]):
    """A message: its queue id, or ID/N as it stands in every list."""

    name = "ID"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> QueueId:
        try:
            return DeliveryId.parse(value).queue_id if "/" in value else parse_queue_id(value)
        except ValueError as error:
            self.fail(f"{error}; `secondpost queue list` shows ids", param, ctx)


class NamedParam(click.ParamType[QueueId | DeliveryId]):
    """A message with all its recipients (ID), or one delivery of it (ID/N)."""

    name = "ID[/N]"

    def convert(
        self, value: QueueId | DeliveryId | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> QueueId | DeliveryId:
        if not isinstance(value, str):
            return value
        try:
            return DeliveryId.parse(value) if "/" in value else parse_queue_id(value)
        except ValueError as error:
            self.fail(f"{error}; `secondpost queue list` shows ids", param, ctx)


class DeliveryParam(click.ParamType[DeliveryId]):
    """One delivery: ID/N."""

    name = "ID/N"

    def convert(
        self, value: DeliveryId | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> DeliveryId:
        if not isinstance(value, str):
            return value
        try:
            return DeliveryId.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DomainParam(click.ParamType[Domain]):
    name = "DOMAIN"

    def convert(
        self, value: Domain | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Domain:
        if not isinstance(value, str):
            return value
        try:
            return Domain.parse(value)
        except AddressError as error:
            self.fail(str(error), param, ctx)


class MailboxParam(click.ParamType[Mailbox]):
    name = "ADDRESS"

    def convert(
        self, value: Mailbox | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mailbox:
        if not isinstance(value, str):
            return value
        try:
            return Mailbox.parse(value)
        except AddressError as error:
            self.fail(str(error), param, ctx)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was named: by id, so that no question is needed, or by what deliveries share."""

    messages: tuple[QueueId, ...]
    deliveries: tuple[DeliveryId, ...]
    sharing: Selection
    words: str  # for questions: "to example.net"

    @property
    def is_by_id(self) -> bool:
        return len(self.messages) + len(self.deliveries) > 0

    def selection(self, desk: OwnersDesk) -> Selection:
        return desk.named(self.messages, self.deliveries) if self.is_by_id else self.sharing


def choosing_options(function: Function) -> Function:
    """IDS, --domain, --address and --site: what `chosen` makes a selection of."""
    for decorate in (
        click.option("--site", metavar="SITE", help="Those whose next hop is this site."),
        click.option("--address", metavar="ADDRESS", help="Those from or to this address."),
        click.option("--domain", type=DomainParam(), help="Those to this domain."),
        click.argument("ids", type=NamedParam(), nargs=-1),
    ):
        function = decorate(function)
    return function


def chosen(
    ids: tuple[QueueId | DeliveryId, ...],
    domain: Domain | None,
    address: str | None,
    site: str | None,
    everything: bool,
) -> Chosen:
    """Raises UsageError when nothing is named, or ids and something else besides."""
    words = _words(domain, address, site)
    if len(ids) > 0:
        if everything or len(words) > 0:
            raise click.UsageError("Name deliveries by their ids, or by what they share: not both.")
        messages = tuple(one for one in ids if not isinstance(one, DeliveryId))
        deliveries = tuple(one for one in ids if isinstance(one, DeliveryId))
        return Chosen(messages, deliveries, Selection(), "")
    if everything and len(words) > 0:
        raise click.UsageError("--all means every delivery: leave out --domain, --address and --site.")
    if not everything and len(words) == 0:
        raise click.UsageError("Which deliveries? Give ids, or --domain, --address, --site, or --all.")
    sharing = Selection(domain=domain, address=address, site=site)
    return Chosen((), (), sharing, words if len(words) > 0 else "in the whole queue")


def _words(domain: Domain | None, address: str | None, site: str | None) -> str:
    words = []
    if domain is not None:
        words.append(f"to {domain}")
    if address is not None:
        words.append(f"from or to {address}")
    if site is not None:
        words.append(f"at the site {site}")
    return ", ".join(words)
