"""Mail to readers that came back: `intake` reads a report and counts it for its reader and issue,
`judge` classifies it; `complaints` suppresses readers who called a mail spam.
"""
