"""Advisories in the OSV schema 1.x, the questions to a service that has them, and what they mean here."""
