"""What the parts of a render say of each other is true: selectors find pods, ports are there, URLs lead to services."""

import re

import yaml


def pods(manifests):
    """Name, labels and specification of every pod that the render leads to."""
    for manifest in manifests:
        if manifest["kind"] == "Pod":
            yield manifest["metadata"]["name"], manifest["metadata"]["labels"], manifest["spec"]
        elif "template" in manifest.get("spec", {}):
            template = manifest["spec"]["template"]
            yield manifest["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def is_selected(selector, labels):
    return selector.items() <= labels.items()


def ports(specification):
    return {port["name"] for container in specification["containers"] for port in container.get("ports", [])}


def problems(manifests):
    found = list(pods(manifests))
    by_kind = {}
    for manifest in manifests:
        by_kind.setdefault(manifest["kind"], []).append(manifest)
    yield from services(by_kind.get("Service", []), found)
    yield from policies(by_kind.get("NetworkPolicy", []), found)
    yield from references(by_kind, found)
    for monitor in by_kind.get("ServiceMonitor", []):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        if not [service for service in by_kind["Service"] if is_selected(wanted, service["metadata"]["labels"])]:
            yield f"ServiceMonitor {monitor['metadata']['name']} finds no service"


def services(services, found):
    for service in services:
        name, specification = service["metadata"]["name"], service["spec"]
        behind = [pod for pod in found if is_selected(specification["selector"], pod[1])]
        if not behind:
            yield f"Service {name} finds no pod"
        for port in specification["ports"]:
            if any(port["targetPort"] not in ports(pod) for _, _, pod in behind):
                yield f"Service {name}: a pod behind it has no port {port['targetPort']}"


def policies(policies, found):
    for policy in policies:
        name, specification = policy["metadata"]["name"], policy["spec"]
        chosen = [pod for pod in found if is_selected(specification["podSelector"]["matchLabels"], pod[1])]
        if not chosen:
            yield f"NetworkPolicy {name} finds no pod"
        named = {port["port"] for rule in specification.get("ingress", []) for port in rule["ports"] if isinstance(port["port"], str)}
        for pod_name, _, pod in chosen:
            if named - ports(pod):
                yield f"NetworkPolicy {name}: {pod_name} has no port {named - ports(pod)}"
    for pod_name, labels, _ in found:
        own = [policy for policy in policies if is_selected(policy["spec"]["podSelector"]["matchLabels"], labels)]
        # One that denies, and one that says what is allowed all the same.
        if len(own) < 2:
            yield f"{pod_name} has no NetworkPolicy of its own"


def references(by_kind, found):
    workloads = {manifest["metadata"]["name"] for kind in ("Deployment", "StatefulSet") for manifest in by_kind.get(kind, [])}
    offered = {(service["metadata"]["name"], port["port"]) for service in by_kind["Service"] for port in service["spec"]["ports"]}
    for kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        for scaler in by_kind.get(kind, []):
            if scaler["spec"]["scaleTargetRef"]["name"] not in workloads:
                yield f"{kind} {scaler['metadata']['name']} scales nothing"
    for budget in by_kind.get("PodDisruptionBudget", []):
        if not [pod for pod in found if is_selected(budget["spec"]["selector"]["matchLabels"], pod[1])]:
            yield f"PodDisruptionBudget {budget['metadata']['name']} finds no pod"
    made = {(kind, manifest["metadata"]["name"]) for kind in ("ConfigMap", "Secret") for manifest in by_kind.get(kind, [])}
    for pod_name, _, pod in found:
        for volume in pod.get("volumes", []):
            reference = volume.get("configMap", {}).get("name")
            if reference and reference.startswith("sms-") and ("ConfigMap", reference) not in made:
                yield f"{pod_name} mounts ConfigMap {reference}, which nobody makes"
            reference = volume.get("secret", {}).get("secretName")
            if reference and reference.startswith("sms-") and ("Secret", reference) not in made:
                yield f"{pod_name} mounts Secret {reference}, which nobody makes"
        for argument in pod["containers"][0].get("args", []):
            for host, port in re.findall(r"^https?://([a-z0-9-]+):([0-9]+)$", argument):
                if (host, int(port)) not in offered:
                    yield f"{pod_name} calls {argument}, where nobody answers"


def check_all(renders, check):
    for example, path in renders.items():
        manifests = [manifest for manifest in yaml.safe_load_all(path.read_text()) if manifest]
        check(f"wiring of {example}", "\n".join(problems(manifests)))
        # A check that passes everything would be none.
        spoilt = path.read_text().replace("name: grpc, containerPort", "name: grcp, containerPort")
        seen = list(problems([manifest for manifest in yaml.safe_load_all(spoilt) if manifest]))
        check(f"wiring of {example} is looked at", not seen and "a port of another name was not seen")
