"""Signalbox itself, in the same run: one process on its own log, before the same carrier, with `signalbox-loadtest submit` as customer.

Its table is the one of `signalbox-loadtest world`, all of whose carriers are the one that listens.
"""

import re
import subprocess
from pathlib import Path

from processes import Processes, free_ports

CONFIG = """
[bus]
kind = "embedded"
path = "data/log"
[store]
kind = "embedded"
path = "data/log"
[table]
path = "table"
[ingest]
accounts = "accounts.toml"
grpc = "127.0.0.1:{ingest}"
[connector]
links = "links.toml"
"""

ACCOUNTS = """
[[account]]
name = "customer"
keys = ["{key}"]
in_flight = 100000
"""

LINKS = """
[[link]]
name = "carrier"
kind = "smpp"
carriers = [{carriers}]
address = "127.0.0.1:{carrier}"
system_id = "signalbox"
password = "customer"
window = 1000
"""

KEY = "key-of-the-comparison"


class Signalbox:
    """Signalbox on its embedded log."""

    keeps = "every message it said OK to, and every receipt it answered the carrier for: each is on the disk before that"
    warm, most = 20_000, 400_000

    def __init__(self, signalbox: Path, loadtest: Path):
        self.signalbox, self.loadtest = signalbox, loadtest

    def version(self, _home: Path) -> str:
        """What it calls itself."""
        return subprocess.run([self.signalbox, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def start(self, _home: Path, folder: Path, processes: Processes, carrier: int) -> dict:
        """Starts it before the carrier on that port, and returns how the customer hands in messages."""
        [ingest] = free_ports(1)
        subprocess.run([self.loadtest, "world", "--carriers", "3", "--out", folder / "table"], capture_output=True, check=True)
        names = re.findall(r'^name = ("[^"]+")', (folder / "table/carriers.toml").read_text(), re.MULTILINE)
        (folder / "signalbox.toml").write_text(CONFIG.format(ingest=ingest))
        (folder / "accounts.toml").write_text(ACCOUNTS.format(key=KEY))
        (folder / "links.toml").write_text(LINKS.format(carriers=", ".join(names), carrier=carrier))
        command = [self.signalbox, "standalone", "--config", folder / "signalbox.toml"]
        processes.start("signalbox", command, cwd=folder)
        processes.wait_for_port("signalbox", ingest)
        command = [self.loadtest, "submit", "--to", f"http://127.0.0.1:{ingest}", "--api-key", KEY, "--receipts", "60", "--json"]
        return {"kind": "submit", "command": [str(word) for word in command]}
