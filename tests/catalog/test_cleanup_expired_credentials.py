from datetime import UTC, datetime, timedelta

from external_apis.models import Credential

NOW = datetime(2026, 6, 15, 22, 0, tzinfo=UTC)
LIMIT = NOW - timedelta(days=7)
SECOND = timedelta(seconds=1)


def test_it_deletes_credentials_that_expired_more_than_a_week_ago(run_job, make_credential):
    make_credential(expires_at=LIMIT - SECOND)

    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 1
    assert not Credential.objects.exists()


def test_it_keeps_credentials_that_expired_exactly_a_week_ago(run_job, make_credential):
    make_credential(expires_at=LIMIT)

    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 0


def test_it_deletes_credentials_that_have_been_invalid_for_more_than_a_week(run_job, make_credential):
    make_credential(status="invalid", invalid_since=LIMIT - SECOND)
    make_credential(status="invalid", invalid_since=LIMIT)

    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 1


def test_it_never_deletes_one_that_is_in_use_and_says_which(run_job, make_credential):
    make_credential(expires_at=LIMIT - timedelta(days=400), in_use=True, label="the token")
    make_credential(status="invalid", invalid_since=LIMIT - timedelta(days=400), in_use=True, label="another")

    result = run_job("cleanup-expired-credentials", now=NOW).result

    assert (result["deleted"], result["kept"]) == (0, ["the token", "another"])
    assert Credential.objects.count() == 2


def test_it_never_deletes_one_that_does_not_expire(run_job, make_credential):
    make_credential(expires_at=None)

    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 0


def test_a_second_time_there_is_nothing_left_to_do(run_job, make_credential):
    make_credential(expires_at=LIMIT - SECOND)

    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 1
    assert run_job("cleanup-expired-credentials", now=NOW).result["deleted"] == 0


def test_a_dry_run_deletes_nothing(run_job, make_credential):
    make_credential(expires_at=LIMIT - SECOND)

    assert run_job("cleanup-expired-credentials", now=NOW, dry_run=True).result["deleted"] == 1
    assert Credential.objects.count() == 1
