"""Who is not written to, and the words by which people say so."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from reservations import opt_outs
from reservations.models import OptOut
from tests.reservations.conftest import GUEST, HOUR, NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", "out"),
        (" stop. ", "out"),
        ("Stop!!", "out"),
        ("STOP 🙏", "out"),
        ("StopAll", "out"),
        ("unsubscribe", "out"),
        ("DEZABONARE", "out"),
        ("dezabonează", None),
        ("START", "in"),
        ("Abonare", "in"),
        ("unstop", "in"),
        ("cancel", None),
        ("YES", None),
        ("Nonstop?", None),
        ("please stop by at 8", None),
        ("stop start", None),
        ("", None),
        ("🙏", None),
    ],
)
def test_only_a_word_on_its_own_is_a_wish(text, wish):
    assert opt_outs.wish_of(text) == wish


def out(**values):
    return opt_outs.opt_out(**{"phone": GUEST, "channel": "sms", "why": "wrote STOP", "now": NOW, **values})


def test_opting_out_twice_is_noted_once():
    assert out()
    assert not out(now=NOW + HOUR)
    row = OptOut.objects.get()
    assert (row.kind, row.why, row.since, str(row.phone)) == ("opted_out", "wrote STOP", NOW, GUEST)


def test_each_channel_and_each_person_is_a_matter_of_its_own():
    assert out()
    assert out(channel="whatsapp")
    assert out(phone="+40700000002")
    assert set(opt_outs.closed_channels(GUEST)) == {"sms", "whatsapp"}


def test_opting_in_lifts_it_and_what_the_provider_said():
    opt_outs.suppress(phone=GUEST, channel="sms", why="30005", now=NOW)
    assert opt_outs.opt_in(phone=GUEST, channel="sms", now=NOW + HOUR)
    assert not opt_outs.opt_in(phone=GUEST, channel="sms", now=NOW + HOUR)
    assert opt_outs.closed_channels(GUEST) == {}
    assert OptOut.objects.get().lifted_at == NOW + HOUR


def test_after_opting_in_somebody_can_opt_out_again():
    assert out()
    opt_outs.opt_in(phone=GUEST, channel="sms", now=NOW)
    assert out(now=NOW + timedelta(days=1))
    assert OptOut.objects.count() == 2


def test_a_person_s_own_wish_outweighs_a_suppression_and_not_the_other_way_round():
    assert opt_outs.suppress(phone=GUEST, channel="sms", why="30005", now=NOW)
    assert not opt_outs.suppress(phone=GUEST, channel="sms", why="30005", now=NOW)
    assert out()
    assert not opt_outs.suppress(phone=GUEST, channel="sms", why="30006", now=NOW)
    row = OptOut.objects.get()
    assert (row.kind, row.why) == ("opted_out", "wrote STOP")


def test_the_database_keeps_one_at_a_time():
    out()
    with pytest.raises(IntegrityError), transaction.atomic():
        OptOut.objects.create(phone=GUEST, channel="sms")
