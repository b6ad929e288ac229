"""The parts of the newsletter's simulated world, each on its own."""

import pytest

from secondpost.mail.article import FeedRead, FeedUnreadable
from secondpost.newsletter.feeds import read_feed
from secondpost.protocols.dsn.notification import Action, read_report
from secondpost.world.ports import FetchError, Validators
from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.blog import ArticlePlan, FeedPlan, SimBlog, SimFetcher, Trouble
from simulation.keys import key_records, reader_keys
from simulation.people.letters import compose_report
from simulation.people.reader_mail import read_mail
from simulation.steps import CallWatch

FEED = FeedPlan("main", (ArticlePlan(-60.0, 0), ArticlePlan(100.0, 1)))


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def read(blog: SimBlog) -> FeedRead | FeedUnreadable:
    answer = blog.answer(FEED.url, None)
    return read_feed(answer.body, answer.headers["content-type"], FEED.url)


def test_the_blog_grows(timeline: Timeline) -> None:
    blog = SimBlog([FEED], timeline)
    before = read(blog)
    timeline.now = 200.0
    after = read(blog)
    assert isinstance(before, FeedRead)
    assert isinstance(after, FeedRead)
    assert [article.link for article in before.articles] == [FEED.link(0)]
    assert [article.link for article in after.articles] == [FEED.link(1), FEED.link(0)]


def test_what_has_not_changed_is_not_sent_again(timeline: Timeline) -> None:
    blog = SimBlog([FEED], timeline)
    known = Validators(FEED.url, blog.answer(FEED.url, None).headers["etag"])
    assert blog.answer(FEED.url, known).status == 304
    timeline.now = 200.0
    assert blog.answer(FEED.url, known).status == 200


@pytest.mark.parametrize("trouble", [Trouble.PAGE, Trouble.TORN])
def test_a_blog_in_trouble_says_nothing_that_is_a_feed(trouble: Trouble, timeline: Timeline) -> None:
    blog = SimBlog([FEED], timeline)
    blog.trouble = trouble
    assert isinstance(read(blog), FeedUnreadable)


def test_a_strange_blog_is_a_feed_with_nothing_in_it_that_was_known(timeline: Timeline) -> None:
    blog = SimBlog([FEED], timeline)
    known = read(blog)
    blog.trouble = Trouble.STRANGE
    strange = read(blog)
    assert isinstance(known, FeedRead)
    assert isinstance(strange, FeedRead)
    one, other = known.articles[0], strange.articles[0]
    assert one.guid != other.guid
    assert one.link != other.link
    assert one.fingerprint != other.fingerprint


def test_a_blog_that_hangs_is_given_up(timeline: Timeline) -> None:
    blog, asked = SimBlog([FEED], timeline), list[str]()
    blog.trouble = Trouble.HANGS
    fetcher = SimFetcher(blog, SimDice("fetch"), lambda: asked.append("asked"))
    with pytest.raises(FetchError):
        run(fetcher.get(FEED.url, {}, 1_000_000), timeline, timeline.loop("fetch"))
    assert asked == ["asked"]
    assert timeline.now >= 60.0


def test_a_step_is_struck_once_and_at_its_call() -> None:
    steps, struck = CallWatch(), list[str]()
    steps.after("publish", "freeze_batch", 2, lambda: struck.append("now"))
    for verb in ("freeze_batch", "freeze_done", "freeze_batch", "freeze_batch"):
        steps.took("publish", verb)
        steps.took("deliver", verb)
    assert struck == ["now"]


def test_a_step_that_is_forgotten_is_never_struck() -> None:
    steps, struck = CallWatch(), list[str]()
    steps.after("deliver", "settle", 1, lambda: struck.append("now"))
    steps.forget("deliver", "settle")
    steps.took("deliver", "settle")
    assert struck == []


def test_a_server_s_report_can_be_read() -> None:
    letter = compose_report("r1", "inbox.example", "anna@inbox.example", "b-abc@mx.ours.example")
    report = read_report(letter.content)
    assert report is not None
    assert [(each.action, each.status) for each in report.recipients] == [(Action.FAILED, "5.1.1")]


def test_a_mail_program_finds_links_over_folds_and_line_ends() -> None:
    mail = read_mail(
        b"DKIM-Signature: a\r\nDKIM-Signature: b\r\n"
        b"List-Id: The Blog\r\n <main.blog.example>\r\nMessage-ID: <1@blog.example>\r\n"
        b"List-Unsubscribe: <https://ours.example/leave/abc>,\r\n <mailto:leave-def@ours.example>\r\n\r\n"
        b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTitle\r\nhttps://blog.example/main/a=\r\n1\r\n"
        b"https://ours.example/leave/a=\r\nbc\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n"
        b"https://blog.example/main/a2\r\n--x--\r\n"
    )
    assert mail.newsletter == "main"
    assert mail.articles == ("a1",)
    assert (mail.leave_token, mail.leave_address) == ("abc", "leave-def@ours.example")
    assert mail.signatures == 2


def test_the_keys_are_the_same_whenever_they_are_made() -> None:
    digest = bytes(32)
    signed = [key.sign(digest) for key in reader_keys().signing]
    assert [octets[:4].hex() for octets in signed] == ["724f1718", "3e38d9c0"]
    assert key_records().keys() == {key.selector for key in reader_keys().signing}
