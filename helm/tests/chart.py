"""Where things are, and how the chart is rendered."""

import pathlib
import subprocess

TESTS = pathlib.Path(__file__).parent
CHART = TESTS.parent / "signalbox"
EXAMPLES = TESTS.parent / "examples"
GOLDEN = TESTS / "golden"
SCHEMAS = TESTS / "schemas"
ROOT = TESTS.parents[1]
# The oldest that the chart takes, and the newest there was.
KUBERNETES = ["v1.30.14", "v1.37.2"]


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)


def examples():
    return sorted(path.stem for path in EXAMPLES.glob("*.yaml"))


def render(*values, chart=CHART, only=None):
    """The chart as release `sms`; later files of values override earlier ones. `only` is one of its templates."""
    files = [word for path in values for word in ("-f", path)]
    files += ["--show-only", only] if only else []
    return run("helm", "template", "sms", chart, "--namespace", "messaging", "--kube-version", KUBERNETES[0], *files)
