"""Tells the owner of alarms: in come the sets that stand in each process, out go mails and posts.

Read in this order: `roll` (what each process states), `noted` (what is written of it), `notices`
(what the owner is sent, and when), `roads` (to which addresses), `posts` (the webhook), `reports`
(at fixed times), `alarm_desk` (the rounds that do it all).

`blocks` and `arrivals` are about who cannot reach a primary.
"""
