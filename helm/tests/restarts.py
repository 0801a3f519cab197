"""Which pods a change of values restarts: those whose template differs."""

import pathlib
import tempfile

import yaml

from chart import EXAMPLES, render

ATLAS = {"name": "atlas", "kind": "smpp", "carriers": ["atlas"], "settings": {"address": "a.example:1", "system_id": "s", "map": "usual"}}
CIRRUS = {"name": "cirrus", "kind": "simulator", "carriers": ["cirrus"]}
BEFORE = {"links": [ATLAS, CIRRUS], "linkMaps": {"usual": {"outcomes": {"ESME_RTHROTTLED": "hold"}}}}


def link(**settings):
    return {"links": [ATLAS | {"settings": ATLAS["settings"] | settings}, CIRRUS]}


# What changes, and whose pods restart for it.
CHANGES = [
    ({"table": {"files": {"policies.toml": "# another\n", "rates.cirrus.csv": "mcc,mnc,prefix,price,from,until\n"}}}, set()),
    ({"ingest": {"accounts": {"text": "# nobody\n"}}}, set()),
    ({"linkMaps": {"usual": {"outcomes": {"ESME_RTHROTTLED": "next"}}}}, set()),
    (link(outcomes={"ESME_RSYSERR": "next"}, receipt_errors={"001": "number"}, codes={"no_credit": 1057}), set()),
    (link(window=20), {"link-atlas"}),
    ({"links": [ATLAS]}, {"link-cirrus"}),
    ({"router": {"lookup": {"enabled": True, "providers": "# none\n"}}}, {"router"}),
    ({"drainSeconds": 60}, {"ingest", "router", "link-atlas", "link-cirrus", "topics"}),
]


def templates(*values):
    """The pod template of every workload of the roles, by component."""
    with tempfile.TemporaryDirectory() as place:
        files = [pathlib.Path(place, f"{at}.yaml") for at in range(len(values))]
        for file, given in zip(files, values):
            file.write_text(yaml.safe_dump(given))
        done = render(EXAMPLES / "minimal.yaml", *files)
    assert done.returncode == 0, done.stderr
    found = {}
    for manifest in filter(None, yaml.safe_load_all(done.stdout)):
        template = manifest.get("spec", {}).get("template")
        if template:
            found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
    return found


def check_all(check):
    before = templates(BEFORE)
    for change, expected in CHANGES:
        after = templates(BEFORE, change)
        restarted = {name for name in before if after.get(name) != before[name]}
        # The job of the topics runs at every upgrade in any case.
        wrong = restarted - {"topics"} != expected - {"topics"}
        check(f"who restarts for {change}", wrong and f"{restarted or 'nobody'} in place of {expected or 'nobody'}")
