"""From the blog's feed to the decision to make an issue, and the issue's way to its end.

Read in this order: `fetching` looks at a feed, and `feeds` makes articles of a hostile document; `identity`
says which two are the same; `ledger` remembers every article ever seen and decides what is new (`reading`
does it); `eligible` says which of them readers may have now; `calendar` says when; `issues` says whether
there is an issue, and if not, why not. `publish` makes it, with `render`, and sees it through.
"""
