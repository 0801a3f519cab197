"""The customer: hands messages to a gateway, and takes their receipts. `customer.py PLAN` reads a plan and prints what came of it.

At a rate, messages are due at their moments, whatever became of those before, and each counts from then. Without one there are
always as many on their way as the window has. One thread, and as little for each message as Python can: what it costs is told, as it
takes its share of the machine.
"""

import json
import sys
import time
from array import array
from pathlib import Path

from customer_http import Http
from customer_smpp import Smpp

# Without any answer or receipt for so long, what is missing is lost.
PATIENCE_SECONDS = 30
WAIT_SECONDS_MAX = 0.1


def recipient(first: int, number: int) -> str:
    """Country code 999 belongs to nobody."""
    return f"999{first + number:09}"


def text(first: int, number: int) -> str:
    """One segment of the GSM alphabet, each different."""
    return f"Your code is {(first + number) * 7919 % 1_000_000:06}. It is valid for 5 minutes. Do not share it with anyone."


class Ledger:
    """What became of each message: when it was due, and when its receipt came, in microseconds since 1970; 0 = it was not."""

    def __init__(self, messages: int, rate: float | None):
        self.rate = rate
        self.start = 0
        self.sent = 0
        self.due = array("q", bytes(8 * messages))
        self.delivered = array("q", bytes(8 * messages))
        self.answers = self.receipts = self.repeated = 0
        self.refused: dict[str, int] = {}
        # Since anything was heard.
        self.quiet_seconds = 0.0

    def is_due(self, now: int) -> bool:
        if self.sent == len(self.due):
            return False
        due = now if self.rate is None else self.start + int(self.sent * 1e6 / self.rate)
        self.due[self.sent] = due
        return due <= now

    def seconds_to_next(self) -> float:
        """Until a message is due, or whatever is heard before."""
        if self.sent == len(self.due):
            return WAIT_SECONDS_MAX
        return min(max(self.due[self.sent] - now_us(), 0) / 1e6, WAIT_SECONDS_MAX)

    def answered(self, refusal: str | None) -> None:
        self.answers += 1
        self.quiet_seconds = 0.0
        if refusal is not None:
            self.refused[refusal] = self.refused.get(refusal, 0) + 1

    def receipted(self, number: int) -> None:
        self.quiet_seconds = 0.0
        if self.delivered[number]:
            self.repeated += 1
            return
        self.delivered[number] = now_us()
        self.receipts += 1

    def waited(self, seconds: float) -> None:
        """A wait ended. Of one that took far longer than it may, the machine stood still and nobody was silent."""
        self.quiet_seconds += min(seconds, 2 * WAIT_SECONDS_MAX)

    def is_over(self) -> bool:
        done = self.answers == len(self.due) and self.receipts >= self.answers - sum(self.refused.values())
        return done or self.quiet_seconds > PATIENCE_SECONDS


def now_us() -> int:
    return time.time_ns() // 1000


def run(plan: dict) -> dict:
    """Carries out a plan and returns what came of it."""
    ledger = Ledger(plan["messages"], plan.get("rate"))
    transport = (Smpp if plan["kind"] == "smpp" else Http)(plan, ledger)
    transport.open()
    first = plan["first"]
    ledger.start = now_us()
    while not ledger.is_over():
        while transport.has_room() and ledger.is_due(now_us()):
            number, ledger.sent = ledger.sent, ledger.sent + 1
            transport.submit(number, recipient(first, number), text(first, number))
        began = time.monotonic()
        transport.turn(ledger.seconds_to_next() if transport.has_room() else WAIT_SECONDS_MAX)
        ledger.waited(time.monotonic() - began)
    transport.close()
    for name in ("due", "delivered"):
        Path(plan["times"], name).write_bytes(getattr(ledger, name).tobytes())
    return {
        "sent": ledger.sent,
        "answers": ledger.answers,
        "refused": ledger.refused,
        "receipts": ledger.receipts,
        "repeated": ledger.repeated,
        "seconds": (max(ledger.delivered) - ledger.start) / 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(run(json.loads(Path(sys.argv[1]).read_text()))))
