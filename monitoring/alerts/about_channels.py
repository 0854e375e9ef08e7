"""Channels that do not take what is to be told: only the others can tell that."""

from jobs.engine import sql
from monitoring.alerts.finding import Finding
from monitoring.models import Cause, Severity

FAILED_OFTEN = 3

# A channel fails from its third failed attempt at a notice until it has delivered another: giving up is no recovery.
FAILING = """
SELECT known.channel, failed.attempts, failed.error FROM unnest(%(channels)s::text[]) AS known (channel), LATERAL (
       SELECT attempts, error FROM monitoring_notice n
        WHERE n.channel = known.channel AND n.sent_at IS NULL AND n.attempts >= %(often)s AND n.error <> ''
          AND n.tried_at > COALESCE((SELECT max(sent_at) FROM monitoring_notice s
                                      WHERE s.channel = known.channel AND s.sent_at IS NOT NULL), '-infinity')
        ORDER BY n.tried_at DESC LIMIT 1) failed
"""


def find(channels: list[str]) -> list[Finding]:
    """Channels that took nothing in several attempts; one statement."""
    return [
        Finding(
            cause=Cause.CHANNEL_FAILING,
            subject=channel,
            severity=Severity.CRITICAL,
            summary=f"Alerts do not get through by the channel {channel!r}: {attempts} attempts failed. "
            f"The last answer: {error} Correct its address in ALERT_CHANNELS or ALERT_WEBHOOK_URL.",
        )
        for channel, attempts, error in sql.rows(FAILING, {"channels": channels, "often": FAILED_OFTEN})
    ]
