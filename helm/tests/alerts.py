"""Alerts, dashboards and runbooks: they hold together, and name only what the code counts."""

import json
import pathlib
import re
import shutil
import sys
import tempfile

import yaml

from chart import CHART, ROOT, TESTS, run

RULES = CHART / "alerts/signalbox.yaml"
STORIES = TESTS / "alerts.test.yaml"
RUNBOOKS = ROOT / "deploy/runbooks"
BY_NAME = re.compile(r'\{__name__=~"([^"]+)"')
METRIC = re.compile(r"\bsignalbox_[a-z_]+")
COMMAND = re.compile(r"`(signalbox(?: [a-z]+){1,2})\b")


def counted():
    """Names of all metrics, from the constants of the code."""
    names = set()
    for source in (ROOT / "services").rglob("*.rs"):
        if "tests" not in source.parts:
            names.update(re.findall(r'const [A-Z_]+: &str = "(signalbox_[a-z_]+)"', source.read_text()))
    return names


def unknown(expression, names):
    """Metrics of `expression` that nobody counts."""
    used = set(METRIC.findall(BY_NAME.sub("", expression)))
    for pattern in BY_NAME.findall(expression):
        used |= {name for name in names if re.fullmatch(pattern, name)} or {pattern}
    return {name for name in used if not {name, re.sub("_(bucket|sum|count)$", "", name)} & names}


def rules(check):
    for path, words in ((RULES, ("check", "rules")), (STORIES, ("test", "rules"))):
        done = run("promtool", *words, path)
        check(f"promtool {' '.join(words)}", done.returncode and done.stdout + done.stderr)
    names, told = counted(), STORIES.read_text()
    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]:
        alert = rule["alert"]
        page = f"https://example.invalid/signalbox/runbooks/{alert}.md"
        wrong = [f"nobody counts {name}" for name in unknown(rule["expr"], names)]
        wrong += [] if f'alertname="{alert}"' in told else [f"{STORIES.name} has no story in which it fires"]
        wrong += [] if rule["annotations"]["runbook_url"] == page else [f"its runbook_url is not {page}"]
        wrong += [] if (RUNBOOKS / f"{alert}.md").exists() else [f"deploy/runbooks/{alert}.md is not there"]
        wrong += [] if rule["labels"]["severity"] in ("page", "warning", "info") else ["its severity is none of page, warning, info"]
        check(f"alert {alert}", "\n".join(wrong))


def dashboards(check):
    done = run(sys.executable, TESTS.parent / "dashboards", "--check")
    check("dashboards are as helm/dashboards says", done.returncode and done.stderr)
    names, shown = counted(), set()
    for path in sorted((CHART / "dashboards").glob("*.json")):
        expressions = [target["expr"] for panel in json.loads(path.read_text())["panels"] for target in panel["targets"]]
        shown.update(name for expression in expressions for name in names if name in expression)
        wrong = [f"nobody counts {name}" for expression in expressions for name in unknown(expression, names)]
        wrong += parsed(expressions)
        check(f"dashboard {path.stem}", "\n".join(wrong))


def parsed(expressions):
    """What Prometheus says of expressions that it cannot read."""
    recorded = [{"record": f"panel:{at}", "expr": text.replace("$__rate_interval", "1m")} for at, text in enumerate(expressions)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}, file)
        file.flush()
        done = run("promtool", "check", "rules", file.name)
        return [done.stdout + done.stderr] if done.returncode else []


def runbooks(check, signalbox):
    commands = {found for page in RUNBOOKS.glob("*.md") for found in COMMAND.findall(page.read_text())}
    for command in sorted(commands):
        words = command.split()[1:]
        done = run(signalbox, *words, "--help")
        # `trace ID` and the like take no further word.
        done = done if done.returncode == 0 else run(signalbox, words[0], "--help")
        check(f"runbooks: {command}", done.returncode and done.stderr)
    for page in RUNBOOKS.glob("*.md"):
        links = re.findall(r"\]\(([^)#]+)", page.read_text())
        gone = [link for link in links if not (page.parent / pathlib.Path(link)).exists()]
        check(f"links of {page.name}", gone and f"{', '.join(gone)} not there")


def installed(check, render):
    """The PrometheusRule has the alerts as they were checked, and names the pages where the values say they are."""
    manifests = yaml.safe_load_all(render.read_text())
    spec = next(manifest["spec"] for manifest in manifests if manifest and manifest["kind"] == "PrometheusRule")
    written = RULES.read_text().replace("https://example.invalid/signalbox/runbooks", "https://runbooks.example/signalbox")
    check("the PrometheusRule has all alerts", spec != yaml.safe_load(written) and "it differs from " + str(RULES))


def check_all(signalbox, production, check):
    """Returns how many checks were skipped. `production` is a render with the alerts."""
    installed(check, production)
    runbooks(check, signalbox)
    if not shutil.which("promtool"):
        print("SKIPPED: alerts and dashboards need promtool, which Debian has in `prometheus`")
        return 1
    dashboards(check)
    rules(check)
    return 0
