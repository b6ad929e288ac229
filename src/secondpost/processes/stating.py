"""What a process of the service states of itself while it runs."""

from collections.abc import Callable
from contextlib import AsyncExitStack

from secondpost.config.records import Config
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.roles.parts import World
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.world.background import BackgroundTasks
from secondpost.world.sockets.alarms import ALARMS, AlarmReporter
from secondpost.world.sockets.tallies import TALLIES, TallyReporter


def state(
    config: Config,
    world: World,
    name: str,
    alarms: StandingAlarms,
    tally: Tally,
    failed: Callable[[BaseException], None],
    ends: AsyncExitStack,
) -> None:
    """Have the deliver role hear of this process's alarms and counts, until `ends`."""
    reporters: list[AlarmReporter | TallyReporter] = [
        AlarmReporter(world.net, world.disk.path(ALARMS), name, alarms)
    ]
    if len(config.metrics.listen) > 0:
        reporters.append(TallyReporter(world.net, world.disk.path(TALLIES), name, tally))
    for reporter in reporters:
        background = BackgroundTasks(failed)
        background.run(reporter.run())
        ends.push_async_callback(reporter.finish)
        ends.callback(background.cancel)


async def look_for_unnamed(
    config: Config,
    readers: NewsletterStore | None,
    alarms: StandingAlarms,
    failed: Callable[[BaseException], None],
    ends: AsyncExitStack,
) -> None:
    """Look now and then for newsletters that the file does not name, until `ends`."""
    from secondpost.roles.unnamed import UnnamedNewsletters

    unnamed = UnnamedNewsletters(config, readers, alarms)
    background = BackgroundTasks(failed)
    await unnamed.look()
    background.run(unnamed.run())
    ends.callback(background.cancel)
