"""Lists of readers as written by people and programs."""

import contextlib
import io
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import Domain
from secondpost.mail.subscriber_states import Reason
from secondpost.subscribers.cells import plain_cell, safe_cell
from secondpost.subscribers.list_document import LINE_CHARACTERS_MAX
from secondpost.subscribers.list_moments import moment_ms
from secondpost.subscribers.list_rows import Agreed, BadRow, NoList, ReaderRow, RowVerdict
from secondpost.subscribers.list_verdicts import state_words
from secondpost.subscribers.meanings import Moment, Plain, ReaderStanding
from tests.subscribers.listed import owners_word, rows, rows_of, understood

JAN_5_MS = 1_704_448_800_000  # 2024-01-05 10:00:00 UTC


def read(list_: str | bytes) -> list[ReaderRow]:
    return [row for row in rows(list_) if isinstance(row, ReaderRow)]


def addresses(list_: str | bytes) -> list[str]:
    return [str(row.mailbox) for row in read(list_)]


def verdicts(list_: str | bytes) -> list[tuple[str, str]]:
    return [(str(row.mailbox), row.verdict.name.lower()) for row in read(list_)]


@pytest.mark.parametrize(
    "text",
    [
        "a@example.org\nb@example.org\n",
        "email\na@example.org\nb@example.org\n",
        "Email Address,First Name\na@example.org,Ann\nb@example.org,Bob\n",
        "name;E-Mail\nAnn;a@example.org\nBob;b@example.org\n",
        "id\temail\n1\ta@example.org\n2\tb@example.org\n",
        "name|email\nAnn|a@example.org\nBob|b@example.org\n",
        "\ufeffemail\r\na@example.org\r\n\r\nb@example.org\r\n",
        "\n\nemail\n<a@example.org>\n b@example.org \n",
        '"email"\n"a@example.org"\n"b@example.org"',
        "Ann,a@example.org\nBob,b@example.org\n",
        "Ann Lee <a@example.org>\nBob <b@example.org>\n",
        '"Lee, Ann" <a@example.org>\nLee, Bob <b@example.org>\n',
        "name,email\nAnn,Ann Lee <a@example.org>\nBob,<b@example.org>\n",
        "Members of the group news\nEmail address,Nickname\na@example.org,Ann\nb@example.org,Bob\n",
        "sep=;\nemail;name\na@example.org;Ann\nb@example.org;Bob\n",
        "Adres;Imie\na@example.org;Ann\nb@example.org;Bob\n",
        "members of news:\n  * a at example.org\n  * b at example.org\n",
        "a@example.org (Ann, the first)\nb@example.org (Bob)\n",
        '[{"email": "a@example.org"}, {"email": "b@example.org", "age": 3}]',
        '{"total": 2, "tags": [], "subscribers": [{"email": "a@example.org"}, {"email": "b@example.org"}]}',
        '{"data": {"results": [{"email": "a@example.org"}, {"email": "b@example.org"}], "page": 1}}',
        '{"email": "a@example.org", "tags": [{"name": "x"}]}\n{"email": "b@example.org"}\n',
    ],
)
def test_every_common_form_is_read(text: str) -> None:
    assert addresses(text) == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize(
    "octets",
    [
        "email,name\na@example.org,Jürgen\n".encode(),
        "\ufeffemail,name\na@example.org,Jürgen\n".encode(),
        "email,name\na@example.org,Jürgen\n".encode("utf-16"),
        "email,name\na@example.org,Jürgen\n".encode("utf-16-le"),
        "email,name\na@example.org,Jürgen\n".encode("utf-16-be"),
        "email,name\na@example.org,Jürgen\n".encode("cp1252"),
        ("email,name\na@example.org,Jürgen\n" + "b@example.org,Bob\n" * 40_000).encode("utf-16"),
    ],
)
def test_every_common_encoding_is_read(octets: bytes) -> None:
    first = read(octets)[0]
    assert (str(first.mailbox), first.attributes) == ("a@example.org", (("name", "Jürgen"),))


