"""The newsletter's part of a simulated day: the blog, the readers, their servers, the owner."""

from secondpost.config.records import Newsletter
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.protocols.mime.list_headers import message_id
from secondpost.protocols.tokens import Purpose, Token
from secondpost.protocols.verp import address_of
from secondpost.store.newsletter_ports import ReaderDelivery
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.subscriber_ports import Imported
from simulation.clock import EPOCH_MS, Stuck
from simulation.dice import SimDice
from simulation.faults import InjectedFault
from simulation.internet.blog import SimBlog
from simulation.internet.dns import SimDns, SimResolver
from simulation.internet.net import SimInternet
from simulation.internet.primaries import ReceivingServer
from simulation.internet.senders import Manners, SimSender
from simulation.keys import reader_keys
from simulation.machine import Machine
from simulation.people.letters import LetterLedger
from simulation.people.news import ELSEWHERE, MAIN, NEWS_SENDER, NewsletterPlan, NewsPlan
from simulation.people.owner import Owner
from simulation.people.people import People, SimReader
from simulation.reader_evidence import IssueLeft, ReaderEvidence
from simulation.scenario import OUR_NAME
from simulation.service import SimService

ROWS_MAX = 1_000
STOPPABLE = (IssueState.OPEN, IssueState.FROZEN, IssueState.SENDING)
BEGIN_SECONDS_MAX = 60.0
OUTGOING, OUTGOING_ADDRESS = "out.readers.example", "203.0.113.200"


def configured(plan: NewsletterPlan) -> Newsletter:
    return Newsletter(
        name=plan.name,
        sender=NEWS_SENDER,
        feeds=(plan.feed.url,),
        every=plan.every,
        min_articles=plan.minimum,
        undo_ms=plan.undo_ms,
        settle_ms=plan.settle_ms,
    )


