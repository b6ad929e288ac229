"""Makes the mail of each reader: filled in, with headers and links of the reader's own, and signed.

reader_mails gets claimed rows, finds the content that all readers of an issue share, and gives a signed mail
back for each row; orders says what is signed, as values and as octets for another process; assembly fills one
reader's mail in and signs it; pool has that done by threads of this role, or by processes that do nothing
else, and gives way to relayed mail.
"""
