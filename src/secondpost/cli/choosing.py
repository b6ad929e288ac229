"""Select deliveries on the command line: by id, by common properties, or all.

A command decorated with `sharing_options` or `choosing_options` gets one value for all their
options.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce, wraps

import click

from secondpost.cli.parameters import AGE, DOMAIN, MESSAGE_OR_DELIVERY, SIZE
from secondpost.mail.address import Domain
from secondpost.mail.delivery import DeliveryId, KeptFor, State
from secondpost.mail.duration import duration_text
from secondpost.mail.outcome import Cause
from secondpost.mail.queue_id import QueueId
from secondpost.mail.size import size_text
from secondpost.spool.desk import OwnersDesk, Standing, in_state
from secondpost.store.owner_ports import InState, Selection

Function = Callable[..., None]

# Values of --state: states, standings as lists show them, and short words for common ones.
IN_STATES: Mapping[str, InState] = {
    **{state.value: InState(state) for state in State},
    **{standing.value: in_state(standing) for standing in Standing},
    "primary": in_state(Standing.HELD_PRIMARY),
    "refused": InState(State.KEPT, KeptFor.REFUSED),
    "quarantine": InState(State.KEPT, KeptFor.QUARANTINE),
}
ALL_OR_SHARED = "--all, or --state, --domain, --address, --site, --cause, --older or --larger"


@dataclass(frozen=True, slots=True)
class Shared:
    """Common properties of deliveries."""

    limits: Selection
    older_ms: int | None  # time since arrival
    words: str  # as in questions: "to example.net, larger than 1 MB"

    @property
    def is_nothing(self) -> bool:
        """Whether all deliveries are meant."""
        return self.older_ms is None and self.limits == Selection()

    def selection(self, desk: OwnersDesk) -> Selection:
        if self.older_ms is None:
            return self.limits
        return replace(self.limits, arrived_before_ms=desk.clock.now_ms() - self.older_ms)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection: by id, which needs no confirmation, or by common properties."""

    messages: tuple[QueueId, ...]
    deliveries: tuple[DeliveryId, ...]
    shared: Shared

    @property
    def is_by_id(self) -> bool:
        return len(self.messages) + len(self.deliveries) > 0

    @property
    def is_all(self) -> bool:
        return not self.is_by_id and self.shared.is_nothing

    @property
    def words(self) -> str:
        return "in the whole queue" if self.is_all else self.shared.words

    async def selection(self, desk: OwnersDesk) -> Selection:
        if self.is_by_id:
            return await desk.named(self.messages, self.deliveries)
        return self.shared.selection(desk)


def sharing_options(command: Function) -> Function:
    """Options for common properties; the command gets them as `shared`."""

    @wraps(command)
    def gather(
        states: tuple[str, ...],
        domain: Domain | None,
        address: str | None,
        site: str | None,
        causes: tuple[str, ...],
        older_ms: int | None,
        larger_than: int | None,
        **others: object,
    ) -> None:
        limits = Selection(
            in_states=tuple(IN_STATES[word] for word in states),
            domain=domain,
            address=address,
            site=site,
            causes=causes,
            larger_than=larger_than,
        )
        command(shared=Shared(limits, older_ms, _words(states, limits, older_ms)), **others)

    return reduce(lambda function, option: option(function), reversed(_SHARING), gather)


def choosing_options(command: Function) -> Function:
    """Ids, common properties, or neither, which means all; the command gets them as `which`."""

    @wraps(command)
    def choose(ids: tuple[QueueId | DeliveryId, ...], shared: Shared, **others: object) -> None:
        if len(ids) > 0 and not shared.is_nothing:
            raise click.UsageError("Name deliveries by their ids, or by what they share: not both.")
        messages = tuple(one for one in ids if not isinstance(one, DeliveryId))
        deliveries = tuple(one for one in ids if isinstance(one, DeliveryId))
        command(which=Chosen(messages, deliveries, shared), **others)

    return click.argument("ids", type=MESSAGE_OR_DELIVERY, nargs=-1)(sharing_options(choose))


def all_option(text: str) -> Callable[[Function], Function]:
    """Option --all, required to change all deliveries. Place it above choosing_options."""

    def decorate(command: Function) -> Function:
        @wraps(command)
        def check(which: Chosen, everything: bool, **others: object) -> None:
            if everything and which.is_by_id:
                raise click.UsageError("Name deliveries by their ids, or by what they share: not both.")
            if everything and not which.is_all:
                raise click.UsageError("--all means every delivery: leave out what narrows it.")
            if which.is_all and not everything:
                raise click.UsageError(f"Which deliveries? Give ids, or {ALL_OR_SHARED}.")
            command(which=which, **others)

        return click.option("--all", "everything", is_flag=True, help=text)(choosing_options(check))

    return decorate


_SHARING = (
    click.option(
        "--state",
        "states",
        multiple=True,
        metavar="STATE",
        type=click.Choice(list(IN_STATES)),
        help="Only those in this state, may be repeated: as `queue list` shows it, "
        'such as "kept (refused)", or primary, refused, quarantine.',
    ),
    click.option("--domain", type=DOMAIN, help="Only those to this domain."),
    click.option("--address", metavar="ADDRESS", help="Only those from or to this address."),
    click.option("--site", metavar="SITE", help="Only those whose next hop is this site."),
    click.option(
        "--cause",
        "causes",
        multiple=True,
        metavar="CAUSE",
        type=click.Choice([cause.word for cause in Cause]),
        help="Only those whose last try failed for this cause, as the log names it.",
    ),
    click.option(
        "--older",
        "older_ms",
        type=AGE,
        help='Only those that arrived longer ago, such as "7 days".',
    ),
    click.option("--larger", "larger_than", type=SIZE, help='Only those larger than this, such as "1 MB".'),
)


def _words(states: tuple[str, ...], limits: Selection, older_ms: int | None) -> str:
    words = []
    if len(states) > 0:
        words.append(f"in the state {' or '.join(states)}")
    if limits.domain is not None:
        words.append(f"to {limits.domain}")
    if limits.address is not None:
        words.append(f"from or to {limits.address}")
    if limits.site is not None:
        words.append(f"at the site {limits.site}")
    if len(limits.causes) > 0:
        words.append(f"put off or refused for {' or '.join(limits.causes)}")
    if older_ms is not None:
        words.append(f"older than {duration_text(older_ms)}")
    if limits.larger_than is not None:
        words.append(f"larger than {size_text(limits.larger_than)}")
    return ", ".join(words)
