"""A process that only signs readers' mails: `python -m secondpost.processes.signer`.

Its standard input is a socket to the deliver role, which first sends the setup and then orders. It
ends when the role does, however that happens. With its keys in memory it raises walls: it needs no file
but Python's modules from then on, and no socket but the one it has.
"""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

import msgspec

from secondpost.config.records import Dkim
from secondpost.processes.walls import raise_maker_walls
from secondpost.protocols.tokens import Ring
from secondpost.signing.assembly import OwnAddresses, ReaderKeys
from secondpost.signing.orders import MailSigner
from secondpost.world.ports import DiskFailed, KeyFault
from secondpost.world.real.keys import load_key_ring, load_signing_keys
from secondpost.world.real.workshop import serve_orders


@dataclass(frozen=True, slots=True)
class SignerSetup:
    """Start-up message to a signing process. The keys themselves stay in their files."""

    store: str
    dkim: Dkim
    own: OwnAddresses

    def octets(self) -> bytes:
        return msgspec.msgpack.encode(self)


def reader_keys(store: str, dkim: Dkim) -> ReaderKeys:
    """Load a role's keys. Raises KeyFault and DiskFailed."""
    return ReaderKeys(
        load_signing_keys(store, dkim), load_key_ring(store, Ring.LINKS), load_key_ring(store, Ring.ADDRESSES)
    )


def _opened(opening: bytes) -> Callable[[bytes], bytes]:
    setup = msgspec.msgpack.decode(opening, type=SignerSetup)
    signer = MailSigner(reader_keys(setup.store, setup.dkim), setup.own)
    raise_maker_walls()
    return signer.answer


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        # The role finishes what is under way, and needs this process for it.
        signal.signal(number, signal.SIG_IGN)
    try:
        serve_orders(socket(fileno=sys.stdin.fileno()), _opened)
    except (KeyFault, DiskFailed) as fault:
        sys.stderr.write(f"secondpost: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
