"""What stands in deploy/ beside the image, without an engine: every file that the laptop's compose file mounts is there, the binary
reads the roles' configuration, Prometheus its own, and systemd the units. `python deploy/check.py BINARY`, with PyYAML at hand."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).parent
ROLES = ("ingest", "router", "connector")
PASSED, FAILED, SKIPPED = [], [], []


def check(name, problem):
    (FAILED if problem else PASSED).append(name)
    if problem:
        print(f"FAILED {name}\n{problem}\n")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def mounts(service):
    """Source and target of everything mounted from this tree."""
    for volume in service.get("volumes", []):
        source, target = volume.split(":")[:2]
        if source.startswith("."):
            yield HERE / source, target


def compose(binary):
    services = yaml.safe_load((HERE / "compose.laptop.yaml").read_text())["services"]
    backing = yaml.safe_load((HERE / "compose.yaml").read_text())["services"]
    known = services.keys() | backing.keys()
    for name, service in services.items():
        gone = [str(source) for source, _ in mounts(service) if not source.exists()]
        check(f"{name}: what it mounts is there", gone and f"{', '.join(gone)} not there")
        open_to_all = [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
        check(f"{name}: on the loopback alone", open_to_all and f"{open_to_all} is open to the network")
        strangers = [needed for needed in service.get("depends_on", {}) if needed not in known]
        check(f"{name}: knows whom it waits for", strangers and f"{strangers} is no service")
    for role in ROLES:
        check(f"the binary takes the laptop's {role}", takes(binary, services[role]))


def takes(binary, service):
    """Lays out the role's files as its container has them; what the binary says against them."""
    with tempfile.TemporaryDirectory() as place:
        for source, target in mounts(service):
            inside = pathlib.Path(place) / target.lstrip("/")
            inside.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, inside)
            else:
                shutil.copy(source, inside)
        role, _, config = service["command"]
        done = run(binary, role, "--config", f"{place}{config}", "--check-config")
        return done.returncode and done.stdout + done.stderr


def prometheus():
    if not shutil.which("promtool"):
        SKIPPED.append("prometheus")
        print("SKIPPED: Prometheus' own check needs promtool")
        return
    done = run("promtool", "check", "config", "--syntax-only", HERE / "compose/prometheus.yml")
    check("Prometheus takes its configuration", done.returncode and done.stdout + done.stderr)


def units():
    if not shutil.which("systemd-analyze"):
        SKIPPED.append("units")
        print("SKIPPED: units are checked by systemd-analyze")
        return
    for unit in sorted((HERE / "systemd").glob("*.service")):
        done = run("systemd-analyze", "verify", "--man=no", unit)
        # That the binary is not installed here is no fault of the unit.
        said = [line for line in done.stderr.splitlines() if unit.name.split("@")[0] in line and "is not executable" not in line]
        check(f"systemd takes {unit.name}", "\n".join(said))


def main():
    compose(pathlib.Path(sys.argv[1]).resolve())
    prometheus()
    units()
    print(f"{len(PASSED)} passed, {len(FAILED)} failed, {len(SKIPPED)} skipped")
    return bool(FAILED)


if __name__ == "__main__":
    sys.exit(main())
