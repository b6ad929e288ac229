"""The owner's views: status, the way of a message, documents for scripts, export.

Nothing here depends on a terminal: commands show it as tables, and pages may show it otherwise.
"""
