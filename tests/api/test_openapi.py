"""The description of the API, and its page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from config.urls import api
from jobs.engine import registry


@pytest.fixture
def schema(caller: Callable[..., Client]) -> Any:
    return caller("read").get("/cron/openapi.json").json()


def test_every_job_has_an_operation_with_its_own_body(schema: Any) -> None:
    for job in registry.all_jobs():
        operation = schema["paths"][f"/cron/trigger/{job.slug}"]["post"]
        assert job.description == operation["description"]
        assert operation["requestBody"]["required"] is False
        assert f"Trigger{job.slug.title().replace('-', '')}" in str(operation["requestBody"])


def test_the_other_operations_are_described(schema: Any) -> None:
    paths = {path for path in schema["paths"] if "/trigger/" not in path}
    job = "/cron/jobs/{slug}"
    run, alert = "/cron/runs/{run_id}", "/cron/alerts/{alert_id}"
    state = {"/cron/status", "/cron/health", "/cron/metrics"}
    reports = {"/cron/reports", "/cron/reports/{day}"}
    backups, tokens = {"/cron/backups", "/cron/backups/{backup_id}"}, {"/cron/tokens", "/cron/tokens/{token_id}"}
    schedule, entry = f"{job}/schedule", "/cron/audit/{entry_id}"
    assert paths == {
        *state,
        "/cron/runs",
        run,
        f"{run}/cancel",
        f"{run}/retry",
        job,
        f"{job}/ticks",
        f"{job}/why",
        f"{job}/pause",
        f"{job}/resume",
        f"{run}/log",
        schedule,
        f"{schedule}/preview",
        f"{schedule}/reset",
        "/cron/audit",
        entry,
        f"{entry}/revert",
        *backups,
        *tokens,
        "/cron/alerts",
        alert,
        f"{alert}/acknowledgement",
        *reports,
    }


def test_errors_are_described_as_problems(schema: Any) -> None:
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                for media, content in response["content"].items():
                    if media.startswith("text/"):
                        continue
                    problem = "ProblemDetails" in str(content)
                    told = (operation["operationId"], status)
                    assert media == ("application/problem+json" if problem else "application/json"), told


def test_what_every_operation_may_answer_is_described(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            expected = {"400", "401", "403", "405", "503"} | ({"404"} if "{" in path else set())
            expected |= {"409", "413", "415"} if method != "get" else set()
            assert expected <= set(operation["responses"]), operation["operationId"]
            for status in expected:
                assert "application/problem+json" in operation["responses"][status]["content"]


def test_health_describes_both_reasons_for_503(schema: Any) -> None:
    content = schema["paths"]["/cron/health"]["get"]["responses"]["503"]["content"]
    assert set(content) == {"application/json", "application/problem+json"}


def test_the_states_of_runs_and_of_alerts_are_two_shapes(schema: Any) -> None:
    shapes = schema["components"]["schemas"]
    assert "queued" in shapes["State"]["enum"]
    assert shapes["AlertState"]["enum"] == ["raised", "acknowledged", "cleared"]


def test_two_shapes_of_one_name_are_refused() -> None:
    described = api.get_openapi_schema()
    described.add_schema_definitions({"State": described["components"]["schemas"]["State"]})
    with pytest.raises(ValueError, match="Two shapes of the API are called 'State'"):
        described.add_schema_definitions({"State": {"enum": ["raised"]}})


def test_operations_and_shapes_are_named_once_and_plainly(schema: Any) -> None:
    names = [operation["operationId"] for each in schema["paths"].values() for operation in each.values()]
    assert len(set(names)) == len(names) == 47
    assert {"get_status", "list_runs", "trigger_backup_data"} <= set(names)
    assert "runId" in schema["components"]["schemas"]["Accepted"]["properties"]


def test_the_page_is_served_without_a_foreign_host(caller: Callable[..., Client]) -> None:
    page = caller("read").get("/cron/docs").content.decode()
    assert "swagger" in page
    assert "//cdn" not in page
    assert "https://" not in page


@pytest.mark.parametrize("address", ["/cron/docs", "/cron/openapi.json"])
def test_they_are_only_read(caller: Callable[..., Client], address: str) -> None:
    answer = caller("read").post(address)
    assert (answer.status_code, answer["Allow"], answer["Content-Type"]) == (405, "GET", "application/problem+json")


def test_that_no_text_may_hold_nul_is_described(schema: Any) -> None:
    pause = schema["components"]["schemas"]["PauseRequest"]["properties"]
    assert re.fullmatch(pause["reason"]["pattern"], "a\nb 🍕")
    assert not re.fullmatch(pause["reason"]["pattern"], "a\0b")
    [job] = [each for each in schema["paths"]["/cron/runs"]["get"]["parameters"] if each["name"] == "job"]
    assert "pattern" in str(job["schema"])
    assert "pattern" not in str(schema["components"]["schemas"]["ProblemDetails"]), "it quotes what was sent"


def test_the_letters_are_described_beside_the_report_itself(schema: Any) -> None:
    content = schema["paths"]["/cron/reports/{day}"]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/html", "text/plain"}
