"""Does a site that was down take mail again? Does the primary have this mailbox?

The site probe is a conversation (EHLO, STARTTLS, EHLO, QUIT), never a message: all hosts in parallel, and
one that lets us in is enough. The recipient probe goes on to MAIL FROM:<> and RCPT, and never to DATA.
"""

import asyncio
from collections.abc import Iterator

from secondpost.deliver.opening import Opener, Unopened
from secondpost.deliver.outside import Connection, Job
from secondpost.deliver.post import Post
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Inside, NoPlan, Plan
from secondpost.mail.questions import Knowledge
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp_client import Phase, Result
from secondpost.store.ports import SiteDown

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0  # for the whole conversation
RECIPIENT_SECONDS = 5.0  # the caller of the receive role waits no longer
PROBES_AT_ONCE = 50
RECIPIENTS_AT_ONCE = 5  # of one domain: whoever guesses addresses here must not hammer the primary
DOMAINS_MAX = 1000  # of a site, among which those are that are looked at in a round
DOMAINS_AT_ONCE = 100


class _Visitor:
    """Owns a connection that will carry no message."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()

    def connection_ready(self, connection: Connection) -> None:
        raise AssertionError("a connection is ready before it is handed over")

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.answered(None)

    def message_done(self, connection: Connection, job: Job, results: tuple[Result, ...]) -> None:
        raise AssertionError("a probe sends no message")

    def body_pieces(self, job: Job) -> Iterator[bytes]:
        raise AssertionError("a probe sends no message")

    def answered(self, result: Result | None) -> None:
        if not self.answer.done():
            self.answer.set_result(result)


class Probe:
    def __init__(self, post: Post) -> None:
        self._post = post
        self._opener = Opener(post.net, post.config.hostname.name, post.background, CONNECT_SECONDS)
        self._room = asyncio.Semaphore(PROBES_AT_ONCE)
        self._asked: dict[Mailbox, asyncio.Task[Knowledge]] = {}
        self._rooms = {backup.domain: asyncio.Semaphore(RECIPIENTS_AT_ONCE) for backup in post.config.backups}

    # ------------------------------------------------------------ sites

    async def look_at(self, down: SiteDown) -> bool:
        """Whether the site is up again, or nothing waits for it any more; else the next round is noted."""
        post = self._post
        async with self._room:
            waiting = post.claims.domains_of(down.site, DOMAINS_MAX)
            if len(waiting) == 0:
                await post.mark_up(down.site)
                return True
            looked_at = post.dice.shuffled(waiting)[:DOMAINS_AT_ONCE]
            routes = await asyncio.gather(*(post.route(lane, domain) for lane, domain in looked_at))
            moved = await self._move(down, looked_at, routes)
            for routed in routes:
                if isinstance(routed, Plan) and routed.site == down.site:
                    return await self._visit_site(down, routed) or moved
            for routed in routes:
                if isinstance(routed, NoPlan):
                    await post.mark_down(down.site, routed.cause, routed.reply.text)
                    break
            return moved

    async def _move(
        self, down: SiteDown, domains: list[tuple[Lane, Domain]], routes: list[Plan | NoPlan | Inside]
    ) -> bool:
        """Domains whose route has changed meanwhile: the new site finds out for itself how it is."""
        moved = False
        for (lane, domain), routed in zip(domains, routes, strict=True):
            is_final = not isinstance(routed, NoPlan) or routed.reply.is_permanent
            if is_final and routed.site != down.site:
                await self._post.hint(lane, domain, routed.site)
                moved = True
        return moved

    async def _visit_site(self, down: SiteDown, plan: Plan) -> bool:
        post = self._post
        refusal = await self._first_refusal(plan)
        if refusal is None:
            await post.mark_up(down.site)
            post.log.site_up(down.site, post.clock.now_ms() - down.since_ms)
            return True
        await post.mark_down(down.site, refusal.cause, f"{refusal.host}: {refusal.reply}")
        return False

    async def _first_refusal(self, plan: Plan) -> Unopened | None:
        """None when at least one host let us in."""
        visits = [asyncio.ensure_future(self._visit(Plan(plan.site, (hop,)))) for hop in plan.hops]
        refused: list[Unopened] = []
        try:
            for visit in asyncio.as_completed(visits, timeout=ANSWER_SECONDS):
                opened = await visit
                if isinstance(opened, Connection):
                    opened.quit()
                    return None
                refused.append(opened)
        except TimeoutError:
            pass
        finally:
            for visit in visits:
                visit.cancel()
        if len(refused) > 0:
            return refused[0]
        return Unopened(Cause.CONNECT, plan.hops[0].name, Reply.of(451, "4.4.1", "no answer in time"))

    async def _visit(self, plan: Plan) -> Connection | Unopened:
        return await self._opener.open(plan, _Visitor())

    # ------------------------------------------------------------ recipients

    async def knows(self, mailbox: Mailbox) -> Knowledge:
        """Ask the primary, at most once at a time for each mailbox; what it says is learned."""
        task = self._asked.get(mailbox)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(mailbox))
            self._asked[mailbox] = task
            task.add_done_callback(lambda _: self._asked.pop(mailbox, None))
        return await asyncio.shield(task)

    async def _ask(self, mailbox: Mailbox) -> Knowledge:
        room = self._rooms.get(mailbox.domain)
        if room is None:
            return Knowledge.UNREACHABLE
        try:
            async with asyncio.timeout(RECIPIENT_SECONDS), room:
                knowledge = knowledge_from(await self._visit_recipient(mailbox))
        except TimeoutError:
            return Knowledge.UNREACHABLE
        if knowledge is not Knowledge.UNREACHABLE:
            known, now_ms = knowledge is Knowledge.KNOWN, self._post.clock.now_ms()
            await self._post.learning.write(mailbox, known, "probe", now_ms)
        return knowledge

    async def _visit_recipient(self, mailbox: Mailbox) -> Result | None:
        routed = await self._post.route(Lane.RELAY, mailbox.domain)
        if not isinstance(routed, Plan):
            return None
        visitor = _Visitor()
        opened = await self._opener.open(routed, visitor)
        if isinstance(opened, Unopened):
            return None
        try:
            opened.ask(mailbox, visitor.answered)
            return await visitor.answer
        finally:
            opened.quit()


def knowledge_from(result: Result | None) -> Knowledge:
    """Only a refusal that speaks of the mailbox tells that it does not exist: a block list does not."""
    if result is None or result.phase is not Phase.RCPT:
        return Knowledge.UNREACHABLE
    reply = result.reply
    if reply.is_positive:
        return Knowledge.KNOWN
    speaks_of_mailbox = reply.status == "" or reply.status.startswith("5.1.") or reply.status == "5.2.1"
    if reply.code in (550, 551, 553) and speaks_of_mailbox:
        return Knowledge.UNKNOWN
    return Knowledge.UNREACHABLE
