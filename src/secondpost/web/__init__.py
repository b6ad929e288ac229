"""The public pages: sign-up, archive, issues, confirming, leaving, and what we keep about a reader.

Read in this order: `app` assembles the routes; `site` holds what all pages share; `public` answers
sign-up, archive and issues, `reader` the pages that a token opens; `form` reads posted forms within
bounds, and `origin` says where they were posted from; `callers` counts the requests of a network,
`guests` bounds the connections; `archive` shows an issue as it was sent.
"""
