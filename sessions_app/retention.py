"""Deleting what is old: children first, page by page, without loading rows. Needs a transaction around each call."""

from django.db import connection

from sessions_app.models import MessageQuerySet, SessionQuerySet

# The keys stay in the database's own writing, and are never taken apart here.
HOLD = "SELECT array_agg(id)::text FROM ({page}) AS held (id)"
DELETE_MESSAGES = "DELETE FROM sessions_app_message WHERE session_id = ANY(%s::bigint[])"
DELETE_SESSIONS = "DELETE FROM sessions_app_session WHERE id = ANY(%s::bigint[])"


def delete_messages(page: MessageQuerySet) -> int:
    """Delete messages; returns how many."""
    return page._raw_delete(page.db)


def delete_sessions(page: SessionQuerySet) -> int:
    """Delete sessions with their messages; returns how many sessions.

    Sessions that somebody else holds right now are left for the next time. The others are held first, and only then
    their messages looked for, so that none is left out and none goes whose session was reopened meanwhile.
    """
    held, values = page.select_for_update(skip_locked=True).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(HOLD.format(page=held), values)
        [keys] = cursor.fetchone()
        cursor.execute(DELETE_MESSAGES, [keys])
        cursor.execute(DELETE_SESSIONS, [keys])
        return int(cursor.rowcount)
