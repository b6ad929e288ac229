"""The stores on PostgreSQL: the verbs over an engine, and the little that an adapter adds."""

from secondpost.mail.queue_id import WORKERS_MAX
from secondpost.store.ports import Swept
from secondpost.store.sqlite.keeping import lock_name
from secondpost.store.verbs.mail_store import MailVerbs
from secondpost.store.verbs.newsletter_store import NewsletterVerbs
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.world.ports import Held
from tests.store.postgres.engine import PostgresEngine


class PostgresStore(MailVerbs):
    """All ports of mail."""

    numbers = range(WORKERS_MAX // 2)

    def __init__(self, engine: PostgresEngine, role: str | None) -> None:
        self._engine: PostgresEngine = engine
        self._held: Held | None = None
        engine.disk.make_folder("content")
        engine.disk.make_folder("workers")
        if role is not None:
            engine.worker_number, self._held = engine.wire.wait(
                engine.wire.in_transaction(lambda: self._enter(role))
            )

    def _enter(self, role: str) -> Steps[tuple[int, Held]]:
        taken = {number(row[0]) for row in (yield from rows("keeping.worker_numbers"))}
        while True:
            [(last,)] = yield from rows("engine.last_run")
            n = number(last) + 1
            worker = self.numbers[n % len(self.numbers)]
            held = None if worker in taken else self._engine.disk.hold(lock_name(worker))
            if held is not None:
                now_ms = self._engine.clock.now_ms()
                yield from run("keeping.enter_worker", n, worker, role, now_ms, lock_name(worker))
                return worker, held

    @property
    def worker(self) -> int:
        assert self._engine.worker_number is not None, "a command is no worker"
        return self._engine.worker_number

    async def checkpoint(self) -> int:
        """Nothing to do: PostgreSQL manages its own log."""
        return 0

    async def sweep(self) -> Swept:
        workers, doubted, unknown = 0, [], []
        for worker, lock in self._other_workers():
            held = self._engine.hold(lock)
            if held is None:
                continue
            found = await self._doubt(worker)
            doubted += found.maybe_duplicates
            unknown += found.unknown
            await self._bury(worker)
            held.release()
            workers += 1
        return Swept(workers, tuple(doubted), 0, tuple(unknown))

    def close(self) -> None:
        if self._held is not None:
            worker = self.worker
            wire = self._engine.wire
            if wire.wait(wire.in_transaction(lambda: self._leave(worker))):
                self._engine.disk.remove(lock_name(worker))
            self._held.release()
            self._held = None
        self._engine.close()

    def _leave(self, worker: int) -> Steps[bool]:
        [(leases,)] = yield from rows("keeping.leases_of", worker)
        if leases != 0:
            return False
        yield from run("keeping.drop_worker", worker)
        return True


class PostgresNewsletterStore(NewsletterVerbs, PostgresStore):
    """All ports of the newsletter."""

    numbers = range(WORKERS_MAX // 2, WORKERS_MAX)