def test_an_encoding_is_decided_by_all_of_the_list() -> None:
    late = b"email,name\n" + b"a@example.org,Ann\n" * 40_000 + b"b@example.org,J\xfcrgen\n"
    assert read(late)[-1].attributes == (("name", "Jürgen"),)
    assert understood(late).lines == 40_001


@pytest.mark.parametrize(
    "octets",
    [
        "email,name\na@example.org,Jürgen\n".encode() + b"b@example.org,J\xfcrgen\n",
        b"\xef\xbb\xbfemail,name\nb@example.org,J\xfcrgen\xfc\n" + "c@example.org,ü\n".encode(),
        b"email,name\na@example.org,\x81\x8d\n",
        "email\na@example.org\n".encode("utf-16") + b"\0",
        b"\xff\xfe\x00\xd8" + "email\na@example.org\n".encode("utf-16-le"),
    ],
)
def test_a_list_that_is_not_written_in_one_way_is_refused(octets: bytes) -> None:
    with pytest.raises(NoList, match="save it as UTF-8"):
        rows(octets)


def test_a_cell_may_have_several_lines() -> None:
    text = 'email,note\na@example.org,"met\nat the fair"\nb@example.org,\n'
    assert [(row.line, str(row.mailbox)) for row in read(text)] == [
        (2, "a@example.org"),
        (4, "b@example.org"),
    ]


def test_a_quotation_mark_behind_a_backslash_tears_no_line() -> None:
    text = 'email,note,city\na@example.org,"says \\"hello\\", and more",Oslo\nb@example.org,x,Rome\n'
    assert [row.attributes for row in read(text)] == [
        (("note", 'says "hello", and more'), ("city", "Oslo")),
        (("note", "x"), ("city", "Rome")),
    ]
    path = 'email,note\na@example.org,"C:\\dir\\"\n'
    assert read(path)[0].attributes == (("note", "C:\\dir\\"),)


def test_whose_delivery_is_disabled_stands_in_parentheses() -> None:
    assert verdicts("  * a at example.org\n  * (b at example.org)\n(c@example.org)\n") == [
        ("a@example.org", "active"),
        ("b@example.org", "left"),
        ("c@example.org", "left"),
    ]
    assert understood("a@example.org\n(c@example.org)\n").becomes == {"active": 1, "left": 1}


def test_a_word_behind_an_address_is_a_column_without_a_name() -> None:
    report = understood("a@example.org (Ann)\nb@example.org (disabled)\n")
    assert report.stops
    [doubted] = [column for column in report.parts[0].reports if len(column.doubts) > 0]
    assert (doubted.name, doubted.doubts[0].word) == ("column 2", "disabled")
    word = owners_word(words={"disabled": RowVerdict.LEFT})
    assert not understood("a@example.org (Ann)\nb@example.org (disabled)\n", word).stops
    told = [
        row
        for row in rows("a@example.org (Ann)\nb@example.org (disabled)\n", word)
        if isinstance(row, ReaderRow)
    ]
    assert [row.verdict for row in told] == [RowVerdict.ACTIVE, RowVerdict.LEFT]


def test_all_lists_of_a_zip_of_mailchimp_are_read_and_no_other_zip() -> None:
    head = "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,LEID,EUID"
    subscribed = f"{head}\na@example.org,Ann,2,2024-01-05 10:00:00,1,e\n"
    left = f"{head},UNSUB_TIME\nb@example.org,Bob,2,2024-01-05 10:00:00,2,f,2024-01-05 10:00:00\n"
    cleaned = f"{head},CLEAN_TIME\nc@example.org,Cid,2,2024-01-05 10:00:00,3,g,2024-01-05 10:00:00\n"
    bought = subscribed.replace("a@", "d@")
    files = {"x/subscribed.csv": subscribed, "x/cleaned.csv": cleaned, "x/unsubscribed.csv": left}
    assert verdicts(zipped(files | {"x/nonsubscribed_email_audience_export_0f.csv": bought})) == [
        ("a@example.org", "active"),
        ("c@example.org", "suppressed"),
        ("b@example.org", "left"),
        ("d@example.org", "left"),
    ]
    cut_down = {"x/left.csv": "Email Address\nb@example.org\n"}
    with pytest.raises(NoList, match=r"a ZIP with several lists: x/subscribed.*, x/left\.csv\. Unpack"):
        rows(zipped(files | cut_down))
    with pytest.raises(NoList, match=r"cleaned\.csv in the ZIP cannot be read: .*UTF-8"):
        rows(zipped({"subscribed.csv": subscribed, "cleaned.csv": b"\xef\xbb\xbf\xfc\n" + cleaned.encode()}))


