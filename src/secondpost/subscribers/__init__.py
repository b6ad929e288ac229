"""The keeper of people: who reads a newsletter, who asked to, who left, and what proves it.

Read in this order: states is the table of what leads where; signup takes the form's word and asks for
confirmation; leave takes a reader's word that it is over, and everything else that a reader decides about
their own row; writing does for those who write what the pages do for those who click; suppression keeps
those who get nothing; importing and exporting read and write lists.
"""
