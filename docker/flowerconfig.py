"""Flower's options; the login is a secret file of `user:password` lines, so that it stands in no environment."""

from pathlib import Path

basic_auth = Path("/run/secrets/flower_login").read_text().split()
