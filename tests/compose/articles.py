"""Articles for an issue, as if read from a feed."""

from secondpost.compose.issue import Masthead
from secondpost.mail.article import Article

RIVER = """
<p>It rained for <em>three days</em>. I had read <a href="/old">what was said of it</a>.</p>
<h2>What I did first</h2>
<ul><li>Carried the books upstairs.</li>
<li>Called <a href="https://neighbour.example/">the neighbour</a>.</li></ul>
<figure><img src="/river.jpg" width="1600" height="900" alt="The river">
<figcaption>Day four.</figcaption></figure>
"""

MASTHEAD = Masthead(
    title="The Blog’s week",
    language="en",
    timezone="Europe/Oslo",
    subject=None,
    home="https://mx2.example.net/weekly/",
    postal_address="P.O. Box 1, Oslo",
    images=True,
)
DATED_S = 1_794_000_000


def article(number: int, html: str = RIVER, title: str | None = None, summary: str = "") -> Article:
    return Article(
        guid=f"urn:{number}",
        link=f"https://blog.example/post-{number}",
        title=f"Part {number} of the flood" if title is None else title,
        summary=summary,
        html=html,
        author="Ada Writer",
        published_ms=1_793_900_000_000,
        fingerprint=str(number),
    )