def test_an_audience_of_mailchimp_is_one_in_any_language() -> None:
    head = "E-Mail-Adresse,Vorname,MEMBER_RATING,OPTIN_TIME,LEID,EUID,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE"
    report = understood(f"{head}\nb@example.org,Bob,2,2024-01-05 10:00:00,2,f,2024-01-05 10:00:00,May\n")
    assert (report.parts[0].service, report.becomes, report.stops) == ("Mailchimp", {"left": 1}, False)


def test_who_is_on_no_list_of_listmonk_gets_no_mail() -> None:
    person = '{"email": "%s@example.org", "uuid": "u", "status": "enabled", "lists": %s}'
    of_the_list = person % ("a", '[{"id": 1, "subscription_status": "confirmed"}]')
    of_none = person % ("b", "[]")
    report = f'{{"data": {{"results": [{of_the_list}, {of_none}]}}}}'
    assert verdicts(report) == [("a@example.org", "active"), ("b@example.org", "left")]


def test_who_is_on_no_list_of_mailpoet_gets_no_mail() -> None:
    head = "Email,List status,Global status,List\n"
    text = f"{head}a@example.org,subscribed,subscribed,News\nb@example.org,,subscribed,Not In Segment\n"
    assert verdicts(text) == [("a@example.org", "active"), ("b@example.org", "left")]


OPENS = "post_id,timestamp,email,post_type\n1,2024-01-05T10:00:00Z,b@example.org,newsletter\n"
EMAIL_LIST = "email,active_subscription,expiry,email_disabled,created_at\na@example.org,false,,false,\n"


def test_the_one_list_in_a_zip_is_read_and_others_are_named() -> None:
    of_substack = {
        "email_list.blog.csv": EMAIL_LIST,
        "posts.csv": "post_id,post_date,is_published\n1,2024-01-05,true\n",
        "posts/1.opens.csv": OPENS,
        "posts/1.delivers.csv": OPENS,
        "posts/1.first.html": "<p>First</p>",
    }
    assert addresses(zipped(of_substack)) == ["a@example.org"]
    with pytest.raises(NoList, match=r"a ZIP with several lists: email_list\.blog\.csv, b\.csv\. Unpack it"):
        rows(zipped({**of_substack, "b.csv": "email\nb@example.org\n"}))
    with pytest.raises(NoList, match=r"a ZIP, and none of its files .* list of readers: posts/1\.opens\.csv"):
        rows(zipped({"posts/1.opens.csv": OPENS}))


def test_a_workbook_is_to_be_saved_as_csv() -> None:
    excel = zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"})
    for workbook in (excel, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)):
        with pytest.raises(NoList, match=r"an Excel workbook: save it as CSV \(UTF-8\)"):
            rows(workbook)
    with pytest.raises(NoList, match="LibreOffice document: save it as CSV"):
        rows(zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": ""}))


def test_a_record_of_opens_or_deliveries_is_no_list_of_readers() -> None:
    more = OPENS.replace("post_type", "post_type,active_subscription").replace(
        "newsletter", "newsletter,true"
    )
    for text in (OPENS, more):
        for word in (owners_word(), owners_word(whole=ReaderStanding.ACTIVE)):
            with pytest.raises(NoList, match=r"Substack's record .* import the file email_list"):
                rows(text, word)


@pytest.mark.parametrize("head", ["email,opened_at", "Email Address,Clicks", "event,email", "Campaign,email"])
def test_a_list_with_columns_of_events_and_no_state_waits_for_the_owners_word(head: str) -> None:
    cells = ",".join("a@example.org" if "mail" in name else "3" for name in head.split(","))
    text = f"{head}\n{cells}\n"
    with pytest.raises(NoList, match=r"a record of mails .* --as active"):
        rows(text)
    assert len(rows(text, owners_word(whole=ReaderStanding.ACTIVE))) == 1
    assert verdicts(f"{head},status\n{cells},unsubscribed\n") == [("a@example.org", "left")]


def test_the_answers_of_a_sign_up_form_are_a_list() -> None:
    assert addresses("Timestamp,Email Address\n2024-01-05 10:00:00,a@example.org\n") == ["a@example.org"]


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return octets.getvalue()


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("Subscribed", "active"),
        ("", "active"),
        ("opted-out", "left"),
        ("Opted Out", "left"),
        ("hard_bounced", "suppressed"),
        ("pending", "pending"),
        ("Abgemeldet", "unclear"),
        ("Lapsed", "unclear"),
        ("0", "unclear"),
    ],
)
def test_a_status_is_a_word_that_is_known_or_unclear(state: str, verdict: str) -> None:
    assert verdicts(f"email,status\na@example.org,{state}\n") == [("a@example.org", verdict)]


