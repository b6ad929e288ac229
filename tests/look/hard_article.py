"""An article with everything that is hard to lay out: long words, wide tables, code and more."""

from secondpost.mail.article import Article
from tests.compose.articles import article

COLUMNS = ("Station", "January", "February", "March", "April", "May", "June", "July", "August", "Year")
ROW = f'<tr><th scope="row">Blindern</th>{"<td>1 234.56</td>" * (len(COLUMNS) - 1)}</tr>'
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_URL = "https://blog.example/archive/2026/11/" + "a-part-of-a-very-long-address/" * 6 + "?q=" + "x" * 80
IMAGE = "https://blog.example/river.jpg"

HARD = f"""
<p>It rained for <em>three days</em>. I had read <a href="/old">what others wrote about it</a>, and
<mark>none of it helped</mark>. Press <kbd>Ctrl</kbd> + <kbd>C</kbd>; it is <del>dry</del> <ins>wet</ins>,
H<sub>2</sub>O, x<sup>2</sup>, <abbr title="World Wide Web">WWW</abbr>, <small>and small print</small>.</p>
<p>A long word, {LONG_WORD}{LONG_WORD}, and a long address: <a href="{LONG_URL}">{LONG_URL}</a></p>
<h4>What I did first</h4>
<ul><li>Carried the books upstairs.<ul><li>The heavy ones last.</li></ul></li>
<li>Called <a href="https://neighbour.example/">the neighbour</a>.</li></ul>
<ol start="3"><li>Three</li><li>Four</li></ol>
<figure><img src="{IMAGE}" width="1600" height="900" alt="The river over its banks">
<figcaption>Day four, seen from <a href="https://bridge.example/">the bridge</a>.</figcaption></figure>
<p><a href="https://blog.example/gallery"><img src="{IMAGE}"></a></p>
<h3>The water in numbers</h3>
<table><caption>Millimetres of rain</caption>
<thead><tr>{"".join(f'<th scope="col">{name}</th>' for name in COLUMNS)}</tr></thead>
<tbody>{ROW * 3}</tbody></table>
<blockquote><p>The river takes what it wants.</p><p>— my grandmother, <cite>letters</cite></p></blockquote>
<pre><code class="language-python">def level(station):  # {"a comment that goes on and on " * 4}
    return read("https://api.example/v1/stations/" + station + "/observations?from=2026-11-01")
</code></pre>
<p>Inline code: <code>secondpost_configuration.newsletter_without_any_break.of_the_line_in_it</code></p>
<hr>
<dl><dt>Flood</dt><dd>Water where it should not be.</dd></dl>
<details><summary>More about the dam</summary><p>It held.</p></details>
<iframe src="https://films.example/embed/1" title="The film of the flood"></iframe>
<p><span lang="ar" dir="rtl">النهر عالٍ اليوم</span></p>
"""
LONG_TITLE = f"The flood, {LONG_WORD}{LONG_WORD}, and what it left in the cellar & the attic"


def hard_article(number: int) -> Article:
    return article(number, HARD, LONG_TITLE)
