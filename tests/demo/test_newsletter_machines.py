"""The blog, browser, readers and signature check on which act three's claims depend."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from secondpost.demo.blog import Blog
from secondpost.demo.browser import Browser, NoAnswer
from secondpost.demo.mailserver import Arrived, MailServer
from secondpost.demo.names import Asker, Zone, serve_names
from secondpost.demo.readers import Mail, Reader
from secondpost.demo.signatures import public_keys, signed_fields
from secondpost.demo.stage import free_port
from secondpost.mail.article import FeedRead
from secondpost.newsletter.feeds import read_feed
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys

HOST = "www.example.net"


def with_blog(play: Callable[[Blog, Browser], Awaitable[None]]) -> None:
    async def playing() -> None:
        names, port = await serve_names(Zone(mx={}, hosts={HOST: "127.0.0.80"}), "127.0.0.53")
        blog = Blog(HOST, "127.0.0.80")
        try:
            await blog.open()
            async with asyncio.timeout(20):
                await play(blog, Browser(Asker("127.0.0.53", port)))
        finally:
            await blog.close()
            names.close()

    asyncio.run(playing())


def test_what_the_blog_publishes_stands_in_its_feed_newest_first() -> None:
    async def play(blog: Blog, browser: Browser) -> None:
        assert (await read(blog, browser)).articles == ()
        blog.publish("Salt & <light>", "Words & more.")
        blog.publish("Bread", "It rises.")
        found = await read(blog, browser)
        assert [(article.title, article.link, article.html) for article in found.articles] == [
            ("Bread", f"{blog.home}/posts/2", "<p>It rises.</p>"),
            ("Salt & <light>", f"{blog.home}/posts/1", "<p>Words &amp; more.</p>"),
        ]

    async def read(blog: Blog, browser: Browser) -> FeedRead:
        page = await browser.get(f"{blog.home}/feed.xml")
        found = read_feed(page.text.encode(), page.fields["content-type"], f"{blog.home}/feed.xml")
        assert isinstance(found, FeedRead)
        return found

    with_blog(play)


def test_a_browser_sees_pages_and_that_there_is_none() -> None:
    async def play(blog: Blog, browser: Browser) -> None:
        blog.publish("Bread", "It rises.")
        link = blog.link(blog.articles[0])
        page, head = await browser.get(link), await browser.head(link)
        assert (page.status, "It rises." in page.text) == (200, True)
        assert (head.status, head.text, head.fields) == (200, "", page.fields)
        assert (await browser.get(f"{blog.home}/posts/2")).status == 404

    with_blog(play)


def test_a_browser_says_where_nobody_answered() -> None:
    async def play(blog: Blog, browser: Browser) -> None:
        nowhere = f"http://127.0.0.80:{free_port(('127.0.0.80',))}/"
        with pytest.raises(NoAnswer, match=nowhere):
            await browser.get(nowhere)

    with_blog(play)


def test_a_form_arrives_as_forms_do() -> None:
    came: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"one%40west.example"))
        writer.write(b"HTTP/1.1 303 See Other\r\nLocation: /elsewhere\r\nSet-Cookie: a=b\r\n\r\n")
        writer.close()

    async def play(blog: Blog, browser: Browser) -> None:
        async with await asyncio.start_server(answer, "127.0.0.81", 0) as server:
            port = server.sockets[0].getsockname()[1]
            page = await browser.post(f"http://127.0.0.81:{port}/weekly/", {"email": "one@west.example"})
        assert (page.status, page.fields["location"]) == (303, "/elsewhere")

    with_blog(play)
    assert len(came) == 1  # the redirect was not followed
    assert came[0].startswith(b"POST /weekly/ HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n" in came[0]
    assert b"Cookie" not in came[0]


ISSUE = (
    b"From: <newsletter@example.net>\r\nSubject: Two articles\r\n"
    b"List-Unsubscribe: <http://127.0.0.1:8025/leave/abc>,\r\n <mailto:leave-abc@mx2.example.net>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nRead http://127.0.0.1:8025/weekly/1\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<a href="http://www.example.net/?a=1&amp;b=2">Go</a> http://127.0.0.1:8025/weekly/1\r\n--b--\r\n'
)
CONFIRMATION = (
    b"Auto-Submitted: auto-generated\r\nSubject: Please confirm\r\n\r\nhttp://127.0.0.1/confirm/x\r\n"
)


def mailbox_with(*mails: tuple[str, bytes]) -> Reader:
    """Reader1, at a server that received these mails for the given recipients."""
    server = MailServer("post.west.example", "127.1.0.25", 25)
    server.mailbox += [Arrived("", f"b-{n}@x", (to,), data, 0.0) for n, (to, data) in enumerate(mails)]
    return Reader("reader1@west.example", server, Browser(Asker("127.0.0.53", 53)))


def test_a_reader_sees_only_mail_to_that_address_and_tells_an_issue_from_a_question() -> None:
    reader = mailbox_with(
        ("reader1@west.example", CONFIRMATION),
        ("reader3@west.example", ISSUE),
        ("reader1@west.example", ISSUE),
        ("reader1@west.example", ISSUE),
    )
    assert [mail.sender for mail in reader.issues] == ["b-2@x", "b-3@x"]
    assert [mail.sender for mail in reader.confirmations] == ["b-0@x"]
    assert reader.confirm_url() == "http://127.0.0.1/confirm/x"


def test_every_address_of_a_mail_is_found_once() -> None:
    mail: Mail = mailbox_with(("reader1@west.example", ISSUE)).issues[0]
    assert mail.urls == [
        "http://127.0.0.1:8025/leave/abc",
        "http://127.0.0.1:8025/weekly/1",
        "http://www.example.net/?a=1&b=2",
    ]


MESSAGE = (
    b"From: The Blog <newsletter@example.net>\r\nTo: reader1@west.example\r\n"
    b"Subject: Two  articles,\r\n folded\r\nList-Id: <weekly.example.net>\r\n\r\n"
    b"Hello,  reader.\t\r\n\r\n.\r\n"
)
BOTH = {"rsa-sha256", "ed25519-sha256"}


def signed_by_a_stranger(folder: Path) -> bytes:
    """A mail signed with both keys, which are written to the folder."""
    made, seed = keys(), base64.b64decode(keys().ed25519_seed)
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    rsa, ed25519 = (key.selector for key in made.signing)
    (folder / f"{rsa}.pem").write_bytes(made.rsa_pem)
    (folder / f"{ed25519}.pem").write_bytes(pem)
    relaxed = ("relaxed", "relaxed")
    return (
        dkimpy_says.signature_of(MESSAGE, rsa, "example.net", made.rsa_pem, "rsa-sha256", relaxed)
        + dkimpy_says.signature_of(
            MESSAGE, ed25519, "example.net", made.ed25519_seed, "ed25519-sha256", relaxed
        )
        + MESSAGE
    )


def test_signatures_that_a_stranger_made_hold_whatever_white_space_became(tmp_path: Path) -> None:
    mail, known = signed_by_a_stranger(tmp_path), public_keys(tmp_path)
    for same in (mail, mail.replace(b"Hello,  reader.\t", b"Hello, reader.") + b"\r\n\r\n"):
        found = signed_fields(same, "example.net", known)
        assert set(found) == BOTH
        assert all({"from", "subject", "list-id"} <= fields for fields in found.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello", b"Hallo"),
        (b"Two  articles", b"Three articles"),
        (b"List-Id: <weekly", b"List-Id: <daily"),
        (b"d=example.net", b"d=example.org"),
    ],
)
def test_a_signature_of_something_else_does_not_hold(tmp_path: Path, old: bytes, new: bytes) -> None:
    mail = signed_by_a_stranger(tmp_path)
    assert old in mail
    assert signed_fields(mail.replace(old, new), "example.net", public_keys(tmp_path)) == {}


def test_a_signature_by_a_key_that_nobody_published_does_not_hold(tmp_path: Path) -> None:
    mail = signed_by_a_stranger(tmp_path)
    assert signed_fields(mail, "example.net", {}) == {}