@pytest.mark.parametrize(
    ("column", "value", "verdict"),
    [
        ("unsubscribed", "", "active"),
        ("unsubscribed", "no", "active"),
        ("unsubscribed", "2024-01-05", "left"),
        ("unsubscribed", "x", "unclear"),
        ("bounced", "3", "suppressed"),
        ("bounced", "0", "active"),
        ("bounced", "hardly", "unclear"),
        ("Opted Out", "yes", "left"),
        ("Accepts Email Marketing", "no", "left"),
        ("Accepts Email Marketing", "yes", "active"),
        ("Accepts Marketing", "false", "left"),
        ("Email Marketing Consent", "NEVER_SUBSCRIBED", "left"),
        ("Email Marketing Consent", "SUBSCRIBED", "active"),
        ("Email subscriber status 1", "never_subscribed", "left"),
        ("E-Mail-Marketing", "Bereinigt", "unclear"),
        ("SMS Marketing Consent", "NEVER_SUBSCRIBED", "active"),
        ("active", "false", "left"),
        ("Opt-in", "no", "left"),
        ("marketing_opt_in", "0", "left"),
        ("Opt-in", "2024-01-05", "active"),
        ("Subscribed", "2024-01-05 10:00:00", "active"),
        ("Subscribed", "3", "unclear"),
        ("subscribed", "yes", "active"),
        ("subscribed", "active", "active"),
        ("subscribed", "no", "left"),
        ("subscribed", "unsubscribed", "left"),
        ("subscribed", "never", "unclear"),
        ("unsubscribed_at", "2024-01-05", "left"),
        ("unsubscribed_at", "0000-00-00 00:00:00", "active"),
        ("unsubscribed_at", "NULL", "active"),
    ],
)
def test_a_column_of_yes_and_no_that_says_neither_is_unclear(column: str, value: str, verdict: str) -> None:
    assert verdicts(f"email,{column}\na@example.org,{value}\n") == [("a@example.org", verdict)]


def test_of_all_that_a_line_says_the_strongest_holds() -> None:
    head = "email,status,bounced,unsubscribed_at\n"
    text = f"{head}a@example.org,active,yes,\nb@example.org,Lapsed,no,2024-01-05\n"
    assert verdicts(text) == [("a@example.org", "suppressed"), ("b@example.org", "left")]


def test_why_a_reader_is_suppressed_follows_from_the_word() -> None:
    text = "email,status\na@example.org,bounced\nb@example.org,marked as spam\nc@example.org,blocked\n"
    assert [(row.reason, row.said) for row in read(text)] == [
        (Reason.BOUNCED, "status: bounced"),
        (Reason.COMPLAINED, "status: marked as spam"),
        (Reason.IMPORTED, "status: blocked"),
    ]


def test_dates_and_consent_of_the_list_are_kept_and_of_an_address_the_network_alone() -> None:
    text = (
        "email,created at,confirmed at,ip,unsubscribed_at\n"
        "a@example.org,2024-01-05 10:00:00,1704448800,192.0.2.77,\n"
        "b@example.org,05.01.2024 10:00,,2001:db8:1:2::3,2024-01-05T10:00:00Z\n"
        'c@example.org,"Jan 5, 2024 10:00 AM",1/5/2024,,\n'
    )
    first, second, third = read(text)
    assert (first.created_ms, first.agreed) == (JAN_5_MS, Agreed(JAN_5_MS, "", "192.0.2.0/24"))
    assert (second.created_ms, second.left_ms) == (JAN_5_MS, JAN_5_MS)
    assert second.agreed == Agreed(None, "", "2001:db8:1::/48")
    assert (third.created_ms, third.agreed) == (JAN_5_MS, None)
    assert all("192.0.2.77" not in str(row) for row in (first, second))


