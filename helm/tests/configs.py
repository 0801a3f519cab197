"""The binary reads what the chart renders: each container's files are laid out as its pod would mount them."""

import os
import pathlib
import shutil

import yaml

from chart import ROOT, run

STARTER = ROOT / "deploy/examples/starter"
ACCOUNTS = '[[account]]\nname = "acme"\nkeys = ["key-of-acme-0123456789"]\n'
# What stands in Secrets that the chart only names, by key.
SECRETS = {
    "accounts.toml": ACCOUNTS,
    "key_secret": "5f1d3b0c9a7e4d2886c1f0b3a5d79e24",
    "secret": "a78a59b87f6e4d2886c1f0b3a5d79e24",
    "url": "rediss://:password@redis.data:6380",
    "password": "sesame",
    "username": "signalbox",
    "token": "t0ken",
    "key": "key-of-the-carrier",
    "path": "hook-0123456789abcdef",
}


def certificates(folder):
    """A certificate with its key, and itself as the authority."""
    folder.mkdir()
    key, certificate = folder / "tls.key", folder / "tls.crt"
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
               "-keyout", key, "-out", certificate)
    assert made.returncode == 0, made.stderr
    shutil.copy(certificate, folder / "ca.crt")
    return {path.name: path.read_text() for path in folder.iterdir()}


def flat(table):
    """A table as keys of a ConfigMap."""
    return {str(path.relative_to(table)).replace("/", "."): path.read_text() for path in table.rglob("*") if path.is_file()}


class Cluster:
    """What a render puts into the API, and what it expects there."""

    def __init__(self, render, secrets):
        self.objects = {}
        for manifest in filter(None, yaml.safe_load_all(render.read_text())):
            self.objects[manifest["kind"], manifest["metadata"]["name"]] = manifest
        self.secrets = secrets

    def files(self, volume):
        """Text by path of a volume; None = it is a folder to write to."""
        if "emptyDir" in volume:
            return None
        if "persistentVolumeClaim" in volume:
            return {f"current/{path.relative_to(STARTER)}": path.read_text() for path in STARTER.rglob("*") if path.is_file()}
        if "configMap" in volume:
            found = self.objects.get(("ConfigMap", volume["configMap"]["name"]))
            return found["data"] if found else flat(STARTER)
        found = self.objects.get(("Secret", volume["secret"]["secretName"]))
        return found["stringData"] if found else self.secrets

    def pods(self):
        """Each pod with its name."""
        for (kind, name), manifest in self.objects.items():
            if kind == "Pod":
                yield name, manifest["spec"]
            elif kind in ("Deployment", "StatefulSet", "Job"):
                yield f"{name}-0", manifest["spec"]["template"]["spec"]


def lay(cluster, pod, container, root):
    """Puts every mounted file below `root`, which stands for `/` in what they say."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        folder = root / mount["mountPath"].lstrip("/")
        folder.mkdir(parents=True)
        for name, text in (cluster.files(volumes[mount["name"]]) or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("/etc/signalbox", f"{root}/etc/signalbox").replace("/var/lib/", f"{root}/var/lib/"))


def environment(pod_name, container):
    variables = {}
    for entry in container.get("env", []):
        of_pod = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath") == "metadata.name"
        variables[entry["name"]] = pod_name if of_pod else entry["value"]
    return variables


def call(signalbox, cluster, pod_name, pod, work):
    """Runs the container's command so that it only checks; what is wrong, or nothing."""
    container = pod["containers"][0]
    root = work / pod_name
    lay(cluster, pod, container, root)
    arguments = [word.replace("/etc/signalbox", f"{root}/etc/signalbox") for word in container["args"]]
    expected = 0
    if arguments[0] in ("ingest", "router", "connector"):
        arguments.append("--check-config")
    elif arguments[:2] == ["topics", "create"]:
        arguments = ["topics", "list"] + [word for word in arguments[2:] if not word.startswith("--within")]
    else:
        # A test of the release: here nobody answers, and the command is called rightly.
        expected = 69
    done = run(signalbox, *arguments, env=os.environ | environment(pod_name, container))
    return done.returncode != expected and f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"


def check_all(renders, signalbox, work, check):
    secrets = SECRETS | certificates(work / "certificates")
    for example, render in renders.items():
        own = secrets | ({"url": "redis://:password@redis.data:6379"} if example != "tls" else {})
        cluster = Cluster(render, own)
        roles = 0
        for name, pod in cluster.pods():
            if "args" in pod["containers"][0] and "command" not in pod["containers"][0] and "redis" not in pod["containers"][0]["name"]:
                check(f"{example}: the binary takes {name}", call(signalbox, cluster, name, pod, work / example))
                roles += 1
        check(f"{example} has pods", roles < 5 and f"{roles} pods were looked at")
    table_configmap(signalbox, work, check)


def table_configmap(signalbox, work, check):
    """A table is the same as a folder and as the ConfigMap that the script makes of it."""
    made = run(pathlib.Path(ROOT / "deploy/table-configmap"), "tables", STARTER)
    manifest = yaml.safe_load(made.stdout)
    folder = work / "mounted"
    folder.mkdir()
    for name, text in manifest["data"].items():
        (folder / name).write_text(text)
    done = run(signalbox, "table", "diff", "--exit-code", STARTER, folder)
    check("a table as ConfigMap is the same table", done.returncode and made.stderr + done.stdout + done.stderr)
