from tests.access.conftest import caller, make_token, person
from tests.api.conftest import make_run, sent
from tests.api.test_alerts import make_alert
from tests.api.test_daily_reports import make_report

__all__ = ["caller", "make_alert", "make_report", "make_run", "make_token", "person", "sent"]
