"""Deleting what is old: children first, page by page, without loading rows. Needs a transaction around each call."""

from sessions_app.models import Message, MessageQuerySet, SessionQuerySet


def delete_messages(page: MessageQuerySet) -> int:
    """Delete messages; returns how many."""
    return page._raw_delete(page.db)


def delete_sessions(page: SessionQuerySet) -> int:
    """Delete sessions with their messages; returns how many sessions.

    Sessions that somebody else holds right now are left for the next time.
    """
    keys = list(page.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Message.objects.filter(session__in=keys)._raw_delete(page.db)
    return page.model._default_manager.filter(pk__in=keys)._raw_delete(page.db)
