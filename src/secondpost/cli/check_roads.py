"""Whether mail can come and go, and the roads that it takes: `check delivery` without a domain."""

import asyncio
from collections.abc import Collection

from secondpost.cli.check_words import show
from secondpost.cli.command import Ending
from secondpost.cli.opening import become_owner, store_faults_shown
from secondpost.config.records import Config
from secondpost.setup.diagnosis import Area, Check, Diagnosis, Grade
from secondpost.setup.facts import Facts
from secondpost.setup.surroundings import Surroundings


def show_roads(config: Config, *, as_json: bool, verbose: bool) -> None:
    found = look_at_network(config, surroundings_of(config), (Area.DELIVERY,))
    show(config.path, found, as_json=as_json, verbose=verbose)


def surroundings_of(config: Config) -> Surroundings:
    """This machine around the service. Root sees more."""
    from secondpost.world.real.surroundings import look_around_here

    return look_around_here(config.user)


def look_at_network(
    config: Config, here: Surroundings, areas: Collection[Area], known: Facts | None = None
) -> list[Diagnosis]:
    """What these areas need the network or a store for. As root, becomes the store's owner.

    `known`: what DNS is compared with, if it is to be looked at.
    """
    from secondpost.roles.doctor import examine_all, examine_records, planned
    from secondpost.roles.doctor_machine import NOTHING_STORED, look_at_store, signing_keys
    from secondpost.setup.ports import examine_ports

    found: list[Diagnosis] = []
    store = NOTHING_STORED
    try:
        become_owner(config)
        with store_faults_shown(config):
            store = asyncio.run(look_at_store(config))
        if len(config.newsletters) > 0:
            found.append(signing_keys(config))
    except Ending as ending:
        text = f"The store was not looked at: {ending.message}."
        found.append(Diagnosis(Check.HELD_MAIL, config.store, Grade.NOTE, text))
    found.extend(examine_ports(config, here, store.is_served))

    async def looked_around() -> list[Diagnosis]:
        records = [] if known is None else [examine_records(config, known)]
        roads, *of_dns = await asyncio.gather(
            examine_all(config, planned(config, areas, store, here)), *records
        )
        return [*(one for some in of_dns for one in some), *roads]

    with store_faults_shown(config):
        found.extend(asyncio.run(looked_around()))
    return [one for one in found if one.check.area in areas]
