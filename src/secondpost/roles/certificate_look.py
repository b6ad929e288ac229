"""The deliver role's look at the certificate, which every role reads and receive shows.

The module that reads it is large, so it is imported only where there is a certificate.
"""

import os
from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.config.files import OpenToRead
from secondpost.config.records import Config
from secondpost.mail.duration import SECOND_MS
from secondpost.mail.metrics import Metric
from secondpost.mail.own_certificate import SERVER_PEM
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.setup.certificate import BrokenFiles
from secondpost.setup.certificate_alarm import CertificateAlarm, Validity
from secondpost.world.ports import Clock, Work


def certificate_look(
    config: Config,
    work: Work,
    clock: Clock,
    alarms: StandingAlarms,
    open_file: OpenToRead,
    tally: Tally,
) -> Callable[[], Coroutine[None, None, None]]:
    """A look that begins and ends the alarm; without a certificate it does nothing."""
    paths = certificate_paths(config)
    if paths is None:
        return _no_look
    certificate, key = paths
    from secondpost.world.real.certificates import certificate_files

    alarm = CertificateAlarm(certificate, clock, alarms)
    read = partial(certificate_files, certificate, key, open_file=open_file)

    async def look() -> None:
        if config.tls.acme is not None and not os.path.exists(certificate):
            return  # the first one is still to come; that it does not is another alarm
        found = await work.run(read)
        if isinstance(found, BrokenFiles):
            alarm.look(None, found.why)
        elif not found.is_key_right:
            alarm.look(None, f"{key} is not its key")
        else:
            ends = found.certificate.ends_ms // SECOND_MS
            tally.measure(Metric.CERTIFICATE_ENDS, lambda: ends)
            alarm.look(Validity(found.certificate.begins_ms, found.certificate.ends_ms))

    return look


def certificate_paths(config: Config) -> tuple[str, str] | None:
    """The files of the certificate in use and of its key; None without a certificate."""
    if config.tls.acme is not None:
        path = os.path.join(config.store, SERVER_PEM)
        return path, path
    if config.tls.certificate is None or config.tls.key is None:
        return None
    return config.tls.certificate, config.tls.key


async def _no_look() -> None:
    """There is no certificate to look at."""
