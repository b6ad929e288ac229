"""What the store does, written once for every engine: generators that yield named queries and get rows.

steps says what a verb yields, named how a query is written, engine what runs them. A file for each
group of verbs: intake (a message comes in), claims, sites, primaries and days (it is delivered),
reader_mail (to a reader), ledger (feeds and articles), slots, issues, freezing, sending, standing and
naming (the newsletter), readers, signing_up, importing and suppressing (people), desk and keeping (the
owner, housekeeping). mail_store and newsletter_store put them together; sql/ holds their queries.
"""
