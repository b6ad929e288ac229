"""The recipients for which mail is accepted."""

from dataclasses import replace

import pytest

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    LearnedRecipients,
    Newsletter,
    RecipientFile,
    RecipientSource,
    Unknown,
    Web,
)
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.questions import Knowledge, KnownRecipient, PolicyAnswer, PolicyQuestion
from secondpost.mail.verdict import ACCEPT, Accept, Defer, Destination, Reject, Verdict
from secondpost.policy.domains import OwnDomains, Recipients, recipients_of, takers_of_own_mail
from secondpost.policy.rate import PrefixRate
from secondpost.policy.recipient import CANNOT_CHECK, NO_SUCH_USER, judge_recipient
from secondpost.policy.room import judge_quota, judge_size
from secondpost.policy.unverified import judge_share
from tests.stations.known import BOUNCES, OWN, at_rcpt, judged

DOMAIN = Domain("example.net")
ANNA = Mailbox.parse("Anna@example.net")

World = dict[PolicyQuestion, PolicyAnswer]


def judge_in(
    world: World, mailbox: Mailbox, domains: dict[Domain, Recipients], own: OwnDomains = OWN
) -> Verdict:
    return judged(world, judge_recipient(at_rcpt(mailbox, domains.get(mailbox.domain), own)))


def judge(
    mailbox: Mailbox,
    *sources: RecipientSource,
    unknown: Unknown = Unknown.DEFER,
    knowledge: Knowledge | None = None,
    lists: dict[str, frozenset[str]] | None = None,
) -> Verdict:
    backup = Backup(DOMAIN, recipients=sources, unknown=unknown)
    domains = {DOMAIN: recipients_of(backup, {} if lists is None else lists)}
    world: World = {}
    if knowledge is not None:
        world[KnownRecipient(mailbox)] = knowledge
    return judge_in(world, mailbox, domains)


def test_every_other_destination_is_refused() -> None:
    verdict = judge(Mailbox.parse("anna@elsewhere.example"), AnyRecipient())
    assert isinstance(verdict, Reject)
    assert verdict.reply.code == 550


@pytest.mark.parametrize("domain", ["sub.example.net", "example.net.evil.example", "xexample.net"])
def test_a_domain_that_only_resembles_ours_is_another_one(domain: str) -> None:
    assert isinstance(judge(Mailbox.parse(f"anna@{domain}"), AnyRecipient()), Reject)


@pytest.mark.parametrize(
    "local", ["user%other.example", "other.example!user", '"user@other.example"', r'"user\@other.example"']
)
def test_a_mailbox_that_leads_elsewhere_is_taken_only_where_the_owner_lists_it(local: str) -> None:
    mailbox = Mailbox(local, DOMAIN)
    for sources in ((AnyRecipient(),), (LearnedRecipients(),)):
        verdict = judge(mailbox, *sources, knowledge=Knowledge.KNOWN)
        assert isinstance(verdict, Reject)
        assert verdict.reason == "not-ours"
    assert judge(mailbox, mailbox) == ACCEPT


def test_any_means_the_whole_domain() -> None:
    assert judge(ANNA, AnyRecipient()) == ACCEPT


def test_a_listed_recipient_is_known_in_any_spelling() -> None:
    assert judge(ANNA, Mailbox.parse("anna@example.net")) == ACCEPT
    assert judge(Mailbox.parse('"anna"@EXAMPLE.NET'), Mailbox.parse("anna@example.net")) == ACCEPT


def test_a_recipient_that_no_list_has_does_not_exist() -> None:
    verdict = judge(ANNA, Mailbox.parse("bert@example.net"))
    assert isinstance(verdict, Reject)
    assert verdict.reply.status == "5.1.1"


def test_a_recipients_file_counts_as_it_stands() -> None:
    source = RecipientFile("/etc/secondpost/recipients")
    lists = {source.path: frozenset({"anna@example.net"})}
    assert judge(ANNA, source, lists=lists) == ACCEPT
    assert isinstance(judge(Mailbox.parse("bert@example.net"), source, lists=lists), Reject)


def test_every_domain_has_a_postmaster() -> None:
    assert judge(Mailbox.parse("PostMaster@example.net"), Mailbox.parse("bert@example.net")) == ACCEPT


