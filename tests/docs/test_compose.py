"""The Compose file: every command, variable, secret and file in it exists, and every group has its worker."""

import re
import shlex
import subprocess

import pytest
import yaml
from cryptography.fernet import Fernet
from django.urls import resolve

from config import alerts, backups, mail, providers, security, sources, tracing
from config.cron import _Variables
from config.database import from_url
from config.messaging import GROUPS
from jobs.engine import registry
from tests.docs.commands import problem
from tests.docs.reading import ROOT, required_variables, variables_read

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
SECRETS_FOLDER = "/run/secrets/"
PROVIDERS = "./var/compose/providers"

READS = {"flower": "flowerconfig.py", "prometheus": "prometheus/prometheus.yml"}
# It is known to the service, which makes it: `manage.py token create`.
MADE_BY_THE_SERVICE = {"metrics_token"}

ours = pytest.mark.parametrize("name", OURS)


def _command(name):
    command = SERVICES[name]["command"]
    return command if isinstance(command, list) else shlex.split(command)


def test_it_has_the_services_of_production():
    workers = {f"worker-{group}" for group in GROUPS}

    servers = {"postgres", "redis", "proxy", "prometheus", "grafana"}
    assert set(SERVICES) == {*servers, "migrate", "web", "realtime", "beat", "flower", *workers}
    assert set(OURS) == {"migrate", "web", "realtime", "beat", "flower", *workers}


@ours
def test_its_command_exists(name):
    assert problem(shlex.join(_command(name)).replace("/etc/flowerconfig.py", "docker/flowerconfig.py")) == ""


@ours
def test_its_variables_are_read_by_the_service(name):
    groups = (
        _Variables,
        alerts._Variables,
        backups._Variables,
        mail._Variables,
        providers._Variables,
        security._Variables,
        sources._Variables,
        tracing._Variables,
    )
    known = {field for group in groups for field in group.model_fields} | {sources.DIRECTORY, alerts.CHANNELS}
    known |= variables_read() | {f"{each}_FILE" for each in required_variables()}

    assert set(OURS[name]["environment"]) <= known


@ours
def test_it_is_given_everything_without_which_it_does_not_start(name):
    given = {variable.removesuffix("_FILE") for variable in OURS[name]["environment"]}

    assert required_variables() <= given
    assert set(_Variables.model_fields) <= given


@pytest.mark.parametrize("name", SERVICES)
def test_the_secrets_it_reads_are_mounted_and_the_others_are_not(name):
    service = SERVICES[name]
    values = [str(value) for value in service.get("environment", {}).values()]
    words = shlex.join(_command(name)) if "command" in service else ""
    used = set(re.findall(SECRETS_FOLDER + r"(\w+)", f"{words} {values} {service.get('healthcheck')}"))
    if name in READS:
        used |= set(re.findall(SECRETS_FOLDER + r"(\w+)", (ROOT / "docker" / READS[name]).read_text()))

    assert set(service.get("secrets", [])) == used
    assert used <= set(COMPOSE["secrets"])


def test_a_script_makes_every_secret_once_and_keeps_it(tmp_path):
    script = tmp_path / "docker" / "make-secrets"
    script.parent.mkdir()
    script.write_bytes((ROOT / "docker" / "make-secrets").read_bytes())
    secrets = {name: each["file"] for name, each in COMPOSE["secrets"].items() if name not in MADE_BY_THE_SERVICE}
    files = {name: tmp_path / file for name, file in secrets.items()}

    made = subprocess.run(["sh", script], check=True, capture_output=True, text=True).stdout.split()
    first = {name: file.read_text() for name, file in files.items()}
    again = subprocess.run(["sh", script], check=True, capture_output=True, text=True).stdout

    assert sorted(made) == sorted(secrets.values())
    assert (again, {name: file.read_text() for name, file in files.items()}) == ("", first)
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "var" / "compose").stat().st_mode & 0o777 == 0o700