def test_a_moment_is_never_guessed() -> None:
    assert moment_ms("01/05/2024") is None
    assert moment_ms("yesterday") is None
    assert moment_ms("12") is None
    assert moment_ms("2024-01-05 10:00:00 UTC") == moment_ms("2024-01-05 12:00:00 +02:00") == JAN_5_MS


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tags", "vip, unsubscribed"),
        ("Remark", "Hard-bounced"),
        ("Remark", "unsubscribed by letter in May, says Ann"),
        ("labels", '["news", "do not mail"]'),
        ("Date of unsubscription by post", "2024-01-05"),
        ("Zustand", "abgemeldet"),
        ("contact result", "deleted"),
        ("Zustand", "gekündigt"),
        ("Statut", "desabonne"),
        ("Statut", "de\u0301sabonne\u0301"),
        ("Estado", "Baja"),
        ("Estado", "Rebotado"),
        ("note", "un\u200bsubscribed"),
        ("note", "ｕｎｓｕｂｓｃｒｉｂｅｄ"),
        ("Abmeldedatum", "2024-01-05"),
        ("Newsletter", "Nein"),
        ("Статус", "Отписался"),
        ("Werbung per E-Mail", "Nicht abonniert"),
        ("Werbung per E-Mail", "Bereinigt"),
        ("Marketing par e-mail", "Non abonné"),
        ("Marketing par e-mail", "Nettoyé"),
        ("Marketing por correo electrónico", "Anuló la suscripción"),
        ("Marketing por e-mail", "Descadastrado"),
        ("Stato", "Iscrizione annullata"),
        ("Anmeldestatus", "Widerrufen"),
        ("Anmeldestatus", "Unzustellbar"),
        ("Deaktiviert", "03.02.2022"),
        ("¿Está este suscriptor en la lista negra?", "1"),
        ("Cet abonné est-il sur liste noire", "1"),
        ("Email Marketing: Status", "not_subscribed"),
        ("Email subscriptions", "NEVER_SUBSCRIBED"),
        ("Opt-in status", "Not opted in"),
        ("Marketing contact status", "Non-marketing contact"),
        ("IsExcludedFromCampaigns", "true"),
    ],
)
def test_a_word_in_doubt_in_a_column_that_is_not_understood_stops_the_import(column: str, value: str) -> None:
    quoted = value.replace('"', '""')
    text = f'email,{column}\na@example.org,"{quoted}"\nb@example.org,\n'
    assert understood(text).stops
    assert not understood(text, owners_word({column: Plain.KEPT})).stops
    told = owners_word({column: state_words()})
    assert not understood(text, told).stops


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("notes", "He said that his wife unsubscribed her brother in 2019."),
        ("company", "Leftover Foods"),
        ("interest", "blockchain"),
        ("city", "Spamford"),
        ("unsubscribe_url", "https://example.org/u/1"),
        ("bounce count", "0"),
        ("Opt-in", "yes"),
        ("Newsletter", "weekly"),
        ("vip", "no"),
        ("id", "3b1c9c1e-8f6b-4f2e-9f0b-aaaaaaaaaaaa"),
    ],
)
def test_nothing_is_guessed_from_free_text(column: str, value: str) -> None:
    assert not understood(f"email,{column}\na@example.org,{value}\n").stops


