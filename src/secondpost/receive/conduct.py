"""Remembers which clients bring no mail: they have to hurry first when places run short.

An address is judged by its last connection; a network by its addresses, and only if most of them
bring nothing, so that one address does not hurt the others of a large provider.
"""

from dataclasses import dataclass, field

from secondpost.receive.callers import Caller

ADDRESSES_MAX = 20_000  # remembered at once, about 4 MB
ADDRESSES_MIN = 4  # of a network, before it is judged


@dataclass(slots=True)
class _Network:
    brings_nothing: dict[str, bool] = field(default_factory=dict)  # by address
    idle: int = 0  # number of addresses that bring nothing


class Conduct:
    def __init__(self) -> None:
        self._networks: dict[str, _Network] = {}
        self._addresses = 0

    def ended(self, caller: Caller, *, brought_mail: bool) -> None:
        """Record whether a connection that ended had brought mail."""
        if self._addresses >= ADDRESSES_MAX:
            self._networks.clear()
            self._addresses = 0
        network = self._networks.get(caller.link)
        if network is None:
            network = self._networks[caller.link] = _Network()
        before = network.brings_nothing.get(caller.address)
        network.brings_nothing[caller.address] = not brought_mail
        network.idle += (not brought_mail) - (before is True)
        self._addresses += before is None

    def is_idle(self, caller: Caller) -> bool:
        """Whether the caller's last connection brought nothing, or most addresses of its network
        bring nothing.
        """
        network = self._networks.get(caller.link)
        if network is None:
            return False
        known = len(network.brings_nothing)
        most = known >= ADDRESSES_MIN and 2 * network.idle > known
        return most or network.brings_nothing.get(caller.address, False)
