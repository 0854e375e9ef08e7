from datetime import UTC, datetime, timedelta

from external_apis.models import Credential

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
NOTICE = timedelta(days=14)
SECOND = timedelta(seconds=1)


def test_a_credential_whose_expiry_was_moved_on_is_to_be_checked_anew(run_job, make_credential):
    credential = make_credential(status="expiring", why="it expires soon", expires_at=NOW + NOTICE)

    assert run_job("sync-credentials", now=NOW).result["backInLine"] == 1

    credential.refresh_from_db()
    assert (credential.status, credential.why) == (Credential.Status.UNCHECKED, "")


def test_an_expired_one_too_even_when_it_never_expires_now(run_job, make_credential):
    credential = make_credential(status="invalid", why=Credential.EXPIRED, invalid_since=NOW, expires_at=None)

    assert run_job("sync-credentials", now=NOW).result["backInLine"] == 1

    credential.refresh_from_db()
    assert (credential.status, credential.invalid_since) == (Credential.Status.UNCHECKED, None)


def test_one_that_still_expires_within_two_weeks_stays_and_is_counted(run_job, make_credential):
    make_credential(status="expiring", expires_at=NOW + NOTICE - SECOND)

    result = run_job("sync-credentials", now=NOW).result

    assert (result["backInLine"], result["toRenew"]) == (0, 1)


def test_one_that_its_provider_refused_stays_invalid(run_job, make_credential):
    make_credential(status="invalid", why="it was revoked", invalid_since=NOW, expires_at=NOW + NOTICE)

    assert run_job("sync-credentials", now=NOW).result["backInLine"] == 0


def test_it_says_that_nothing_was_exchanged(run_job):
    result = run_job("sync-credentials", now=NOW).result

    assert result["exchanged"] == 0
    assert "not connected" in result["notConfigured"]


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_credential):
    make_credential(status="expiring", expires_at=NOW + NOTICE)

    assert run_job("sync-credentials", now=NOW).result["backInLine"] == 1
    assert run_job("sync-credentials", now=NOW).result["backInLine"] == 0
