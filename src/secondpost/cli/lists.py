"""Lists of deliveries for `queue list` and `held list`, as a table or a document."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.mail.duration import age_text
from secondpost.mail.size import size_text
from secondpost.owner.documents import list_document
from secondpost.spool.desk import standing
from secondpost.store.owner_ports import DeliveryRow

LISTED_MAX = 1000  # deliveries per list, by default

COLUMNS = (
    Column("ID"),
    Column("standing"),
    Column("size", right=True),
    Column("age", right=True),
    Column("from", folds=True),
    Column("to", folds=True),
)
LAST_ANSWER = Column("last answer", folds=True)  # only if there is one


@dataclass(frozen=True, slots=True)
class ListPage:
    deliveries: list[DeliveryRow]
    more: bool
    now_ms: int


async def page_of(deliveries: AsyncIterator[DeliveryRow], limit: int, now_ms: int) -> ListPage:
    """The first `limit` deliveries, and whether there are more."""
    page: list[DeliveryRow] = []
    async for listed in deliveries:
        if len(page) == limit:
            return ListPage(page, True, now_ms)
        page.append(listed)
    return ListPage(page, False, now_ms)


def say_list(page: ListPage, as_json: bool, empty: str | None, beside: str = "") -> None:
    """Print a list; `beside` says what is not in it."""
    if as_json:
        say_json(list_document(page.deliveries, page.more, beside))
        return
    if len(page.deliveries) == 0:
        say("No delivery matches." if empty is None else empty)
    else:
        _say_page(page)
    if len(beside) > 0:
        say(beside)


def _say_page(page: ListPage) -> None:
    rows = [_row(listed, page.now_ms) for listed in page.deliveries]
    answers = [_last_answer(listed) for listed in page.deliveries]
    if any(len(answer) > 0 for answer in answers):
        say_table((*COLUMNS, LAST_ANSWER), [(*row, last) for row, last in zip(rows, answers, strict=True)])
    else:
        say_table(COLUMNS, rows)
    if page.more:
        say(f"There are more: --after {page.deliveries[-1].id}")


def _row(listed: DeliveryRow, now_ms: int) -> tuple[str, ...]:
    return (
        str(listed.id),
        standing(listed).value,
        size_text(listed.size),
        age_text(now_ms - listed.arrived_ms),
        f"<{listed.sender}>",
        recipient_text(listed),
    )


def recipient_text(listed: DeliveryRow) -> str:
    """The recipient, and the original one if it was redirected."""
    first = listed.first_recipient
    return listed.recipient if first is None else f"{listed.recipient} (for {first})"


def _last_answer(listed: DeliveryRow) -> str:
    return f"{listed.host}: {listed.reply}" if len(listed.host) > 0 else listed.reply
