"""What browsers may load and do on our pages, by which a page is also known as ours. Of a page on its own
that is stricter still, see web/public.
"""

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