def test_the_secrets_fit_each_other_and_what_reads_them(tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "make-secrets").write_bytes((ROOT / "docker" / "make-secrets").read_bytes())
    subprocess.run(["sh", tmp_path / "docker" / "make-secrets"], check=True, capture_output=True)
    files = (file for file in (tmp_path / "var" / "compose").iterdir() if file.is_file())
    made = {file.name: file.read_text().strip() for file in files}

    database = from_url(made["database_url"])
    postgres = SERVICES["postgres"]["environment"]
    assert database["PASSWORD"] == made["postgres_password"]
    assert (database["USER"], database["NAME"]) == (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"])
    assert database["HOST"] in SERVICES
    assert made["redis_url"] == f"redis://:{made['redis_conf'].removeprefix('requirepass ')}@redis:6379/0"
    assert Fernet(made["credential_keys"])
    assert made["flower_login"].startswith("operator:")


def test_every_group_has_workers_that_take_from_its_queue():
    words = {name: _command(name) for name in OURS if name.startswith("worker-")}
    queues = sorted(command[command.index("-Q") + 1] for command in words.values())

    assert queues == sorted(GROUPS) == sorted(registry.groups())


def test_any_number_of_each_can_be_started():
    assert SERVICES["beat"]["deploy"]["replicas"] == 2
    assert not [name for name, service in SERVICES.items() if "container_name" in service]
    assert [name for name in OURS if "ports" in SERVICES[name]] == ["flower"]


def test_nothing_starts_before_the_database_is_migrated():
    waiting = {
        name: service["depends_on"]["migrate"]["condition"] for name, service in OURS.items() if name != "migrate"
    }

    assert set(waiting.values()) == {"service_completed_successfully"}
    assert OURS["migrate"]["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_waits_for_exists_and_can_say_that_it_is_healthy(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] == "service_completed_successfully" or "healthcheck" in SERVICES[other]


@ours
def test_it_is_stopped_gently_and_may_do_little(name):
    service = OURS[name]

    assert service["init"] is True
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    if name.startswith("worker-"):
        assert service["stop_grace_period"] == "5m"


def test_the_health_of_the_web_is_an_address_it_answers_and_a_host_it_knows():
    check = " ".join(SERVICES["web"]["healthcheck"]["test"])
    host, port, path = re.search(r"http://(\w+):(\d+)(/\w+)", check).groups()

    assert resolve(path).func.__name__ == "livez"
    assert host in SERVICES["web"]["environment"]["ALLOWED_HOSTS"].split(",")
    assert f"0.0.0.0:{port}" in _command("web")
    assert f"reverse_proxy web:{port}" in (ROOT / "docker" / "Caddyfile").read_text()


def test_flower_is_only_there_when_asked_for_and_wants_a_login():
    assert SERVICES["flower"]["profiles"] == ["ops"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["flower"]["ports"])
    assert "basic_auth" in (ROOT / "docker" / "flowerconfig.py").read_text()


def test_the_broker_never_evicts_messages():
    command = _command("redis")

    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_the_folder_of_the_providers_secrets_is_made_and_mounted_where_it_is_read(tmp_path):
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "make-secrets").write_bytes((ROOT / "docker" / "make-secrets").read_bytes())
    subprocess.run(["sh", tmp_path / "docker" / "make-secrets"], check=True, capture_output=True)

    for name in {"web", *(each for each in OURS if each.startswith("worker-"))}:
        [mount] = [each for each in SERVICES[name]["volumes"] if each.startswith("./")]
        folder, inside, mode = mount.split(":")
        assert (tmp_path / folder).is_dir()
        assert (inside, mode) == (SERVICES[name]["environment"][sources.DIRECTORY], "ro")


def test_every_mounted_file_and_volume_exists():
    mounted = [mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])]

    for source in set(mounted) - {PROVIDERS}:
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


def test_every_variable_of_the_file_is_explained():
    asked = set(re.findall(r"\$\{(\w+)", TEXT))
    told = (ROOT / "docs" / "deployment.md").read_text()

    assert asked == {"SITE_HOST", "VERSION"}
    assert [name for name in asked if f"`{name}`" not in told] == []


def test_backups_outlive_the_container_of_the_group_that_makes_them():
    service = SERVICES[f"worker-{registry.get('backup-data').group}"]

    assert f"backups:{service['environment']['BACKUP_DIR']}" in service["volumes"]
    assert f"install -d -o cron -m 0700 {service['environment']['BACKUP_DIR']}" in (ROOT / "Dockerfile").read_text()


def test_the_database_quotes_no_rows_in_its_log():
    command = SERVICES["postgres"]["command"]
    assert {"log_error_verbosity=terse", "log_min_error_statement=panic"} <= set(command)
