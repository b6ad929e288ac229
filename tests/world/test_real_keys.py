"""The keys on disk: created once, atomically, private, and never replaced."""

import os
from pathlib import Path

import pytest

from secondpost.config.records import Dkim
from secondpost.protocols.dkim.verifying import Proof, PublicKey, parse_key
from secondpost.protocols.tokens import Purpose, Ring, Token
from secondpost.world.ports import KeyFault
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import (
    dkim_records,
    load_key_ring,
    load_signing_keys,
    make_missing_keys,
    proves,
)

DKIM = Dkim()
DIGEST = bytes(range(32))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    made = make_missing_keys(str(folder), DKIM, RealDice())
    assert [Path(path).name for path in made] == ["sp-rsa.pem", "sp-ed.pem", "links.keys", "addresses.keys"]
    return folder


def key_files(store: Path) -> list[Path]:
    return [path for path in (store / "keys").rglob("*") if path.is_file()]


def test_they_are_made_once(store: Path) -> None:
    before = {path: path.read_bytes() for path in key_files(store)}
    assert make_missing_keys(str(store), DKIM, RealDice()) == []
    assert {path: path.read_bytes() for path in key_files(store)} == before


def test_nobody_else_can_read_them(store: Path) -> None:
    assert {(store / name).stat().st_mode & 0o7777 for name in ("keys", "keys/links")} == {0o700}
    assert {path.stat().st_mode & 0o7777 for path in key_files(store)} == {0o600}


def test_a_new_selector_is_a_new_key(store: Path) -> None:
    made = make_missing_keys(str(store), Dkim(rsa="next", ed25519="sp-ed"), RealDice())
    assert [Path(path).name for path in made] == ["next.pem"]
    (store / "keys" / "next.pem").unlink()


def test_the_records_are_those_of_the_keys(store: Path) -> None:
    signing = load_signing_keys(str(store), DKIM)
    records = dkim_records(str(store), DKIM)
    assert [record.name for record in records] == ["sp-rsa._domainkey", "sp-ed._domainkey"]
    for key, record in zip(signing, records, strict=True):
        public = parse_key(record.text)
        assert public.algorithm is key.algorithm
        signature = key.sign(DIGEST)
        assert proves(public, DIGEST, signature) is Proof.VALID
        assert proves(public, DIGEST[::-1], signature) is Proof.INVALID
        assert proves(public, DIGEST, signature[::-1]) is Proof.INVALID
        assert proves(PublicKey(key.algorithm, b"no key"), DIGEST, signature) is Proof.NO_KEY


def test_the_two_rings_have_keys_of_their_own(store: Path) -> None:
    links, addresses = (load_key_ring(str(store), ring) for ring in (Ring.LINKS, Ring.ADDRESSES))
    assert set(links.keys) == set(addresses.keys) == {1}
    assert links.keys[1] != addresses.keys[1]
    token = Token(Purpose.LEAVE, 1, 2)
    assert load_key_ring(str(store), Ring.LINKS).read(links.write(token), Purpose.LEAVE) == token


def test_a_key_that_was_added_to_a_ring_writes(store: Path) -> None:
    path = store / "keys" / "links" / "links.keys"
    before = path.read_text()
    try:
        path.write_text(before + f"2 {'ab' * 32}\n")
        assert load_key_ring(str(store), Ring.LINKS).keys[2] == b"\xab" * 32
    finally:
        path.write_text(before)


@pytest.mark.parametrize("text", ["", "1 abc\n", "x\n", f"1 {'ab' * 32}\n1 {'cd' * 32}\n", "1 abcd\n"])
def test_a_damaged_ring_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys" / "links" / "links.keys"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFault, match="is no ring of keys") as fault:
        load_key_ring(str(tmp_path), Ring.LINKS)
    assert "ab" not in str(fault.value).removeprefix(str(path))


def test_a_key_that_others_can_read_is_refused_with_the_fix(store: Path) -> None:
    path = store / "keys" / "sp-rsa.pem"
    path.chmod(0o640)
    try:
        with pytest.raises(KeyFault, match=f"chmod 600 {path}"):
            load_signing_keys(str(store), DKIM)
    finally:
        path.chmod(0o600)


def test_a_key_of_another_kind_is_refused(store: Path) -> None:
    with pytest.raises(KeyFault, match=r"sp-ed\.pem is no RSA key"):
        load_signing_keys(str(store), Dkim(rsa="sp-ed", ed25519="sp-ed"))
    with pytest.raises(KeyFault, match=r"sp-rsa\.pem is no Ed25519 key"):
        load_signing_keys(str(store), Dkim(rsa="sp-rsa", ed25519="sp-rsa"))


def test_a_missing_or_damaged_key_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match=r"sp-rsa\.pem: No such file"):
        dkim_records(str(tmp_path), DKIM)
    (tmp_path / "keys").mkdir()
    handle = os.open(tmp_path / "keys" / "sp-rsa.pem", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(handle, b"-----BEGIN PRIVATE KEY-----\nMIIE\n")
    os.close(handle)
    with pytest.raises(KeyFault, match="no private key in PEM"):
        dkim_records(str(tmp_path), DKIM)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file in its place")
    with pytest.raises(KeyFault, match="no key can be made"):
        make_missing_keys(str(tmp_path), DKIM, RealDice())