@pytest.mark.parametrize(
    ("knowledge", "unknown", "kind"),
    [
        (Knowledge.KNOWN, Unknown.DEFER, Accept),
        (Knowledge.UNKNOWN, Unknown.DEFER, Reject),
        (Knowledge.UNREACHABLE, Unknown.DEFER, Defer),
        (Knowledge.UNREACHABLE, Unknown.HOLD, Accept),
        (Knowledge.UNREACHABLE, Unknown.REJECT, Reject),
    ],
)
def test_what_is_learned_decides(knowledge: Knowledge, unknown: Unknown, kind: type) -> None:
    verdict = judge(ANNA, LearnedRecipients(), unknown=unknown, knowledge=knowledge)
    assert isinstance(verdict, kind)


def test_mail_for_an_address_of_which_nothing_is_known_is_held_unless_the_owner_says_otherwise() -> None:
    backup = Backup(DOMAIN)
    domains = {DOMAIN: recipients_of(backup, {})}
    world: World = {KnownRecipient(ANNA): Knowledge.UNREACHABLE}
    assert judge_in(world, ANNA, domains) == Accept(Destination.UNVERIFIED)


def test_a_listed_domain_refuses_what_is_not_listed_whatever_unknown_says() -> None:
    verdict = judge(ANNA, Mailbox.parse("bert@example.net"), unknown=Unknown.HOLD)
    assert verdict == NO_SUCH_USER


TAGGED = Mailbox.parse("anna+news@example.net")


def test_a_detail_behind_a_delimiter_does_not_make_another_mailbox_of_a_list() -> None:
    listed = Mailbox.parse("anna@example.net")
    assert judge(TAGGED, listed) == Accept(Destination.UNVERIFIED), "a primary may know no tags"
    assert judge(Mailbox.parse('"anna+a b"@example.net'), listed) == Accept(Destination.UNVERIFIED)
    assert judge(TAGGED, listed, TAGGED) == ACCEPT
    for local in ("ann+a", "+anna", "anna-news"):
        assert judge(Mailbox(local, DOMAIN), listed) == NO_SUCH_USER
    for delimiters, verdict in (
        ("", NO_SUCH_USER),
        ("-", NO_SUCH_USER),
        ("-+", Accept(Destination.UNVERIFIED)),
    ):
        backup = Backup(DOMAIN, recipients=(listed,), delimiters=delimiters)
        domains = {DOMAIN: recipients_of(backup, {})}
        assert judge_in({}, TAGGED, domains) == verdict


@pytest.mark.parametrize(
    "local", ["postmaster+x%victim.example", '"postmaster+@victim.example"', "postmaster+!victim.example"]
)
def test_a_detail_is_no_way_round_the_guard_against_relaying(local: str) -> None:
    for sources in ((AnyRecipient(),), (LearnedRecipients(),), (ANNA,)):
        assert isinstance(judge(Mailbox(local, DOMAIN), *sources, knowledge=Knowledge.KNOWN), Reject)


@pytest.mark.parametrize(
    ("plain", "tagged", "verdict"),
    [
        (Knowledge.KNOWN, Knowledge.KNOWN, ACCEPT),
        (Knowledge.KNOWN, Knowledge.UNREACHABLE, Accept(Destination.UNVERIFIED)),
        (Knowledge.KNOWN, Knowledge.UNKNOWN, NO_SUCH_USER),
        (Knowledge.UNKNOWN, Knowledge.KNOWN, ACCEPT),  # a mailbox of exactly that name
        (Knowledge.UNKNOWN, Knowledge.UNKNOWN, NO_SUCH_USER),
        (Knowledge.UNKNOWN, Knowledge.UNREACHABLE, Accept(Destination.UNVERIFIED)),
        (Knowledge.UNREACHABLE, Knowledge.KNOWN, ACCEPT),
        (Knowledge.UNREACHABLE, Knowledge.UNKNOWN, NO_SUCH_USER),
    ],
)
def test_what_is_learned_of_a_mailbox_holds_for_its_details(
    plain: Knowledge, tagged: Knowledge, verdict: Verdict
) -> None:
    domains = {DOMAIN: recipients_of(Backup(DOMAIN), {})}
    world: World = {
        KnownRecipient(Mailbox("anna", DOMAIN)): plain,
        # Details can be invented without end: the primary is not asked about those of a known
        # mailbox.
        KnownRecipient(TAGGED, learned_only=plain is Knowledge.KNOWN): tagged,
    }
    assert judge_in(world, TAGGED, domains) == verdict


def test_who_wants_strangers_rejected_has_them_put_off_while_too_much_is_asked_of_the_primary() -> None:
    for unknown, kind in ((Unknown.REJECT, Defer), (Unknown.DEFER, Defer), (Unknown.HOLD, Accept)):
        verdict = judge(ANNA, LearnedRecipients(), unknown=unknown, knowledge=Knowledge.UNASKED)
        assert isinstance(verdict, kind)


