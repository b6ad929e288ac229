"""The configuration of OpenSMTPD, smtpd.conf: before 6.4 and since.

`lexer` gives the statements of a file and its includes, `tables` the tables that they name, `old_grammar`
and `new_grammar` what the statements say, as `statements` describes it; `strangers` finds which domains
are open to everyone, `reading` makes our configuration of it, and `translation` a smtpd.conf of today.
Names in comments are of smtpd.conf(5) and of the grammar, parse.y, of 6.3 and of 6.8. Pure.
"""