class Newsroom:
    """Builds the blog and the readers' servers; `open` later gets the service."""

    def __init__(self, plan: NewsPlan, internet: SimInternet, dns: SimDns, dice: SimDice) -> None:
        self.plan = plan
        self.blog = SimBlog([newsletter.feed for newsletter in plan.newsletters], internet.timeline)
        self.inboxes = [self._inbox(number, internet, dns, dice) for number in range(len(plan.inboxes))]
        self.letters = LetterLedger()  # from readers and their servers to us
        self.outgoing = self._outgoing(internet, dns, dice)
        self._internet = internet
        self._dice = dice

    def _outgoing(self, internet: SimInternet, dns: SimDns, dice: SimDice) -> SimSender:
        """The one server that sends all readers' letters."""
        internet.host(OUTGOING, (OUTGOING_ADDRESS,), ELSEWHERE)
        dns.mx[OUR_NAME] = [(10, OUR_NAME)]
        resolver = SimResolver(dns, ELSEWHERE, internet.scheduling)
        net = internet.net_for(OUTGOING_ADDRESS)
        return SimSender(OUTGOING, net, resolver, Manners(pipelines=True), self.letters, dice)

    def _inbox(self, number: int, internet: SimInternet, dns: SimDns, dice: SimDice) -> ReceivingServer:
        plan = self.plan.inboxes[number]
        host = internet.host(plan.name, (plan.address,), plan.network)
        host.certificate = (plan.name,) if plan.offers_tls else ()
        dns.addresses[plan.name] = [plan.address]
        for domain in plan.domains:
            dns.mx[domain] = [(10, plan.name)]
        net = internet.net_for(plan.address)
        server = ReceivingServer(plan.name, plan.address, net, frozenset(plan.domains), dice)
        server.unknown = plan.gone
        internet.loop.create_task(server.open())
        return server

    def open(self, machine: Machine, service: SimService) -> None:
        """Import the readers from before the day, and schedule the others."""
        self.people = People(self.plan.readers, service, self._internet, self.outgoing, self._dice)
        self._owner = Owner(machine)
        for server in self.inboxes:
            server.read = self.people.read
        done: list[bool] = []
        self._owner.types(self._import, lambda: done.append(True))
        if not self._internet.timeline.run_until(lambda: len(done) > 0, BEGIN_SECONDS_MAX):
            raise Stuck("the readers were not brought in")
        self.people.begin()
        for reader in self.people.readers.values():
            if reader.plan.suppressed_at is not None:
                self._internet.loop.call_at(reader.plan.suppressed_at, self._suppress, reader)

        if self.plan.stopped_at is not None:
            self._internet.loop.call_at(self.plan.stopped_at, self._owner.types, self._stop, lambda: None)

    async def _stop(self, store: SqliteNewsletterStore) -> None:
        for issue in await store.issues_under_way():
            if issue.state in STOPPABLE:
                await store.stop(issue.id, EPOCH_MS, "a mistake")

    async def _import(self, store: SqliteNewsletterStore) -> None:
        keys = reader_keys()
        consent = Consent("the old newsletter", "import", "last year", EPOCH_MS)
        for newsletter in self.plan.newsletters:
            old = [
                reader
                for reader in self.people.readers.values()
                if reader.plan.newsletter == newsletter.name and reader.plan.joins_at is None
            ]
            lines = [Imported(Mailbox.parse(reader.plan.address)) for reader in old]
            await store.import_batch(newsletter.name, lines, SubscriberState.ACTIVE, consent, EPOCH_MS)
            for reader, line in zip(old, lines, strict=True):
                known = await store.find(newsletter.name, line.mailbox)
                assert known is not None
                # These readers can leave by the link and the address in a mail from before the day.
                reader.leave_token = keys.links.write(Token(Purpose.LEAVE, known.id, 0))
                by_mail = Token(Purpose.LEAVE_BY_MAIL, known.id, 0)
                reader.leave_address = str(address_of(keys.addresses, by_mail, Domain(OUR_NAME)))

    def _suppress(self, reader: SimReader) -> None:
        async def suppress(store: SqliteNewsletterStore) -> None:
            mailboxes = [Mailbox.parse(reader.plan.address)]
            await store.suppress(reader.plan.newsletter, mailboxes, Reason.OWNER, EPOCH_MS, "a call")

        def done() -> None:
            reader.suppressed = self._internet.timeline.now

        self._owner.types(suppress, done)

    # -- the evidence
    async def is_at_rest(self, store: SqliteNewsletterStore) -> bool:
        """Whether the main newsletter had an issue, and no issue or confirmation is under way."""
        if len(await store.issues_under_way()) > 0 or len(await store.issues(MAIN, None, 1)) == 0:
            return False
        confirmations = await self._confirmations(store)
        return all(row.state is not State.WAITING for row in confirmations)

    async def _confirmations(self, store: SqliteNewsletterStore) -> list[ReaderDelivery]:
        found: list[ReaderDelivery] = []
        for reader in self.people.readers.values():
            if reader.plan.joins_at is not None:
                known = await store.find(reader.plan.newsletter, Mailbox.parse(reader.plan.address))
                rows = [] if known is None else await store.deliveries_of(known.id, ROWS_MAX)
                found.extend(row for row in rows if row.issue is None)
        return found

    async def testify(
        self, store: SqliteNewsletterStore, service: SimService, faults: tuple[InjectedFault, ...]
    ) -> ReaderEvidence:
        known = {
            key: found
            for key in self.people.readers
            if (found := await store.find(key[0], Mailbox.parse(key[1]))) is not None
        }
        return ReaderEvidence(
            plan=self.plan,
            faults=faults,
            readers=self.people.readers,
            inboxes=self.inboxes,
            log=service.log,
            issues=[
                await _left(store, issue)
                for newsletter in self.plan.newsletters
                for issue in await store.issues(newsletter.name, None, ROWS_MAX)
            ],
            known=known,
            left_ms={
                key: event.at_ms
                for key, reader in known.items()
                for event in await store.events_of(reader.id)
                if event.what == "left"
            },
            bounces={key: await store.bounces_of(reader.id, ROWS_MAX) for key, reader in known.items()},
            letters=self.letters,
            confirmations=await self._confirmations(store),
            open_at_death=service.open_at_death,
        )


async def _left(store: SqliteNewsletterStore, issue: Issue) -> IssueLeft:
    rows = tuple(await store.deliveries(issue.id, (), None, ROWS_MAX))
    message_ids: dict[str, SubscriberId] = {}
    if len(rows) > 0:
        content = IssueContent.decode(await store.issue_content(issue.id))
        for row in rows:
            id = message_id(content.seed, row.subscriber, issue.number, content.domain)
            message_ids[id] = row.subscriber
    return IssueLeft(
        issue,
        rows,
        tuple(await store.entries_of_issue(issue.id)),
        await store.reckoning(issue.id),
        message_ids,
    )
