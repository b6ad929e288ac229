"""The manual as a folder of pages: `make manual` builds it from docs/ into build/manual.

The order of the pages is that of docs/README.md. A page is plain HTML without script, and asks for
nothing but the style sheet beside it.
"""
