"""Backups that are proven: each is restored into a scratch database right after it was written, and compared."""
