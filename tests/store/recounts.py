"""Recounts of the triggers' values from the rows, in SQL of both engines."""

from collections.abc import Mapping

import apsw

from secondpost.store.sqlite.schema import Database
from secondpost.store.verbs.steps import Row

NOW = "{now_ms}"
# As in the tally: claimed mail counts as waiting, dead letters by their reason.
COUNTED_AS = (
    "CASE WHEN fence IS NOT NULL THEN 'waiting' WHEN kept_for IS NULL THEN state ELSE 'kept ' || kept_for END"
)
UNDER_WAY_WAITS = "CASE WHEN fence IS NULL THEN state ELSE 'waiting' END"
# Each returns rows only if something is wrong; `{now_ms}` is the time.
TURNS = {  # of both databases
    "a turn of a domain where nothing waits": """
        SELECT id FROM domain WHERE next_due_ms IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE domain = domain.id AND state = 'waiting')""",
    "queues": """
        SELECT lane, site, next_due_ms FROM queue EXCEPT
        SELECT queue.lane, queue.site, min(domain.next_due_ms) FROM queue
        LEFT JOIN domain ON domain.lane = queue.lane AND domain.site = queue.site GROUP BY 1, 2""",
}
MAIL = {
    "tallies": f"""
        SELECT domain, {COUNTED_AS} AS s, count(*), sum(octets) FROM delivery
        WHERE ended_ms IS NULL GROUP BY 1, 2
        EXCEPT SELECT domain, state, deliveries, octets FROM tally""",
    # Rows that ended long ago are deleted, their day count stays.
    "more passed on than was counted": """
        SELECT domain, count(*) AS many FROM delivery WHERE state = 'delivered' GROUP BY 1 HAVING count(*) > (
          SELECT coalesce(sum(deliveries), 0) FROM day_tally
          WHERE day_tally.domain = delivery.domain AND what = 'passed on')""",
    "tallies of nothing": f"""
        SELECT domain, state, deliveries, octets FROM tally WHERE deliveries <> 0 OR octets <> 0
        EXCEPT SELECT domain, {COUNTED_AS} AS s, count(*), sum(octets) FROM delivery
        WHERE ended_ms IS NULL GROUP BY 1, 2""",
    "octets of a message at a domain where it came in": """
        SELECT d.message, d.domain, sum(d.octets) FROM delivery AS d
        JOIN message ON message.id = d.message JOIN domain ON domain.id = d.domain
        WHERE d.ended_ms IS NULL AND domain.lane = message.lane AND message.lane = 'relay'
        GROUP BY 1, 2 HAVING sum(d.octets) <> message.size""",
    "octets on what was refused, though another waits for them": """
        SELECT d.message FROM delivery AS d WHERE d.kept_for = 'refused' AND d.octets > 0 AND EXISTS (
          SELECT 1 FROM delivery WHERE message = d.message AND domain = d.domain AND ended_ms IS NULL
          AND octets = 0 AND kept_for IS DISTINCT FROM 'refused')""",
    "a turn later than what is due": """
        SELECT domain.id FROM domain WHERE EXISTS (
          SELECT 1 FROM delivery WHERE domain = domain.id AND state = 'waiting'
          AND due_ms < coalesce(next_due_ms, 9e18) AND paused_until_ms < coalesce(next_due_ms, 9e18)
          AND coalesce(next_due_ms, 9e18) > {now_ms})""",
    **TURNS,
    "queues of sites that are down": """
        SELECT lane, site FROM queue WHERE (down = 1) <> EXISTS (
          SELECT 1 FROM site WHERE site.site = queue.site)""",
    "messages that ended": """
        SELECT id FROM message WHERE (ended_ms IS NOT NULL) <>
        NOT EXISTS (SELECT 1 FROM delivery WHERE message = id AND ended_ms IS NULL)""",
    "content": """
        SELECT id FROM message
        WHERE (ended_ms IS NULL) <> EXISTS (SELECT 1 FROM content WHERE message = id)""",
    "due before it came": "SELECT message FROM delivery WHERE due_ms < arrived_ms",
}


