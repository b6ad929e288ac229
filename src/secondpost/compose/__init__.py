"""Makes the bytes that readers see: the digest and the confirmation, each as HTML and as plain text.

article_html cleans what a feed brought; html_text lays it out as plain text; html_words takes the words alone
out of any HTML; issue puts an issue together, confirmation the mail that asks whether somebody really wants
it; templating renders templates/. Nothing here knows a reader: what is personal stays a hole, filled when the
mail goes out.
"""
