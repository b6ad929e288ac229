"""What the owner sees of a reader whose mail came back, and how the reader returns."""

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Subscriber
from secondpost.maillog import MailLog
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.store.subscriber_ports import Bounce, SignedUp
from secondpost.subscribers.weighing import BounceWeighing
from tests.alarms import unlogged_alarms
from tests.cli.newspaper import CONFIRMED, Newspaper, listed

ADA = "ada@reader.example"
SAID = "550 5.1.1 <ada@reader.example>: user unknown"


async def ada_in(open_: OpenNewsletter) -> Subscriber:
    found = await open_.store.find("weekly", Mailbox.parse(ADA))
    assert found is not None
    return found


def came_back(paper: Newspaper, evidence: int, kind: BounceKind, text: str, hours_ago: int) -> None:
    """The mail of issue 1 to Ada came back then; what is old enough is weighed."""

    async def work(open_: OpenNewsletter) -> None:
        [issue] = await open_.store.issues("weekly", None, 1)
        reader, now_ms = await ada_in(open_), open_.clock.now_ms()
        bounce = Bounce(
            reader.id, issue.id, QueueId(evidence), kind, text[4:9], text, now_ms - hours_ago * HOUR_MS
        )
        assert await open_.store.record_bounce(bounce)
        await BounceWeighing(open_.store, open_.clock, MailLog(lambda line: None), unlogged_alarms()).look()

    paper.inside(work)


def test_show_tells_why_a_reader_is_suspended_and_how_they_come_back(paper: Newspaper) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    paper.writes(1, 2)
    paper.run("issue", "send")
    assert "came of it" not in paper.run("subscribers", "show", ADA).stdout
    came_back(paper, 1, BounceKind.SENDER, "550 5.7.1 listed at a block list", 3)
    came_back(paper, 2, BounceKind.DEAD, SAID, 2)
    shown = paper.run("subscribers", "show", ADA).stdout
    assert f"{ADA} has been suspended since" in shown
    assert "suspended: issue 1: there is no such mailbox" in shown
    assert "back if   they sign up again, and confirm; or you confirm them" in shown
    dead, ours = (line for line in shown.splitlines() if line.endswith((SAID, "block list")))
    assert "suspended the reader" in dead
    assert "not the reader's fault" in ours
    bounces = listed(paper.json_of("subscribers", "show", ADA), "bounces")
    assert [(one["issue"], one["text"], one["came_of"]) for one in bounces] == [
        (1, SAID, "suspended"), (1, "550 5.7.1 listed at a block list", "counted"),
    ]  # fmt: skip


def test_a_suspended_reader_signs_up_again_and_gets_the_next_issue(paper: Newspaper) -> None:
    paper.run("subscribers", "add", ADA, *CONFIRMED)
    paper.writes(1, 2)
    paper.run("issue", "send")
    came_back(paper, 2, BounceKind.DEAD, SAID, 2)

    async def sign_up(open_: OpenNewsletter) -> None:
        asked = await open_.sign_ups.ask("weekly", Mailbox.parse(ADA), "/weekly/", "You get it.", "192.0.2.1")
        assert asked is SignedUp.CONFIRM

    paper.inside(sign_up)
    assert paper.json_of("subscribers", "show", ADA)["state"] == "pending"
    paper.run("subscribers", "confirm", ADA, *CONFIRMED)
    shown = paper.run("subscribers", "show", ADA).stdout
    assert f"{ADA} has been active since" in shown
    assert "back if" not in shown
    assert SAID in shown


def test_bounces_are_suspended_or_forgiven_and_not_both(paper: Newspaper) -> None:
    for both in (("--suspend", "--forgive"), ("--forgive", "--suspend")):
        refused = paper.run("subscribers", "bounces", *both, code=2)
        assert "Use only one of --suspend and --forgive" in refused.stderr
