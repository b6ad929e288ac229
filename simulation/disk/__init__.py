"""A recorded disk, and every image that a power cut may leave of it."""
