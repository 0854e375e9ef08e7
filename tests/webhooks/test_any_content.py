"""Whatever a signed body holds, it is answered and never with a failure."""

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from external_apis.webhooks import meta, twilio
from tests.webhooks.conftest import NOW, callback, delivery, message, sms, status

WORDS = ["entry", "changes", "field", "messages", "value", "statuses", "contacts", "wa_id", "profile", "name", "id"]
MORE = ["from", "timestamp", "type", "text", "body", "image", "caption", "location", "latitude", "errors", "code"]
LAST = ["status", "biz_opaque_callback_data", "40712345678", "sent", "failed", "1781513940", "interactive", "title"]

texts = st.sampled_from([*WORDS, *MORE, *LAST]) | st.text(max_size=12)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)
change = st.fixed_dictionaries(
    {
        "messages": st.lists(st.dictionaries(texts, anything).map(lambda more: {**message(), **more}), max_size=3),
        "statuses": st.lists(st.dictionaries(texts, anything).map(lambda more: {**status(), **more}), max_size=3),
        "contacts": anything,
    }
)
bodies = anything | st.lists(change | anything.map(lambda value: {"messages": value}), max_size=3).map(
    lambda values: delivery(*values)
)
names = st.sampled_from([*sms(), *callback(), "NumMedia", "MediaContentType0", "Latitude", "Longitude", "ErrorCode"])
values = st.sampled_from(["1", "whatsapp:+40712345678", "sent", "٣", "image/png"]) | st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(string.printable + "\x00"), max_size=20
)
forms = st.dictionaries(names | values, values, max_size=8).flatmap(
    lambda more: st.sampled_from([more, {**sms(), **more}, {**callback(), **more}])
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@given(bodies)
@settings(PATIENT, max_examples=300)
def test_any_value_can_be_parsed_as_metas(body):
    for event in meta.parse(body, now=NOW).events:
        assert event.provider_id
        assert "\x00" not in repr(event).encode().decode()


@given(forms, st.text())
@settings(PATIENT, max_examples=300)
def test_any_form_can_be_parsed_as_twilios(form, reference):
    for event in twilio.parse(form, reference=reference, now=NOW).events:
        assert event.provider_id


@given(bodies)
@settings(PATIENT, max_examples=80)
def test_any_json_from_meta_is_answered(transactional_db, configured, asked, from_meta, body):
    answer = from_meta(body)

    assert answer.status_code == 200, answer.content


@given(forms)
@settings(PATIENT, max_examples=80)
def test_any_form_from_twilio_is_answered(transactional_db, configured, asked, from_twilio, form):
    answer = from_twilio(form)

    assert answer.status_code in (200, 204), answer.content
