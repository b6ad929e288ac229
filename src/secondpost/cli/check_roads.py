"""Whether mail can come and go, and the roads that it takes: `check delivery` without a domain."""

import asyncio

from secondpost.cli.check_words import show
from secondpost.cli.command import Ending
from secondpost.cli.opening import become_owner, store_faults_shown
from secondpost.config.records import Config
from secondpost.setup.diagnosis import Area, Check, Diagnosis, Grade


def show_roads(config: Config, *, as_json: bool, verbose: bool) -> None:
    found = [one for one in look_at_network(config) if one.check.area is Area.DELIVERY]
    show(config.path, found, as_json=as_json, verbose=verbose)


def look_at_network(config: Config) -> list[Diagnosis]:
    """Everything that needs the network or a store. As root, becomes the store's owner."""
    from secondpost.roles.doctor import examine_all, planned_delivery, planned_resolver
    from secondpost.roles.doctor_machine import NOTHING_STORED, look_at_store, signing_keys
    from secondpost.world.real.interfaces import interface_addresses

    found: list[Diagnosis] = []
    store = NOTHING_STORED
    try:
        become_owner(config)
        with store_faults_shown(config):
            store = asyncio.run(look_at_store(config))
    except Ending as ending:
        text = f"The store was not looked at: {ending.message}."
        found.append(Diagnosis(Check.HELD_MAIL, config.store, Grade.NOTE, text))
    if len(config.newsletters) > 0:
        found.append(signing_keys(config))
    planned = [planned_resolver(config), *planned_delivery(config, store, interface_addresses())]
    found.extend(asyncio.run(examine_all(config, planned)))
    return found
