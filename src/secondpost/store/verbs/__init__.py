"""The store's rules, written once for every engine: generators that yield named queries and get
rows.

`steps` says what a verb yields, `named` how a query is written, `engine` what runs them. There is a
file for each group of verbs: intake (accepting mail), claims, sites, primaries and days (delivering
it), reader_mail (mail to readers), ledger (feeds and articles), slots, issues, freezing, sending,
standing and naming (newsletters), readers, signing_up, importing and suppressing (readers), desk
and keeping (the owner, housekeeping). mail_store and newsletter_store combine them; sql/ holds
their queries.
"""