def test_the_owner_says_what_a_word_and_a_column_mean() -> None:
    text = "mail of,standing,ended\na@example.org,Lapsed,\nb@example.org,Live,\nc@example.org,Live,1.2.2024\n"
    word = owners_word(
        {"mail of": Plain.ADDRESS, "standing": state_words(), "ended": Moment(ReaderStanding.LEFT)},
        {"lapsed": RowVerdict.LEFT, "live": RowVerdict.ACTIVE},
    )
    told = [(str(row.mailbox), row.verdict) for row in rows(text, word) if isinstance(row, ReaderRow)]
    assert told == [
        ("a@example.org", RowVerdict.LEFT),
        ("b@example.org", RowVerdict.ACTIVE),
        ("c@example.org", RowVerdict.LEFT),
    ]
    with pytest.raises(NoList, match="it has no column"):
        understood(text, owners_word({"standnig": state_words(), "mail of": Plain.ADDRESS}))


def test_what_all_of_a_list_are_gives_way_to_what_a_line_says() -> None:
    text = "email,status\na@example.org,\nb@example.org,bounced\n"
    word = owners_word(whole=ReaderStanding.LEFT)
    assert [row.verdict for row in rows(text, word) if isinstance(row, ReaderRow)] == [
        RowVerdict.LEFT,
        RowVerdict.SUPPRESSED,
    ]


def test_the_report_counts_each_word_and_what_becomes_of_whom() -> None:
    text = "email,status,city\n" + "".join(
        f"{name}@example.org,{state},Oslo\n"
        for name, state in (("a", "subscribed"), ("b", "subscribed"), ("c", "Lapsed"), ("d", "cleaned"))
    )
    report = understood(text + "nonsense,subscribed,Oslo\n")
    [part] = report.parts
    assert [(column.name, column.what) for column in part.reports] == [
        ("email", "address"),
        ("status", "state"),
        ("city", "kept"),
    ]
    assert [(one.word, one.lines, one.becomes) for one in part.reports[1].words] == [
        ("subscribed", 2, "active"),
        ("Lapsed", 1, "unclear"),
        ("cleaned", 1, "suppressed"),
    ]
    assert (report.becomes, report.lines, part.bad) == ({"active": 2, "unclear": 1, "suppressed": 1}, 5, 1)


def test_where_somebody_lives_is_no_address_of_mail() -> None:
    assert addresses("name,address,email\nAnn,1 Main Street,a@example.org\n") == ["a@example.org"]
    assert addresses("name,address\nAnn,a@example.org\n") == ["a@example.org"]


