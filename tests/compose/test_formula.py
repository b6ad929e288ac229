"""Formulas are replaced by their text, since mail programs do not render them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.article_html import clean_article
from secondpost.compose.formula import formulas_in_words

LINK = "https://blog.example/2026/post"
KATEX = (
    '<span class="katex"><span class="katex-mathml"><math><semantics><mrow><mi>E</mi></mrow>'
    '<annotation encoding="application/x-tex">E=mc^2 &lt; 3</annotation></semantics></math></span>'
    '<span class="katex-html" aria-hidden="true"><span class="base"><span>E=</span>mc2</span></span></span>'
)
IN_WORDS = {
    "<math><mi>a</mi><mo>+</mo><mn> 1 </mn></math>": "a+1",
    '<math alttext="a+1"><mi>a</mi></math>': "a+1",
    "<math alttext='{\\displaystyle a^{2}}'><mi>a</mi></math>": "a^{2}",
    '<MATH><semantics><mi>a</mi><annotation-xml encoding="MathML-Content"><ci>a</ci></annotation-xml>'
    '<annotation encoding="application/x-tex">\\alpha</annotation></semantics></MATH>': "\\alpha",
    "<math><mi>a</mi><annotation encoding='StarMath 5.0'>%alpha</annotation></math>": "a",
    '<script type="math/tex">x < y</script>': "x &lt; y",
    '<script type="math/tex; mode=display">x</script>': "x",
    '<script type="text/javascript">x</script>': '<script type="text/javascript">x</script>',
    "\\( x \\) and $$y$$": "\\( x \\) and $$y$$",
    "<math>torn": "<math>torn",
    '<span class="katex-html"><span>torn': '<span class="katex-html"><span>torn',
    "<mathematics>x</mathematics>": "<mathematics>x</mathematics>",
}


@pytest.mark.parametrize(("markup", "words"), IN_WORDS.items())
def test_a_formula_is_told_as_it_was_written(markup: str, words: str) -> None:
    assert formulas_in_words(f"<p>a {markup} b</p>") == f"<p>a {words} b</p>"


def test_what_katex_draws_and_hides_is_told_once() -> None:
    assert clean_article(f"<p>So {KATEX}.</p>", LINK, images=True) == (
        "<p>So <span><span>E=mc^2 &lt; 3</span></span>.</p>"
    )


@pytest.mark.parametrize(
    "piece",
    [
        "<math>",
        "<math></math>",
        "<math><annotation encoding='application/x-tex'>",
        '<span class="katex-html">',
        "<span katex-html ",
        '<script type="math/tex">',
        "<math alttext=",
        "{\\displaystyle     ",
    ],
)
def test_no_text_is_slow_to_look_through(piece: str) -> None:
    """Measured in CPU time of this thread."""
    before = time.thread_time()
    formulas_in_words(piece * (500_000 // len(piece)))
    formulas_in_words(f"<math alttext='{piece.replace('<', '')}{' ' * 400_000}'></math>")
    assert time.thread_time() - before < 10.0


@given(st.lists(st.sampled_from(("<math>", "</math>", "<span class=katex-html>", "<span>", "</span>", "x"))))
def test_words_outside_of_formulas_stay(pieces: list[str]) -> None:
    markup = "".join(pieces)
    assert formulas_in_words(f"before{markup}").startswith("before")
    assert formulas_in_words(f"{markup}</span></math>after").endswith("after")
