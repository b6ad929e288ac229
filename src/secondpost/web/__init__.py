"""The public pages: sign-up, archive, an issue, confirming, leaving, and what we keep about a reader.

Read in this order: app puts the routes together; site is what all pages share; public answers sign-up,
archive and issues, reader what a token opens; form reads what was posted, within bounds, and origin says from
where; callers counts the requests of one network, guests bounds who may be connected; archive tells an issue
as it was sent.
"""
