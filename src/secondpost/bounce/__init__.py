"""What comes back of our mail to readers: intake reads it and counts it against its reader and issue; judge
says of what kind it is.
"""
