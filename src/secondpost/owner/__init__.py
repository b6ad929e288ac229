"""What the owner sees and asks for: how things stand, the way of a message, documents for scripts, export.

No words of a terminal: the commands show it in tables, and pages may show it otherwise.
"""
