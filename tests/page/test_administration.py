"""The pages of the audit and the tokens: who sees them, what they tell, what they offer."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import audit
from access.models import Action, AuditEntry, Token
from jobs.engine import registry
from monitoring.page import labels
from monitoring.page.audit import chain, changes
from tests.page.conftest import LOOK, MANAGE, TRIGGER
from tests.page.reading import section, shown, text

AUDIT, TOKENS = "access.view_auditentry", "access.view_token"
SAID = {"id": 3, "name": "daily-report", "kind": "crontab", "minute": "0", "enabled": True, "args": "[]"}
pytestmark = pytest.mark.django_db


def note(action=Action.SCHEDULE_EDITED, subject="schedule daily-report", by="ana", **said):
    return audit.note(action, subject, by=by, **said)


@pytest.mark.parametrize(("page", "permission"), [("/audit", AUDIT), ("/tokens", TOKENS)])
def test_each_is_for_those_with_its_own_permission(client, person, page, permission):
    assert client.get(page)["Location"] == f"/sign-in?next={page}"
    refused = person(LOOK, TRIGGER, MANAGE).get(page)
    assert refused.status_code == 403
    assert permission in refused.content.decode()
    assert shown(person(permission), page)


def test_the_navigation_shows_what_a_person_may_see(person, looker):
    def offered(client, page):
        nav = re.search(r'<nav aria-label="Pages">.*?</nav>', shown(client, page), re.DOTALL)[0]
        return re.findall(r'href="([^"]+)"', nav)

    pages = ["/", "/alerts", "/reports", "/backups"]
    assert offered(looker, "/") == pages
    assert offered(person(AUDIT), "/audit") == ["/audit"]
    assert offered(person(LOOK, AUDIT, TOKENS, is_staff=True), "/") == [*pages, "/audit", "/tokens", "/admin/"]


def test_who_may_not_look_at_jobs_still_finds_the_way_to_what_they_may(person):
    refused = person(TOKENS).get("/").content.decode()
    nav = re.search(r'<nav aria-label="Pages">.*?</nav>', refused, re.DOTALL)[0]
    assert re.findall(r'href="([^"]+)"', nav) == ["/tokens"]


def test_an_edit_is_told_by_what_it_changed(person):
    note(before=SAID, after={**SAID, "minute": "30"})
    told = section(shown(person(AUDIT), "/audit"), "audit")
    assert "ana on the command line edited a schedule schedule daily-report minute 0 → 30" in text(told)
    assert "enabled" not in told


def test_what_has_no_before_is_told_without_what_says_nothing():
    assert [(each.name, each.before, each.after) for each in changes(None, {"a": 1, "b": "", "c": [], "d": None})] == [
        ("a", None, "1")
    ]
    assert [each.name for each in changes({"a": 1, "b": ""}, None)] == ["a"]
    assert [(each.before, each.after) for each in changes({"a": ""}, {"a": "x"})] == [("", "x")]
    assert changes(None, None) == []


def test_an_edit_of_a_schedule_can_be_taken_back_by_those_who_may_edit(person):
    edit = note(before=SAID, after={**SAID, "minute": "30"})
    note(Action.SIGNED_IN, "user ana")
    note(Action.SCHEDULE_ADDED, after=SAID)
    page = shown(person(AUDIT, MANAGE), "/audit")
    assert re.findall(r'data-post="([^"]+)"', page) == [f"/cron/audit/{edit}/revert"]
    assert "data-post" not in shown(person(AUDIT), "/audit")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=run-cancelled", ["bob"]),
        ("actor=ana", ["ana", "ana"]),
        ("actor=ana&subject=run+1", ["ana"]),
        ("subject=nothing", []),
        ("action=nonsense&actor=%00&before=nonsense", ["bob", "ana", "ana"]),
    ],
)
def test_it_can_be_narrowed(person, query, found):
    note()
    note(Action.RUN_TRIGGERED, "run 1")
    note(Action.RUN_CANCELLED, "run 2", by="bob")
    page = section(shown(person(AUDIT), f"/audit?{query}"), "audit")
    assert re.findall(r'<a href="\?actor=(ana|bob)"', page) == found  # who looks has signed in


def test_it_is_paged_with_its_filters_and_every_entry_comes_once(person):
    made = [note(subject=f"schedule {n}", by="a&b") for n in range(60)]
    note(by="somebody else")
    seen, address, client = [], "/audit?actor=a%26b", person(AUDIT)
    while address:
        page = section(shown(client, address), "audit")
        seen += re.findall(r">schedule (\d+)</a>", page)
        older = re.search(r'rel="next" href="(\?[^"]+)"', page)
        address = "/audit" + older[1].replace("&amp;", "&") if older else None
    assert seen == [str(n) for n in reversed(range(len(made)))]
    assert 'href="/audit?actor=a%26b"' in page


def test_how_far_the_chain_is_sealed_is_told(person):
    client = person(AUDIT)
    assert "Nothing is sealed yet." in shown(client, "/audit")
    note()
    assert "The newest get theirs within seconds." in shown(client, "/audit")
    assert chain(now=timezone.now() + timedelta(minutes=2)).overdue
    audit.seal()
    told = text(shown(client, "/audit"))
    assert "Sealed up to entry 2 of the chain" in told  # the first is that the person signed in
    assert AuditEntry.objects.get(position=2).seal[:12] in told
    assert "No entry waits for its seal." in told


def test_every_action_has_words():
    assert set(labels.ACTIONS) == set(Action.values)


def test_tokens_are_told_with_their_state_and_never_with_a_secret(person, make_token):
    now = timezone.now()
    _, secret = make_token("read", name="in use", groups=["cron"])
    make_token("trigger", name="old", expires_at=now - timedelta(days=1))
    make_token(name="gone", revoked_at=now)
    page = shown(person(TOKENS), "/tokens")
    told = text(section(page, "tokens"))
    for words in ("revoked", "expired", "in use"):
        assert words in told
    assert re.search(r"in use cron_[\w-]{4}… · .* in use read cron never not yet", told)
    assert secret not in page
    assert "data-post" not in page
    assert "new-token" not in page


def test_a_token_can_be_revoked_once_and_with_a_confirmation(person, make_token):
    make_token(revoked_at=timezone.now())
    token, _ = make_token(name="a<b")
    page = shown(person(TOKENS, "access.change_token"), "/tokens")
    assert re.findall(r'data-post="([^"]+)"', page) == [f"/cron/tokens/{token.pk}"]
    assert 'data-method="DELETE"' in page
    assert "Revoke the token a&lt;b?" in page


def test_nobody_is_offered_a_scope_that_they_lack(person):
    form = section(shown(person(TOKENS, "access.add_token", LOOK, TRIGGER), "/tokens"), "new-token")
    assert re.findall(r'name="scopes" value="(\w+)"', form) == ["read", "trigger"]
    assert re.findall(r'name="groups" value="(\w+)"', form) == registry.groups()


@pytest.mark.parametrize("page", ["/audit", "/tokens"])
def test_the_number_of_queries_does_not_grow(person, make_token, page):
    client = person(AUDIT, TOKENS)
    note()
    with CaptureQueriesContext(connection) as few:
        shown(client, page)
    for _ in range(12):
        note()
        make_token()
    Token.objects.update(created_by=int(client.session["_auth_user_id"]))
    with CaptureQueriesContext(connection) as many:
        shown(client, page)
    assert len(many) == len(few)
