"""Make the mails that readers see, the digest and the confirmation, each in HTML and plain text, and
those to the owner (`own_mail`, `alarm_mail`), in plain text alone.

`article_html` cleans the HTML of a feed; `html_text` lays it out as plain text; `html_words`
extracts the words of any HTML; `issue` composes an issue, and `confirmation` the mail that asks to
confirm; `templating` renders templates/. Nothing here is personal: such places are holes, filled
when the mail is sent.
"""
