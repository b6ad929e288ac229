"""From the blog's feed to the decision to make an issue, and on until the issue is sent.

Read in this order: `fetching` reads a feed, and `feeds` makes articles of a hostile document;
`identity` says which articles are the same; `ledger` remembers every article ever seen and decides
which are new (`reading` does it); `eligible` says which of them may be sent now; `calendar` says
when; `issues` says whether there is an issue, and if not, why. `publish` makes it, with `render`,
and sees it through; `issue_alarms` has the alarms of all this.
"""
