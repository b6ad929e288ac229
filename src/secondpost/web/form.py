"""Read a posted form, bounded in octets, fields and seconds."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

FORM_OCTETS_MAX = 8_192
FIELDS_MAX = 20
FORM_SECONDS_MAX = 25.0  # 5 s before the connection ends: time to deliver the answer
FORM_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class PostedForm:
    """Form values; of repeated fields, the first."""

    values: dict[str, str]

    def value(self, name: str) -> str:
        return self.values.get(name, "")


async def read_form(request: Request) -> PostedForm:
    """Read a form. Raises HTTPException 400, 408, 413 or 415."""
    kind = request.headers.get("content-type", FORM_TYPE).partition(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise HTTPException(415)
    try:
        async with asyncio.timeout(FORM_SECONDS_MAX):
            data = await _body(request)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return PostedForm(parse_form(data))


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > FORM_OCTETS_MAX:
            raise HTTPException(413)
    return bytes(data)


def parse_form(data: bytes) -> dict[str, str]:
    """Parse form data in UTF-8. Raises HTTPException 400."""
    try:
        pairs = parse_qsl(
            data.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise HTTPException(400) from None
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name, value)
    return values
