"""Where a form was posted from, as far as a browser says it.

A page elsewhere can make the browsers of its visitors post to our forms, each from a network of its own. A
program that is no browser says nothing of this kind, but has to call from where it runs, which is counted.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

NEAR = ("same-origin", "same-site", "none")  # `none`: no page brought it about, but the person


def is_from_elsewhere(request: Request, url: str | None) -> bool:
    """`url` is ours as it is configured; a caller may know us by another name too.

    Browsers of before 2023, and all without https, say no more than the origin, or the page that led here.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site.lower() not in NEAR
    page = request.headers.get("origin", request.headers.get("referer"))
    if page is None:
        return False
    host = _host(page)
    ours = (request.headers.get("host", "").lower(), None if url is None else _host(url))
    return host is None or host not in ours


def _host(url: str) -> str | None:
    """With its port, if that is not the usual one. None for what names no host, as the origin "null" does."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        return None
    return netloc.lower() if len(netloc) > 0 else None
