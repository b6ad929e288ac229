"""The server's certificate for a command: what the files hold, and what the running service is asked."""

from secondpost.config.files import read_file
from secondpost.config.records import Config
from secondpost.protocols.certificate_questions import CertificateWish, WishAnswered
from secondpost.roles.parts import WISHES
from secondpost.setup.own_certificate import OrderLog, StoredCertificate
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.net import RealNet
from secondpost.world.real.own_certificate import FILE_OCTETS_MAX, OwnCertificateFiles, certificate_in_use
from secondpost.world.sockets.certificates import ask_wish


def stored_certificate(config: Config) -> StoredCertificate:
    """What the store holds; without ACME, the certificate of the configuration. Raises OSError and
    FileWrong.
    """
    if config.tls.acme is not None:
        return OwnCertificateFiles(config.store).read()
    path = config.tls.certificate
    in_use = None if path is None else certificate_in_use(read_file(path, FILE_OCTETS_MAX))
    return StoredCertificate(in_use, None, OrderLog())


def now_ms() -> int:
    return RealClock().now_ms()


async def ask_service(config: Config, wish: CertificateWish) -> WishAnswered | None:
    """None if no service runs that could do it."""
    net = RealNet()
    try:
        return await ask_wish(net, RealDisk(config.store).path(WISHES), wish)
    finally:
        net.close()
