"""A disk that forgets what was not synced, and every image that a power cut may leave of it."""
