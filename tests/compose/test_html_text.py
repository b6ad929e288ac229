"""HTML converted to plain text: each case is a file in the form of the mail's text part."""

from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.html_text import LINE_CHARACTERS, html_to_text

PAGE = """
<h3>First</h3><p>Hi <a href="https://a.example/1">there</a> and
   <a href="https://a.example/1">again</a>.<br>New line.</p>
<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>
<ol start="3"><li>three</li><li>four</li></ol>
<blockquote><p>quoted</p></blockquote>
<pre><code>def f():
    return  1</code></pre>
<table><tbody><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></tbody></table>
<p><img src="https://a.example/x.jpg" alt="A view"> &lt;b&gt; &amp; c</p>
"""
TOLD = """\
First
-----

Hi there [7] and again [7].
New line.

* one
* two
  * inner

3. three
4. four

> quoted

def f():
    return  1

a b
1 2

[A view] <b> & c"""


def test_a_page_is_told_in_plain_text() -> None:
    plain = html_to_text(PAGE, first_link=7)
    assert plain.text == TOLD
    assert plain.links == ("https://a.example/1",)


def test_an_address_that_is_its_own_words_is_not_noted() -> None:
    plain = html_to_text('<p>See <a href="https://a.example/">https://a.example/</a></p>')
    assert (plain.text, plain.links) == ("See https://a.example/", ())


def test_long_paragraphs_are_folded_and_long_words_are_not_broken() -> None:
    address = "https://a.example/" + "x" * 100
    lines = html_to_text(f"<blockquote><p>{'word ' * 60}{address}</p></blockquote>").text.split("\n")
    assert all(line.startswith("> ") for line in lines)
    assert [line for line in lines if len(line) > LINE_CHARACTERS] == [f"> {address}"]


def test_scripts_and_styles_are_not_told() -> None:
    assert html_to_text("<style>p{}</style><script>x</script><p>seen</p>").text == "seen"


@given(
    st.text()
    | st.lists(st.sampled_from(("<ul>", "<li>", "</ul>", "</li>", "<pre>", "x", "</p>", "<a>"))).map("".join)
)
def test_any_html_is_told(html: str) -> None:
    html_to_text(html)


def test_a_thousand_levels_are_no_harm() -> None:
    text = html_to_text("<blockquote>" * 1000 + "deep").text
    assert text.endswith("deep")
    assert len(text) < 100


def test_a_telephone_number_is_read_in_its_place() -> None:
    call = '<a href="tel:+44-1632-960001">{}</a>'
    assert html_to_text(call.format("Call us")).text == "Call us (+44-1632-960001)"
    assert html_to_text(call.format("01632 960 001")).text == "01632 960 001"
    assert html_to_text(call.format("Call us")).links == ()


def test_a_link_that_says_nothing_has_no_number() -> None:
    plain = html_to_text('<p><a href="https://a.example/1"><img src="x" alt=""></a>Words</p>')
    assert (plain.text, plain.links) == ("Words", ())
