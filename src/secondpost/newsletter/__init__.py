"""From the blog's feed to the decision to make an issue.

Read in this order: `feeds` makes articles of a hostile document; `identity` says which two are the same;
`ledger` remembers every article ever seen and decides what is new; `eligible` says which of them readers
may have now; `calendar` says when; `issues` says whether there is an issue, and if not, why not.
"""
