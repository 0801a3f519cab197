"""Everything that is checked of the chart, step by step; the last line counts. Run by helm/tests/run, which brings the tools."""

import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

import alerts
import configs
import restarts
import wiring
from chart import CHART, EXAMPLES, GOLDEN, KUBERNETES, SCHEMAS, TESTS, examples, render, run

# What the scanner would have, and why it does not get it.
POLICIES_WAIVED = [
    "container-image-pull-policy",  # images are named by digest or version
    "deployment-has-host-podantiaffinity",  # topology spread says it better
    "statefulset-has-host-podantiaffinity",
]

FAILED, PASSED = [], []


def check(name, problem):
    """Counts a check; `problem` is what is wrong, or nothing."""
    (FAILED if problem else PASSED).append(name)
    if problem:
        print(f"FAILED {name}\n{problem.rstrip()}\n")


def lint():
    for example in examples():
        done = run("helm", "lint", "--strict", "--quiet", CHART, "--kube-version", KUBERNETES[0], "-f", EXAMPLES / f"{example}.yaml")
        check(f"lint of {example}", done.returncode and done.stdout + done.stderr)


def conform(path, version):
    schema = "{{.ResourceKind}}{{.KindSuffix}}.json"
    places = ["-schema-location", f"{SCHEMAS / version}/{schema}", "-schema-location", f"{SCHEMAS / 'custom'}/{schema}"]
    return run("kubeconform", "-strict", *places, path)


def schemas(renders):
    for example, path in renders.items():
        for version in KUBERNETES:
            done = conform(path, version)
            check(f"{example} on Kubernetes {version}", done.returncode and done.stdout + done.stderr)
    # A check that passes everything would be none.
    for line, spoilt in {"replicas: 1": "replicaz: 1", "periodSeconds: 2": "periodSeconds: soon"}.items():
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(renders["minimal"].read_text().replace(line, spoilt))
            file.flush()
            check(f"{spoilt} is refused", not conform(file.name, KUBERNETES[0]).returncode and "kubeconform took it")


def policies(renders):
    for example, path in renders.items():
        # One pod is enough for trying things out, and KEDA's minimum is not seen by the scanner.
        waived = POLICIES_WAIVED + (["deployment-replicas"] if example in ("minimal", "keda") else [])
        options = [word for test in waived for word in ("--ignore-test", test)]
        done = run("kube-score", "score", "--exit-one-on-warning", "--ignore-container-cpu-limit", "-o", "ci", *options, path)
        findings = [line for line in done.stdout.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))]
        check(f"policies of {example}", done.returncode and "\n".join(findings) + done.stderr)


def notes(example, work):
    """What people read after an install. Helm shows it of a cluster alone, so that a copy of the chart has it as a manifest."""
    copy = work / f"notes-of-{example}"
    shutil.copytree(CHART, copy)
    text = (copy / "templates/NOTES.txt").read_text()
    told = '{{- define "told" }}' + text + '{{ end }}\ntold: {{ include "told" . | toJson }}\n'
    (copy / "templates/told.yaml").write_text(told)
    done = render(EXAMPLES / f"{example}.yaml", chart=copy, only="templates/told.yaml")
    return yaml.safe_load(done.stdout)["told"] if done.returncode == 0 else done.stderr


def golden(renders, work):
    for example, path in renders.items():
        compare(f"{example}.yaml", summary(path.read_text()))
        compare(f"{example}.notes.txt", notes(example, work))


def compare(name, new):
    """Holds `new` against what was kept of it, or keeps it."""
    kept = GOLDEN / name
    if os.environ.get("BLESS"):
        kept.write_text(new)
    old = kept.read_text() if kept.exists() else ""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), str(kept), "rendered now", lineterm="")
    check(f"{name} as it was", old != new and "\n".join(lines) + "\nif that is meant: BLESS=1 make chart-test")


def summary(text):
    """A render without what has a test of its own, and of many links the first two."""
    kept = []
    for document in text.split("\n---\n"):
        manifest = yaml.safe_load(document) or {}
        name = manifest.get("metadata", {}).get("name", "")
        if "-dashboard-" in name or manifest.get("kind") == "PrometheusRule":
            document = f"# {manifest['kind']} {name}: what it holds is tested by itself"
        elif "carrier-" in name and not name.endswith(("carrier-01", "carrier-02", "carrier-01-links", "carrier-02-links")):
            document = f"# {manifest['kind']} {name}"
        kept.append(document)
    return "\n---\n".join(kept)


def refusals():
    for case in yaml.safe_load((TESTS / "refusals.yaml").read_text()):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
            yaml.safe_dump(case["values"], values)
            values.flush()
            done = render(EXAMPLES / f"{case.get('example', 'production')}.yaml", values.name)
        said = " ".join(done.stderr.split())
        problem = "it was rendered" if not done.returncode else case["says"] not in said and f"it said: {said}"
        check(f"refused: {case['says']}", problem)


def documented():
    done = run(sys.executable, TESTS.parent / "readme", "--check")
    check("the chart's README has every value", done.returncode and done.stdout + done.stderr)


def main():
    signalbox = pathlib.Path(os.environ.get("SIGNALBOX") or pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "debug/signalbox"))
    if not signalbox.exists():
        sys.exit(f"{signalbox} is not there: cargo build -p signalbox, or name one as SIGNALBOX")
    work = pathlib.Path(tempfile.mkdtemp(prefix="chart-"))
    try:
        renders = {}
        for example in examples():
            done = render(EXAMPLES / f"{example}.yaml")
            check(f"template of {example}", done.returncode and done.stderr)
            renders[example] = work / f"{example}.yaml"
            renders[example].write_text(done.stdout)
        lint()
        schemas(renders)
        policies(renders)
        wiring.check_all(renders, check)
        golden(renders, work)
        refusals()
        restarts.check_all(check)
        documented()
        configs.check_all(renders, signalbox.resolve(), work, check)
        skipped = alerts.check_all(signalbox.resolve(), renders["production"], check)
    finally:
        shutil.rmtree(work)
    print(f"{len(PASSED)} passed, {len(FAILED)} failed, {skipped} skipped")
    return bool(FAILED)


if __name__ == "__main__":
    sys.exit(main())
