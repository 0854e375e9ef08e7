"""What is announced about backups; receivers get keyword arguments, and what one raises changes nothing."""

from django.dispatch import Signal

backup_failed = Signal()  # backup_id, why: no archive was made
backup_unproven = Signal()  # backup_id, why: the archive is there, and was not shown to give back what it should
proof_overdue = Signal()  # why: there should be a newer proven one