def test_addresses_of_which_nothing_is_known_have_a_quarter_of_the_room() -> None:
    assert judge_share(room=4_000, size=400, stored=600) == ACCEPT
    verdict = judge_share(room=4_000, size=401, stored=600)
    assert isinstance(verdict, Defer)
    assert (verdict.reply.code, verdict.reply.status) == (452, "4.2.2")
    assert isinstance(judge_share(room=0, size=1, stored=0), Defer)


def test_one_network_has_so_many_in_a_span_and_another_has_its_own() -> None:
    rate = PrefixRate(times_max=2, span_ms=1_000)
    assert [rate.allows("192.0.2.0/24", at) for at in (0, 1, 2, 999)] == [True, True, False, False]
    assert rate.allows("198.51.100.0/24", 999)
    assert rate.allows("192.0.2.0/24", 1_000)


def test_our_own_postmaster_is_the_owner() -> None:
    for text in ("postmaster@mx2.example.net", "Abuse@mx2.example.net"):
        assert judge(Mailbox.parse(text), AnyRecipient()) == Accept(Destination.OWNER)
    assert isinstance(judge(Mailbox.parse("anna@mx2.example.net"), AnyRecipient()), Reject)


def test_without_a_newsletter_mail_for_our_own_postmaster_is_for_the_owner_alone() -> None:
    owner = (Mailbox.parse("me@elsewhere.example"),)
    config = Config("x.toml", BOUNCES, "store", owner, BOUNCES, Web(url=None))
    assert takers_of_own_mail(config) == owner
    weekly = Newsletter("weekly", "newsletter@example.net", ("https://www.example.net/feed",))
    with_readers = replace(config, newsletters=(weekly,))
    assert takers_of_own_mail(with_readers) == (*owner, Mailbox("abuse", BOUNCES))


def test_the_reserve_of_the_disk_is_kept_free() -> None:
    assert judge_size(1000, free=1001) == ACCEPT
    for size, free in ((1000, 1000), (0, 0), (0, -5)):
        verdict = judge_size(size, free)
        assert isinstance(verdict, Defer)
        assert (verdict.reply.code, verdict.reply.status) == (452, "4.3.1")


def test_a_domain_has_a_largest_message_and_a_quota() -> None:
    backup = Backup(DOMAIN, quota=10_000, max_size=5_000)
    assert judge_quota(backup, 5_000, stored=5_000) == ACCEPT
    assert isinstance(judge_quota(backup, 5_001, stored=0), Reject)
    assert isinstance(judge_quota(backup, 5_000, stored=5_001), Defer)


def test_an_address_that_we_signed_is_taken_for_ourselves() -> None:
    for local in ("b-abc234", "leave-abc234", "Confirm-ABC234"):
        mailbox = Mailbox(local, BOUNCES)
        assert judge(mailbox, AnyRecipient(), knowledge=Knowledge.KNOWN) == Accept(Destination.INSIDE)
        assert judge(mailbox, AnyRecipient(), knowledge=Knowledge.UNKNOWN) == NO_SUCH_USER
        assert judge(mailbox, AnyRecipient(), knowledge=Knowledge.UNREACHABLE) == CANNOT_CHECK


def test_who_wants_to_join_must_name_a_newsletter_that_there_is() -> None:
    assert judge(Mailbox("join-weekly", BOUNCES), AnyRecipient()) == Accept(Destination.INSIDE)
    daily = Mailbox("join-daily", BOUNCES)
    assert judge(daily, AnyRecipient(), knowledge=Knowledge.UNKNOWN) == NO_SUCH_USER
    assert judge(daily, AnyRecipient(), knowledge=Knowledge.KNOWN) == Accept(Destination.INSIDE), (
        "one had that name"
    )
    assert judge(daily, AnyRecipient(), knowledge=Knowledge.UNREACHABLE) == CANNOT_CHECK


def test_signed_addresses_are_at_bounces_alone_and_only_with_a_newsletter() -> None:
    assert judge(Mailbox("leave-abc234", Domain("mail.example.net")), AnyRecipient()) == NO_SUCH_USER
    without = OwnDomains(frozenset({BOUNCES}), BOUNCES, frozenset())
    for local in ("leave-abc234", "join-weekly"):
        assert judge_in({}, Mailbox(local, BOUNCES), {}, without) == NO_SUCH_USER
