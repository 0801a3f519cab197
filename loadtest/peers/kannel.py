"""Kannel 1.4.5: bearerbox holds the link to the carrier, smsbox the customers. User guide = the one of that version.

What is tuned, and which chapter of the guide says so:
- max-pending-submits 200: 10 by default, which it recommends "as a guideline" for carriers at large; this one takes any (7, SMPP).
- reconnect-delay 1, sms-resend-freq 1: a link that was lost comes back after 10 s by default (7, SMPP), and what waited for it after
  60 (3, core).
- smsbox-max-pending, max-pending-requests 1000: messages between the boxes (3, core), and receipts to customers at once (7, smsbox).
- log-level 4 and no access-log: nothing is written for a message (3, core; 7, smsbox).
- dlr-storage: `internal`, "very fast, but has no persistancy", or `redis` (3, core; 7, Redis DLR storage), over 4 connections.
- store-type `spool`: one file for each message, so that none is lost "even by crash"; without it the queue is in memory (3, core).
  `file` rewrites the whole queue every ten seconds.
- immediate-sendsms-reply stays off: it answers before the message is taken (7, smsbox).
"""

import re
import subprocess
import time
import urllib.request
from pathlib import Path

from processes import Processes, free_ports, libraries
from redis_server import start_redis

# For its status alone.
ADMIN = "nobody"

CORE = """
group = core
admin-port = {admin}
admin-interface = "127.0.0.1"
admin-password = {password}
smsbox-port = {smsbox}
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
log-level = 4
syslog-level = none
smsbox-max-pending = 1000
sms-outgoing-queue-limit = 1000000
sms-resend-freq = 1
dlr-storage = {storage}
{store}

group = smsc
smsc = smpp
smsc-id = carrier
host = 127.0.0.1
port = {carrier}
smsc-username = kannel
smsc-password = kannel
system-type = ""
transceiver-mode = true
msg-id-type = 0x03
max-pending-submits = {window}
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = "127.0.0.1"
log-level = 4
max-pending-requests = 1000

group = sendsms-user
username = customer
password = customer
"""

SPOOL = """store-type = spool
store-location = "{folder}"
"""

REDIS = """
group = redis-connection
id = dlr
host = 127.0.0.1
port = {port}
max-connections = 4

group = dlr-db
id = dlr
table = dlr
field-smsc = smsc
field-timestamp = ts
field-destination = destination
field-source = source
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = boxc
"""


class Kannel:
    """Kannel with its receipts in `storage`, and its queue on disk if `spool`."""

    warm, most = 2000, 100_000

    def __init__(self, storage: str, spool: bool, keeps: str):
        self.storage, self.spool, self.keeps = storage, spool, keeps

    def version(self, home: Path) -> str:
        """What it calls itself."""
        command = [home / "root/usr/sbin/bearerbox", "--version"]
        said = subprocess.run(command, env=libraries(home), capture_output=True, text=True, check=False)
        return "Kannel " + re.search(r"version `([^']+)'", said.stdout + said.stderr)[1]

    def start(self, home: Path, folder: Path, processes: Processes, carrier: int) -> dict:
        """Starts it before the carrier on that port, and returns how the customer hands in messages."""
        admin, smsbox, sendsms = free_ports(3)
        store = ""
        if self.spool:
            (folder / "spool").mkdir()
            store = SPOOL.format(folder=folder / "spool")
        words = {"storage": self.storage, "store": store, "carrier": carrier, "window": 200}
        config = CORE.format(admin=admin, password=ADMIN, smsbox=smsbox, sendsms=sendsms, **words)
        if self.storage == "redis":
            config += REDIS.format(port=start_redis(home, folder, processes))
        (folder / "kannel.conf").write_text(config)
        for box, port in (("bearerbox", smsbox), ("smsbox", sendsms)):
            command = [home / "root/usr/sbin" / box, folder / "kannel.conf"]
            processes.start(box, command, cwd=folder, env=libraries(home))
            processes.wait_for_port(box, port)
        _wait_for_carrier(admin)
        # dlr-mask 3: delivered, or not (10, "SMS Delivery Reports"). Taken are "0: Accepted for delivery" and, while the link is
        # away, "3: Queued for later delivery" (7, "SMS Push reply codes").
        path = (
            "/cgi-bin/sendsms?username=customer&password=customer&from=Signalbox&to={to}&text={text}&dlr-mask=3&dlr-url={receipt}"
        )
        return {"kind": "http", "port": sendsms, "path": path, "yes": "delivery", "thanks": "", "window": 64}


def _wait_for_carrier(admin: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/status.txt?password={ADMIN}", timeout=10) as status:
            if b"(online" in status.read():
                return
        time.sleep(0.1)
    raise RuntimeError("bearerbox has no bind at the carrier after 60 s")
