"""Asks a primary whether a mailbox exists, with MAIL FROM:<> and RCPT, never DATA.

Clients' questions queue per network and are asked in turn, within the site's refusal budget, so
that a network that guesses uses up its own share. A question that cannot have its turn is answered
UNASKED, one without an answer in time UNREACHABLE.
"""

import asyncio

from secondpost.deliver.catch_all import CatchAlls
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.recipient_connection import RecipientConnection
from secondpost.deliver.recipient_questions import WaitingQuestion, WaitingQuestions
from secondpost.deliver.recipient_results import is_refusal, knowledge_from
from secondpost.deliver.refusal_budget import QUEUE, RefusalBudget
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Plan
from secondpost.mail.questions import Knowledge
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.store.ports import StoreUnavailable

CALLER_SECONDS = 5.0  # the client of the receive role waits no longer
CALLER_MS = int(CALLER_SECONDS * 1000)
UNREACHABLE_MS = 30_000  # before a site that did not answer is tried again


class SiteAsker:
    """The questions about mailboxes of one site."""

    def __init__(self, context: DeliveryContext, catch_alls: CatchAlls, plan: Plan) -> None:
        self._context = context
        self._catch_alls = catch_alls
        self._plan = plan
        self._budget: RefusalBudget = context.sites.budget_of(plan.site)
        self._connection = RecipientConnection(context, self._parted)
        self._questions = WaitingQuestions()
        self._asked: dict[Mailbox, asyncio.Future[Knowledge]] = {}
        self._unreachable_until_ms = 0
        self._working = False

    def ask(self, mailbox: Mailbox, network: str, plan: Plan) -> asyncio.Future[Knowledge]:
        """The answer, shared by all who ask about the mailbox meanwhile. `plan`: the site's hosts
        now.
        """
        same = self._asked.get(mailbox)
        if same is not None:
            return same
        loop = asyncio.get_running_loop()
        question = WaitingQuestion(mailbox, network, loop.create_future(), loop.time() + CALLER_SECONDS)
        if self._context.clock.now_ms() < self._unreachable_until_ms:
            question.settle(Knowledge.UNREACHABLE)
            return question.answer
        if not self._may_wait(network):
            question.settle(Knowledge.UNASKED)
            return question.answer
        self._plan = plan
        self._asked[mailbox] = question.answer
        question.answer.add_done_callback(lambda _: self._asked.pop(mailbox, None))
        self._questions.add(question)
        if not self._working:
            self._working = True
            self._context.background(self._work())
        return question.answer

    def close(self) -> None:
        self._connection.close()

    def _may_wait(self, network: str) -> bool:
        now_ms = self._context.clock.now_ms()
        in_time = self._budget.wait_ms(network, now_ms) < CALLER_MS
        return in_time and self._questions.has_room_for(network, now_ms)

    async def _work(self) -> None:
        try:
            while (network := await self._next_network()) is not None:
                question = self._questions.take(network)
                in_time = asyncio.get_running_loop().time() < question.until
                found = await self._find_out(question) if in_time else Knowledge.UNASKED
                if found is Knowledge.KNOWN:
                    self._questions.forgive(network)
                question.settle(found)
        finally:
            self._working = False
            self._questions.end_all()
            self._connection.linger()

    async def _next_network(self) -> str | None:
        """The next network that may ask, after waiting for the budget if that is short; None
        otherwise.
        """
        while len(self._questions) > 0:
            now_ms = self._context.clock.now_ms()
            waits = {each: self._budget.wait_ms(each, now_ms) for each in self._questions.networks}
            network = min(waits, key=waits.__getitem__)  # the first one with the shortest wait
            if waits[network] == 0:
                return network
            if waits[network] >= CALLER_MS:
                return None
            await asyncio.sleep(waits[network] / 1000)
        return None

    async def _find_out(self, question: WaitingQuestion) -> Knowledge:
        """Ask the primary, and learn its answer even if the client is gone."""
        mailbox = question.mailbox
        try:
            if await self._catch_alls.is_due(mailbox.domain):
                await self._ask_about_none(mailbox.domain)
            knowledge = knowledge_from(await self._result(mailbox, question.network), mailbox)
            takes_all = await self._catch_alls.takes_all(mailbox.domain)
        except StoreUnavailable as error:
            self._context.alarms.begin(AlarmKind.NOT_LEARNED, mailbox.domain.name, str(error))
            return Knowledge.UNREACHABLE
        if knowledge is Knowledge.UNKNOWN or (knowledge is Knowledge.KNOWN and takes_all is False):
            known, now_ms = knowledge is Knowledge.KNOWN, self._context.clock.now_ms()
            await self._context.learning.write(mailbox, known, "probe", now_ms)
        return knowledge

    async def _ask_about_none(self, domain: Domain) -> None:
        result = await self._result(self._catch_alls.mailbox_at(domain), QUEUE)
        if result is not None:
            await self._catch_alls.note(domain, result)

    async def _result(self, mailbox: Mailbox, network: str) -> RecipientResult | None:
        now_ms = self._context.clock.now_ms()
        if now_ms < self._unreachable_until_ms:
            return None
        self._budget.take(network, 1, now_ms)
        result = await self._connection.ask(mailbox, self._plan)
        if result is None:
            self._unreachable_until_ms = self._context.clock.now_ms() + UNREACHABLE_MS
        if result is None or not is_refusal(result):
            self._budget.give_back(network, 1)
        return result

    def _parted(self) -> None:
        """Slow down: the primary closed a connection because of refusals. It is not down."""
        self._budget.parted(self._context.clock.now_ms())


class RecipientProbe:
    """Asks about recipients of all backup domains, with one SiteAsker per site."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._catch_alls = CatchAlls(context)
        self._askers: dict[str, SiteAsker] = {}

    async def knows(self, mailbox: Mailbox, network: str) -> Knowledge:
        """`network`: the client's, written as in mail/network."""
        try:
            async with asyncio.timeout(CALLER_SECONDS):
                return await self._knows(mailbox, network)
        except (TimeoutError, StoreUnavailable):
            return Knowledge.UNREACHABLE

    async def _knows(self, mailbox: Mailbox, network: str) -> Knowledge:
        context = self._context
        if context.config.backup_for(mailbox.domain) is None:
            return Knowledge.UNREACHABLE
        plan = await context.routes.route(Lane.RELAY, mailbox.domain)
        if not isinstance(plan, Plan) or await context.claims.is_down(plan.site):
            return Knowledge.UNREACHABLE
        asker = self._askers.get(plan.site)
        if asker is None:
            asker = self._askers[plan.site] = SiteAsker(context, self._catch_alls, plan)
        return await asyncio.shield(asker.ask(mailbox, network, plan))

    async def look_for_catch_alls(self) -> None:
        """Find out for each learning domain whether its primary accepts every address; until that
        is known, deliveries teach nothing.
        """
        for domain in self._context.learning.domains:
            if await self._catch_alls.is_due(domain):
                await self.knows(Mailbox("postmaster", domain), QUEUE)

    def close(self) -> None:
        for asker in self._askers.values():
            asker.close()
