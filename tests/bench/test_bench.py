"""The benchmarks measure, with peers left out and everything tiny; what they find is judged by people."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from bench.report import Finding, as_json, as_table, percentile

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "name",
    [
        "backup",
        "burst",
        "deletion",
        "endpoints",
        "memory",
        "overhead",
        "overview",
        "reminders",
        "scheduler_idle",
        "sweep",
        "trigger",
    ],
)
def test_every_benchmark_can_be_imported(name):
    assert callable(import_module(f"bench.{name}").measure)


def measured(name, tmp_path):
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", f"bench.{name}", "--tiny", "--alone", "--json", str(found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(found.read_text())["findings"]


def test_a_tiny_burst_is_measured_alone(tmp_path):
    [finding] = measured("burst", tmp_path)
    assert (finding["topic"], finding["what"]) == ("burst of due ticks", "20 published in")
    assert finding["ours"] > 0


def test_the_overview_is_measured_while_some_browsers_have_it_open(tmp_path):
    findings = measured("overview", tmp_path)
    assert {each["topic"] for each in findings} == {"200 jobs, 400 runs, 3 browsers"}
    assert [each["what"] for each in findings] == ["/", "/", "a part is renewed", "progress until its event"]
    assert all(each["ours"] > 0 for each in findings)


def finding(**values):
    return Finding(**{"topic": "t", "what": "w", "ours": 30.0, "unit": "ms", **values})


def test_a_ratio_on_its_target_meets_it():
    assert finding(beside=10.0, at_most=3.0).met is True
    assert finding(beside=10.0, at_least=3.0).met is True


def test_a_ratio_beyond_its_target_misses_it():
    assert finding(beside=9.9, at_most=3.0).met is False
    assert finding(beside=10.1, at_least=3.0).met is False


def test_without_a_peer_a_ratio_is_not_judged():
    assert finding(at_most=3.0).met is None


def test_a_limit_is_missed_when_it_is_reached():
    assert finding(limit=30.1).met is True
    assert finding(limit=30.0).met is False


def test_the_table_says_what_was_missed():
    lines = as_table([finding(beside=9.0, peer="stock", at_most=3.0)]).splitlines()
    assert lines[1].split() == ["t", "w", "30", "ms", "9", "ms", "stock", "3.33", "ratio", "<=", "3", "MISSED"]


def test_the_json_keeps_what_the_table_rounds():
    [told] = json.loads(as_json([finding(ours=1 / 3, beside=1.0, at_most=1.0)]))["findings"]
    assert (told["ratio"], told["met"]) == (1 / 3, True)


def test_the_percentile_of_few_values_is_their_worst():
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