@pytest.mark.parametrize("text", ["=x@a.example", "'=x@a.example", "''+x@a.example", "'x@a.example", "-1"])
def test_what_a_spreadsheet_would_compute_comes_back_as_it_was(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-"))
    assert plain_cell(safe_cell(text)) == text


def test_a_bad_line_is_named_and_not_repeated() -> None:
    found = rows('email,name\nnobody,Ann\na@example.org,Bob\n,Cid\n"x\ny",Two lines\nb@localhost,Dan\n')
    assert [(row.line, isinstance(row, BadRow)) for row in found] == [
        (2, True),
        (3, False),
        (4, True),
        (5, True),
        (7, True),
    ]
    assert "nobody" not in str(found[0])


def test_a_second_address_on_a_line_of_a_list_without_a_head_makes_it_bad() -> None:
    for second in ("b@example.org", "Bob <b@example.org>", "b@example"):
        found = rows(f"a@example.org, {second}\nc@example.org\n")
        assert [isinstance(row, BadRow) for row in found] == [True, False], second
        assert understood(f"a@example.org, {second}\nc@example.org\n").bad == 1
    same = rows(
        'a@example.org,a@Example.org\nb@example.org,see the @ sign\n"c@example.org" <c@example.org>\n'
    )
    assert [isinstance(row, BadRow) for row in same] == [False, False, False]
    told = owners_word({"2": Plain.KEPT})
    assert not isinstance(rows("a@example.org,b@example.org\n", told)[0], BadRow)
    assert addresses("email,other\na@example.org,b@example.org\n") == ["a@example.org"]


def test_the_look_through_counts_the_lines_that_the_import_cannot_read() -> None:
    text = (
        "email\na..b@example.org\n.a@example.org\na@-example.org\na@example-.org\n"
        f"{'a' * 65}@example.org\na@mx.example.net\nb@example.org\n"
    )
    report = understood(text, own=frozenset({Domain.parse("mx.example.net")}))
    bad = {row.line for row in rows_of(report) if isinstance(row, BadRow)}
    assert {row.line for row in report.bad_rows} == bad | {7}
    assert report.bad == 6


def test_a_line_that_is_too_short_is_named() -> None:
    assert str(rows("name,email\nAnn\n")[0]) == "line 2: it has 1 columns, and the address is in number 2"


def test_of_a_line_with_more_cells_than_columns_no_state_is_known() -> None:
    text = "email,name,vip,unsubscribed\na@example.org,Lee, Ann,no,yes\nb@example.org,Bob,no,no,,\n"
    told = rows(text)
    assert str(told[0]) == "line 2: it has 5 columns, and the header has 4"
    assert verdicts(text) == [("b@example.org", "active")]
    assert understood(text).parts[0].bad == 1


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_zip_that_is_torn_or_encrypted_says_so(method: int, is_encrypted: bool) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("subscribed.csv", "Email Address,MEMBER_RATING,OPTIN_TIME,LEID,EUID\n" * 100)
    octets = bytearray(target.getvalue())
    if is_encrypted:
        octets[octets.index(b"PK\x03\x04") + 6] |= 1
        octets[octets.index(b"PK\x01\x02") + 8] |= 1
    else:
        octets[60:90] = bytes(30)
    with pytest.raises(NoList, match=r"subscribed\.csv in the ZIP cannot be read"):
        rows(bytes(octets))


@pytest.mark.parametrize(
    "before", ["", "email,name\na@example.org,Ann\n", '{"email": "a@example.org", "x": "']
)
def test_a_line_that_would_fill_the_memory_is_refused(before: str) -> None:
    with pytest.raises(NoList, match="too long for one reader"):
        rows(before + "x" * LINE_CHARACTERS_MAX)


@pytest.mark.parametrize(
    "list_",
    [
        "name,phone\nAnn,123\n",
        "<html>\n",
        "{}",
        '{"a": [1, 2',
        "[[[[",
        '{"a":' * 100_000,
        '[{"email": }]',
        "x" * 200_000,
        b"PK\x03\x04",
    ],
)
def test_what_is_no_list_says_so(list_: str | bytes) -> None:
    with pytest.raises(NoList):
        rows(list_)


def test_an_empty_file_has_no_rows() -> None:
    assert rows("") == rows("\n \n") == []


def test_an_international_domain_is_read() -> None:
    assert addresses("email\nann@bücher.example\n") == ["ann@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("text", "found", "named"),
    [
        ('"Ann\nb@example.org,Bob\nc@example.org,Cid\n', [], "nothing up to line 4 was read"),
        ('"Ann\nb@example.org,"Bob"\nc@example.org,Cid\n', ["c@example.org"], "up to line 3 was read"),
        ('"Ann\nof two lines"\nb@example.org,Bob\n', ["a@example.org", "b@example.org"], ""),
        ('Ann "Nan" X\nb@example.org,Bob\n', ["a@example.org", "b@example.org"], ""),
    ],
)
def test_a_quotation_mark_that_is_not_closed_swallows_nobody_in_silence(
    text: str, found: list[str], named: str
) -> None:
    read_ = rows(f"email,name\na@example.org,{text}")
    assert [str(row.mailbox) for row in read_ if isinstance(row, ReaderRow)] == found
    assert [named in row.why for row in read_ if isinstance(row, BadRow)] == ([True] if named else [])


def test_half_a_character_in_json_is_none() -> None:
    (row,) = read('email,attributes\na@example.org,"{""a\\ud800"": ""b\\udfff""}"\n')
    assert row.attributes == (("a?", "b?"),)


def test_of_two_columns_with_one_name_both_are_kept() -> None:
    (row,) = read("email,group,group\na@example.org,1,2\n")
    assert row.attributes == (("group", "1"), ("group 2", "2"))


@given(st.text())
def test_a_cell_is_safe_and_comes_back(text: str) -> None:
    safe = safe_cell(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    if safe != text or not text.startswith("'"):
        assert plain_cell(safe) == text


@given(st.text(alphabet='abc@.,;"\n\r\t\x00=é{}[]:<>() \\'))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        for row in rows(text):
            assert row.line >= 1
    except NoList:
        pass


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(NoList):
        rows(octets)
