"""The keeper of mail: what states there are, what leads from one to the next, and when to try again.

accept takes what was received; states is the table; schedule decides, purely, what becomes of an attempt;
desk has the owner's verbs.
Receiving and delivering meet here and nowhere else.
"""
