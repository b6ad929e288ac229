"""The public pages: sign-up, archive, an issue, confirming, leaving, and what we keep about a reader.

Read in this order: app puts the routes together; public answers them; form reads what was posted, within
bounds; callers counts requests of one network; archive tells an issue as it was sent.
"""
