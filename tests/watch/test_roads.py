"""To which of the owner's addresses an alarm goes."""

import pytest

from secondpost.config.records import Backup, Config, Route, Web
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.envelope import Lane
from secondpost.watch.roads import reachable_owners

HOST = Domain("mx2.example.net")
PRIMARY = Endpoint("mx1.provider.example", 25)
HERE, FREE, OTHER = (
    Mailbox.parse(text) for text in ("me@example.net", "me@elsewhere.example", "me@other.example")
)
DOWN = frozenset({FREE.domain})


def config(*owner: Mailbox, routes: tuple[Route, ...] = ()) -> Config:
    backups = (Backup(Domain("example.net"), (PRIMARY,)),)
    return Config("", HOST, "", owner, HOST, Web(None), backups=backups, routes=routes)


VIA_PRIMARY = Route(OTHER.domain, Lane.OWN, Endpoint(PRIMARY.host, 587))


@pytest.mark.parametrize(
    ("settings", "down", "expected"),
    [
        (config(HERE, FREE, OTHER), frozenset(), (FREE, OTHER)),
        (config(HERE, FREE, OTHER), DOWN, (OTHER,)),
        (config(HERE, FREE), DOWN, (FREE,)),  # better late than by the primary
        (config(HERE), frozenset(), (HERE,)),
        (config(FREE, OTHER, routes=(VIA_PRIMARY,)), frozenset(), (FREE,)),
        (config(FREE, OTHER, routes=(VIA_PRIMARY,)), DOWN, (FREE,)),
        (config(OTHER, routes=(VIA_PRIMARY,)), frozenset(), (OTHER,)),
        (config(Mailbox("me", HOST), FREE), frozenset(), (FREE,)),
    ],
)
def test_the_way_avoids_what_is_in_trouble(
    settings: Config, down: frozenset[Domain], expected: tuple[Mailbox, ...]
) -> None:
    assert reachable_owners(settings, down) == expected
