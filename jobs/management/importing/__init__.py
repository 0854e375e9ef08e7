"""Bringing reservations and sessions in from files: whole files, or nothing of them."""
