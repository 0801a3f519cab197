"""One load on one gateway: sends it, reads the books, and says what it cost. Figures have the names that `signalbox-loadtest bench` gives them."""

import json
import resource
import subprocess
import sys
from pathlib import Path

from processes import Processes
from witness import Books, received

HERE = Path(__file__).parent
# A rate beyond what anything takes: the router's own flow control decides.
FULL_RATE = 1_000_000
SECONDS_MAX = 300


class Load:
    """Loads on one gateway, one after the other, over the carrier whose log is `log`."""

    def __init__(self, plan: dict, folder: Path, processes: Processes, log: Path):
        self.plan, self.folder, self.processes, self.log = plan, folder, processes, log
        self.sent = 0

    def run(self, messages: int, rate: float | None) -> dict:
        """Sends that many messages at that rate, or as fast as they are taken, and waits for the last receipt.

        Raises where the carrier's log, the receipts and what was sent do not agree.
        """
        send = self._submit if self.plan["kind"] == "submit" else self._customer
        before, customer = self.processes.costs(), _children_seconds()
        found = send(messages, rate)
        after, customer = self.processes.costs(), _children_seconds() - customer
        self.sent += messages
        spent = {name: after[name][0] - before[name][0] for name in after} | {"customer": customer}
        return found | {
            "messages": messages,
            "rate_asked": rate,
            "per_second": messages / found["seconds"],
            "processor_us": {name: seconds * 1e6 / messages for name, seconds in spent.items()},
            "memory_mb_max": {name: octets for name, (_, octets) in after.items()},
        }

    def _customer(self, messages: int, rate: float | None) -> dict:
        times = self.folder / f"sent-{self.sent}"
        times.mkdir()
        plan = self.plan | {"messages": messages, "rate": rate, "first": self.sent, "times": str(times)}
        (times / "plan.json").write_text(json.dumps(plan))
        heard = _said([sys.executable, "-B", HERE / "customer.py", times / "plan.json"])
        books = Books(times, self.log, self.sent, messages)
        if heard["refused"] or heard["receipts"] != messages or books.missing() or books.wrong:
            raise RuntimeError(f"the books do not agree: {books.missing()} missing, {len(books.wrong)} altered; {heard}")
        return {
            "seconds": heard["seconds"],
            "to_carrier": books.latency_ms(books.carried),
            "to_receipt": books.latency_ms(books.delivered),
            "twice": books.twice,
        }

    def _submit(self, messages: int, rate: float | None) -> dict:
        asked = ["--rate", int(rate or FULL_RATE), "--count", messages, "--seed", self.sent + 1]
        before = self._received()
        heard = _said([*self.plan["command"], *map(str, asked)])
        segments = self._received() - before
        if heard["accepted"] != messages or heard["receipts"]["missing"] or segments < heard["segments"]:
            raise RuntimeError(f"the books do not agree: {segments} segments at the carrier; {heard}")
        return {
            "seconds": heard["receipts"]["seconds"],
            "to_carrier": None,
            "to_receipt": heard["receipts"]["latency_delivered"],
            "twice": segments - heard["segments"],
            "segments": heard["segments"],
        }

    def _received(self) -> int:
        return sum(1 for _ in received(self.log))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _said(command: list) -> dict:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    if not done.stdout:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
