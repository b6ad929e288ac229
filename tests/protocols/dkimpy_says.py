"""Wrapper of dkimpy, an independent implementation, which has no types."""

from collections.abc import Callable

import dkim  # type: ignore[import-untyped]
from dkim.canonicalization import Relaxed, Simple  # type: ignore[import-untyped]

Txt = Callable[..., bytes]


def accepts(message: bytes, which: int, txt: Txt) -> bool:
    """Whether dkimpy accepts the n-th signature from above. `txt` looks up the key."""
    try:
        return bool(dkim.DKIM(message).verify(idx=which, dnsfunc=txt))
    except dkim.ValidationError:
        return False


def signature_of(
    message: bytes, selector: str, domain: str, key: bytes, algorithm: str, forms: tuple[str, str]
) -> bytes:
    """A signature made by dkimpy: the whole field with its CRLF."""
    return bytes(
        dkim.sign(
            message,
            selector.encode(),
            domain.encode(),
            key,
            canonicalize=(forms[0].encode(), forms[1].encode()),
            signature_algorithm=algorithm.encode(),
        )
    )


def relaxed_body(body: bytes) -> bytes:
    return bytes(Relaxed.canonicalize_body(body))


def simple_body(body: bytes) -> bytes:
    return bytes(Simple.canonicalize_body(body))


def relaxed_field(name: bytes, value: bytes) -> bytes:
    ((canonical_name, canonical_value),) = Relaxed.canonicalize_headers([(name, value)])
    return bytes(canonical_name + b":" + canonical_value)


def arc_set_of(message: bytes, selector: str, domain: str, key: bytes) -> bytes:
    """An ARC set made by dkimpy of the Authentication-Results that the domain itself wrote."""
    made = dkim.arc_sign(message, selector.encode(), domain.encode(), key, domain.encode(), timestamp=1)
    return b"".join(made)


def arc_status(message: bytes, txt: Txt) -> str:
    status, _, reason = dkim.arc_verify(message, dnsfunc=txt)
    return reason if status is None else bytes(status).decode()


def arc_seal_verifies(message: bytes, instance: int, txt: Txt) -> bool:
    """Whether seal and message signature of a set verify, whatever the chain is."""
    arc = dkim.ARC(message)
    result = arc.verify_instance(arc.sorted_arc_headers()[1], instance, dnsfunc=txt)
    return bool(result["as-valid"]) and bool(result["ams-valid"])
