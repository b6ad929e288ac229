"""The deliver role's look at the certificate, which every role reads and receive shows.

The module that reads it is large, so it is imported only where there is a certificate.
"""

from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.config.files import OpenToRead
from secondpost.config.records import Config
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.setup.certificate import BrokenFiles
from secondpost.setup.certificate_alarm import CertificateAlarm, Validity
from secondpost.world.ports import Clock, Work


def certificate_look(
    config: Config, work: Work, clock: Clock, alarms: StandingAlarms, open_file: OpenToRead
) -> Callable[[], Coroutine[None, None, None]]:
    """A look that begins and ends the alarm; without a certificate it does nothing."""
    certificate, key = config.tls.certificate, config.tls.key
    if certificate is None or key is None:
        return _no_look
    from secondpost.world.real.certificates import certificate_files

    alarm = CertificateAlarm(certificate, clock, alarms)
    read = partial(certificate_files, certificate, key, open_file=open_file)

    async def look() -> None:
        found = await work.run(read)
        if isinstance(found, BrokenFiles):
            alarm.look(None, found.why)
        elif not found.is_key_right:
            alarm.look(None, f"{key} is not its key")
        else:
            alarm.look(Validity(found.certificate.begins_ms, found.certificate.ends_ms))

    return look


async def _no_look() -> None:
    """There is no certificate to look at."""
