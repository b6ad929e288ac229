"""The deliver role's look at the certificate, which every role reads and receive shows."""

from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.config.records import Config
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.setup.certificate_alarm import CertificateAlarm
from secondpost.world.ports import Clock, Work
from secondpost.world.real.tls import CertificateError, certificate_validity


def certificate_look(
    config: Config, work: Work, clock: Clock, alarms: StandingAlarms
) -> Callable[[], Coroutine[None, None, None]]:
    """A look that begins and ends the alarm; without a certificate it does nothing."""
    certificate, key = config.tls.certificate, config.tls.key
    if certificate is None or key is None:
        return _no_look
    alarm = CertificateAlarm(certificate, clock, alarms)
    read = partial(certificate_validity, certificate, key)

    async def look() -> None:
        try:
            alarm.look(await work.run(read))
        except CertificateError as error:
            alarm.look(None, str(error))

    return look


async def _no_look() -> None:
    """There is no certificate to look at."""
