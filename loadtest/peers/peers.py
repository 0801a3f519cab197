#!/usr/bin/env -S python3 -B
"""Measures gateways side by side on this machine: `peers.py --help`. What it does and why stands in README.md beside it."""

import argparse
import datetime
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from jasmin import Jasmin
from kannel import Kannel
from load import Load
from processes import Processes, free_ports
from redis_server import redis_version
from signalbox import Signalbox

HERE = Path(__file__).parent
FULL_SECONDS, STEADY_SECONDS = 8, 6
# Receipts of real carriers take longer; at once they overtake answers, which costs Jasmin a second each.
RECEIPT_DELAY = "100ms"

PEERS = {
    "kannel-memory": Kannel("internal", False, "nothing: queue and receipts awaited are in memory"),
    "kannel-redis": Kannel("redis", False, "receipts awaited, but for the last second's; the queue is in memory and lost"),
    "kannel-disk": Kannel("redis", True, "what Linux happened to write: each message is a file, never synced; receipts as with kannel-redis"),
    "jasmin": Jasmin("smpp", "receipts awaited, but for the last second's; queues in RabbitMQ are not durable and are lost"),
}


def main() -> None:
    """Runs everything that was asked for, and says what was found."""
    # As by Ctrl-C: what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    args = _arguments()
    peers = {"signalbox": Signalbox(args.signalbox, args.loadtest)} | PEERS
    home = Path(subprocess.run([HERE / "install"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
    found = {name: _about(peer, home) for name, peer in peers.items() if name in args.only}
    setting = _setting(home)
    # In turns, so that what else the machine does meets all of them alike.
    for number in range(1, args.runs + 1):
        for name, about in found.items():
            print(f"run {number} of {args.runs}: {name}", file=sys.stderr, flush=True)
            try:
                full, steady = _run(peers[name], args.loadtest, home)
            except (RuntimeError, subprocess.SubprocessError) as error:
                about["failed"].append(f"run {number}: {error}")
                continue
            about["full"].append(full)
            about["steady"].append(steady)
    args.out.mkdir(parents=True, exist_ok=True)
    report = {"setting": setting, "peers": found}
    (args.out / "peers.json").write_text(json.dumps(report, indent=1) + "\n")
    table = _table(setting, found)
    (args.out / "peers.md").write_text(table)
    print(table, end="")
    sys.exit(any(about["failed"] for about in found.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures Kannel, Jasmin and Signalbox side by side on this machine.")
    binaries = HERE / "../../target/release"
    names = ["signalbox", *PEERS]
    parser.add_argument("--signalbox", type=Path, default=binaries / "signalbox", help="binary to measure")
    parser.add_argument("--loadtest", type=Path, default=binaries / "signalbox-loadtest", help="binary of the carrier")
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="who is measured")
    parser.add_argument("--out", type=Path, default=HERE / "../../target/peers", help="folder of peers.json and peers.md")
    args = parser.parse_args()
    args.signalbox, args.loadtest, args.out = (each.resolve() for each in (args.signalbox, args.loadtest, args.out))
    return args


def _about(peer, home: Path) -> dict:
    return {"version": peer.version(home), "keeps": peer.keeps, "full": [], "steady": [], "failed": []}


def _run(peer, loadtest: Path, home: Path) -> tuple[dict, dict]:
    """One run: warm, as much as is taken for some seconds, then half of that in open loop."""
    with tempfile.TemporaryDirectory(prefix="signalbox-peers-") as folder, Processes(Path(folder)) as processes:
        folder, [carrier] = Path(folder), free_ports(1)
        log = folder / "carrier.tsv"
        told = ["--listen", f"127.0.0.1:{carrier}", "--log", log, "--receipt-delay", RECEIPT_DELAY]
        processes.start("carrier", [loadtest, "smsc", *told])
        processes.wait_for_port("carrier", carrier)
        load = Load(peer.start(home, folder, processes, carrier), folder, processes, log)
        warm = load.run(peer.warm, None)
        full = load.run(min(round(warm["per_second"] * FULL_SECONDS), peer.most), None)
        half = full["per_second"] / 2
        return full, load.run(round(half * STEADY_SECONDS), half)


def _setting(home: Path) -> dict:
    cpu = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return {
        "machine": {"cpu": cpu.partition(": ")[2], "cores": len(os.sched_getaffinity(0)), "kernel": platform.release()},
        "load_average": os.getloadavg()[0],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": git.stdout.strip() or "unknown",
        "redis": redis_version(home),
    }


def _table(setting: dict, found: dict) -> str:
    machine = setting["machine"]
    lines = [
        f"{machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, load average {setting['load_average']:.1f} before; "
        f"{setting['date']}, commit {setting['commit']}.",
        f"Medians of {max(len(about['full']) for about in found.values())} runs, lowest to highest in brackets.",
        "",
        "| | messages/s, to the last receipt | submitted to carrier, p50 / p99 at half load | to receipt, p50 / p99 "
        "| CPU a message | memory |",
        "|---|---|---|---|---|---|",
    ]
    measured = {name: about for name, about in found.items() if about["full"]}
    lines += [_row(name, about) for name, about in measured.items()]
    lines += ["", "When the power goes, it keeps:", "", *(f"- {name}: {about['keeps']}" for name, about in measured.items())]
    lines += ["", *_ratios(measured)]
    lines += [f"FAILED: {name}, {failure}" for name, about in found.items() for failure in about["failed"]]
    return "\n".join(lines) + "\n"


def _row(name: str, about: dict) -> str:
    rate = _spread([run["per_second"] for run in about["full"]], ",.0f")
    cpu = _spread([_own(run["processor_us"]) for run in about["full"]], ",.0f")
    memory = statistics.median(_own(run["memory_mb_max"]) for run in about["full"])
    times = (_latency(about["steady"], which) for which in ("to_carrier", "to_receipt"))
    return f"| {name} ({about['version']}) | {rate} | {' | '.join(times)} | {cpu} µs | {memory:.0f} MB |"


def _own(by_process: dict[str, float]) -> float:
    """Without those that make the load and take it."""
    return sum(value for name, value in by_process.items() if name not in ("carrier", "customer"))


def _spread(values: list[float], style: str) -> str:
    return f"{statistics.median(values):{style}} ({min(values):{style}}–{max(values):{style}})"


def _latency(runs: list[dict], which: str) -> str:
    if any(run[which] is None for run in runs):
        return "—"
    p50, p99 = (statistics.median(run[which][share] for run in runs) for share in ("p50_ms", "p99_ms"))
    return f"{p50:,.1f} / {p99:,.1f} ms"


def _ratios(found: dict) -> list[str]:
    """How many times as fast Signalbox is, in this run."""
    rates = {name: statistics.median(run["per_second"] for run in about["full"]) for name, about in found.items()}
    ours = rates.pop("signalbox", None)
    return [f"Signalbox moves {ours / rate:.1f} times the messages of {name}." for name, rate in rates.items()] if ours else []


if __name__ == "__main__":
    main()
