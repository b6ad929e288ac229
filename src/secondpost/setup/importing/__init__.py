"""Settings of another mail server, carried over into a configuration of ours.

`carried` has what every reader gives: the answers for the new file, the lists of recipients beside it,
and a report of each line that was read. `old_files` is how readers reach the old server's files.
"""
