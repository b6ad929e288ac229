"""A test of the way by which alarms reach the owner: put into the store for the service to send."""

from dataclasses import dataclass

import msgspec

from secondpost.compose.own_mail import OwnHeading
from secondpost.config.records import Config
from secondpost.mail.address import Mailbox
from secondpost.mail.owner_notice import OwnerPost
from secondpost.mail.queue_id import queue_id_text
from secondpost.protocols.dkim.signing import SigningKey
from secondpost.roles.parts import HINTS
from secondpost.roles.watch import signer_of
from secondpost.store.ports import COMMAND
from secondpost.store.sqlite import SqliteStore
from secondpost.watch.alarm_desk import MailToOwner
from secondpost.watch.posts import plain_document
from secondpost.world.ports import KeyFault
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import load_signing_keys
from secondpost.world.real.local import hint_once
from secondpost.world.real.work import RealWork

TEST_TEXT = """\
This is a test that you asked for with `secondpost alarms test`.

Alarms of this server reach you in the same way. If this mail is in your
spam folder, alarms would be there as well: tell your mail program that
it is no spam."""
TEST_POST = "This is a test that you asked for with `secondpost alarms test`."


@dataclass(frozen=True, slots=True)
class TestSent:
    owners: tuple[Mailbox, ...]
    id: str  # the mail's queue id, as text
    is_posted: bool  # whether there is a webhook
    service_runs: bool


async def send_test(config: Config) -> TestSent:
    """Put a mail, and a post if there is a webhook, into the store. Raises as opening a store does."""
    clock, work, disk = RealClock(), RealWork(), RealDisk(config.store)
    try:
        store = SqliteStore.open(disk, work, clock, role=COMMAND, failed=lambda error: None, migrates=False)
        try:
            return await _send(config, store, clock.now_ms())
        finally:
            store.close()
            hint_once(disk.path(HINTS))
    finally:
        work.close()


async def _send(config: Config, store: SqliteStore, now_ms: int) -> TestSent:
    mail = MailToOwner(config, store.ids, signer_of(_keys(config), config.hostname), store)
    arrival = await mail.mail(_subject, TEST_TEXT, now_ms)
    await store.send_own(arrival)
    is_posted = config.alarms.webhook is not None
    if is_posted:
        document = plain_document("test", TEST_POST, config.hostname, now_ms)
        await store.add_posts([OwnerPost(now_ms, 0, msgspec.json.encode(document).decode(), now_ms)])
    owners = arrival.envelope.recipients
    return TestSent(owners, queue_id_text(arrival.queue_id), is_posted, await store.is_served())


def _subject(heading: OwnHeading) -> str:
    return f"{heading.name}: a test"


def _keys(config: Config) -> tuple[SigningKey, ...]:
    try:
        return load_signing_keys(config.store, config.dkim)
    except KeyFault:
        return ()  # the service makes them at its first start
