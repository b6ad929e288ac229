"""The spool: states of a delivery, what leads from one to the next, and when to try again.

`accept` takes received mail; mail/delivery_states is the table of states; `schedule` decides,
purely, what becomes of an attempt; `desk` has the owner's verbs. Receiving and delivering meet here
and nowhere else, so `attack_tally` is here too: it counts the attacks of clients and of next servers.
"""