NEWSLETTER = {
    "tallies of domains": f"""
        SELECT domain, {UNDER_WAY_WAITS} AS s, count(*), sum(octets) FROM delivery
        WHERE ended_ms IS NULL GROUP BY 1, 2
        EXCEPT SELECT domain, state, deliveries, octets FROM tally""",
    "tallies of nothing": f"""
        SELECT domain, state, deliveries, octets FROM tally WHERE deliveries <> 0 OR octets <> 0
        EXCEPT SELECT domain, {UNDER_WAY_WAITS} AS s, count(*), sum(octets) FROM delivery
        WHERE ended_ms IS NULL GROUP BY 1, 2""",
    "days of mail to readers": "SELECT * FROM day_tally",  # for backup domains only
    "tallies of issues": """
        SELECT issue, replace(state, 'claimed', 'waiting') AS s, count(*) FROM delivery
        WHERE issue IS NOT NULL GROUP BY 1, 2 EXCEPT SELECT issue, state, deliveries FROM issue_tally""",
    "tallies of no issue": """
        SELECT issue, state, deliveries FROM issue_tally WHERE deliveries <> 0
        EXCEPT SELECT issue, replace(state, 'claimed', 'waiting') AS s, count(*) FROM delivery
        WHERE issue IS NOT NULL GROUP BY 1, 2""",
    "tallies of readers": """
        SELECT newsletter, state, count(*) FROM subscriber GROUP BY 1, 2
        EXCEPT SELECT newsletter, state, readers FROM reader_tally""",
    "tallies of no readers": """
        SELECT newsletter, state, readers FROM reader_tally WHERE readers <> 0
        EXCEPT SELECT newsletter, state, count(*) FROM subscriber GROUP BY 1, 2""",
    "a reader whose last event says something else": """
        SELECT id FROM subscriber WHERE state IS DISTINCT FROM (
          SELECT state FROM reader_event WHERE subscriber = id ORDER BY number DESC LIMIT 1)""",
    "an issue without a row for a reader": """
        SELECT id FROM issue WHERE state IN ('frozen', 'sending', 'done')
        AND planned <> (SELECT count(*) FROM delivery WHERE issue = issue.id)""",
    "rows of an issue that is open": """
        SELECT issue.id FROM issue JOIN delivery ON delivery.issue = issue.id WHERE issue.state = 'open'""",
    "rows that can be claimed of an issue that is not sent": """
        SELECT issue.id FROM issue JOIN delivery ON delivery.issue = issue.id
        WHERE issue.state IN ('open', 'freezing', 'frozen') AND delivery.state <> 'frozen'""",
    "an issue without its articles": """
        SELECT id FROM issue WHERE kind = 'digest' AND state <> 'stopped'
        AND article_count <> (SELECT count(*) FROM article WHERE issue = issue.id)""",
    "a turn later than what is due": """
        SELECT domain.id FROM domain WHERE EXISTS (
          SELECT 1 FROM delivery WHERE domain = domain.id AND state = 'waiting'
          AND due_ms < coalesce(next_due_ms, 9e18) AND coalesce(next_due_ms, 9e18) > {now_ms})""",
    **TURNS,
    "an issue whose content has ended": """
        SELECT issue.id FROM issue JOIN message ON message.id = issue.message
        WHERE has_content = 1 AND (ended_ms IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM content WHERE content.message = issue.message))""",
    "due before it came": "SELECT message FROM delivery WHERE due_ms < arrived_ms",
}

# Names of the recounts that hold for any rows that a test writes directly.
COMPUTED = frozenset(
    (
        *("tallies", "tallies of nothing", "queues", "queues of sites that are down", "messages that ended"),
        *("a turn later than what is due", "a turn of a domain where nothing waits"),
        *("tallies of domains", "tallies of issues", "tallies of readers", "tallies of no readers"),
    )
)


def found_by(recounts: Mapping[str, str], db: apsw.Connection, now_ms: int) -> dict[str, list[Row]]:
    """The recounts that return rows, with the rows."""
    found = {name: db.execute(text.replace(NOW, str(now_ms))).fetchall() for name, text in recounts.items()}
    return {name: rows for name, rows in found.items() if len(rows) > 0}


def all_in_one(database: Database, now_ms: int) -> str:
    """One query for the recounts that always hold: their names and numbers of rows."""
    recounts = MAIL if database is Database.MAIL else NEWSLETTER
    counts = (
        f"SELECT '{name}' AS recount, count(*) AS wrong FROM ({text}) AS found"
        for name, text in recounts.items()
        if name in COMPUTED
    )
    whole = " UNION ALL ".join(counts).replace(NOW, str(now_ms))
    return f"SELECT recount, wrong FROM ({whole}) AS counts WHERE wrong > 0"
