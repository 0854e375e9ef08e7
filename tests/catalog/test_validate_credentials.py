from datetime import UTC, datetime, timedelta

from external_apis.models import Credential

NOW = datetime(2026, 6, 15, 1, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOTICE = timedelta(days=14)


def test_it_marks_a_credential_that_has_expired_as_invalid_since_then(run_job, make_credential):
    credential = make_credential(expires_at=NOW)

    assert run_job("validate-credentials", now=NOW).result["expired"] == 1

    credential.refresh_from_db()
    assert (credential.status, credential.invalid_since) == (Credential.Status.INVALID, NOW)
    assert credential.why == "it has expired"


def test_a_credential_that_expires_a_second_later_is_only_expiring(run_job, make_credential):
    credential = make_credential(expires_at=NOW + SECOND)

    result = run_job("validate-credentials", now=NOW).result

    assert (result["expired"], result["expiring"]) == (0, 1)
    credential.refresh_from_db()
    assert credential.status == Credential.Status.EXPIRING


def test_two_weeks_before_its_expiry_a_credential_is_not_yet_expiring(run_job, make_credential):
    make_credential(expires_at=NOW + NOTICE)

    assert run_job("validate-credentials", now=NOW).result["expiring"] == 0


def test_less_than_two_weeks_before_its_expiry_it_is(run_job, make_credential):
    make_credential(expires_at=NOW + NOTICE - SECOND)

    assert run_job("validate-credentials", now=NOW).result["expiring"] == 1


def test_a_credential_without_expiry_stays_as_it_is(run_job, make_credential):
    credential = make_credential(expires_at=None, status="unchecked")

    result = run_job("validate-credentials", now=NOW).result

    assert (result["expired"], result["expiring"]) == (0, 0)
    credential.refresh_from_db()
    assert credential.status == Credential.Status.UNCHECKED


def test_it_says_that_no_provider_was_asked(run_job, make_credential):
    credential = make_credential()

    result = run_job("validate-credentials", now=NOW).result

    assert result["checked"] == 0
    assert "not connected" in result["notConfigured"]
    credential.refresh_from_db()
    assert credential.checked_at is None


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_credential):
    make_credential(expires_at=NOW)
    make_credential(expires_at=NOW + SECOND)

    run_job("validate-credentials", now=NOW)
    result = run_job("validate-credentials", now=NOW).result

    assert (result["expired"], result["expiring"]) == (0, 0)
