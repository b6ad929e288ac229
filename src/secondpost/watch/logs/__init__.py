"""Finds attacks in old logs of mail servers: of OpenSMTPD, Postfix, Exim, Sendmail and our own.

archive makes octets of what may be compressed; blocks cuts them into whole lines and picks those worth a
look; entry reads time, program and text of a line; opensmtpd, postfix, exim, sendmail and own say what
the text tells of a client; scan asks the rules of protocols/attacks and counts in tally.
"""
