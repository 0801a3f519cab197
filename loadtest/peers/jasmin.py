"""Jasmin 0.11.0 with RabbitMQ and Redis: jasmind, and the daemons that look up and hand on receipts. Its documentation is "the manual".

What is tuned, and where the manual says so:
- dlrlookupd and dlrd run apart from jasmind, as `jasmind --help` recommends; jasmind alone would do it all on one core.
- submit_throughput 0: 1 message a second by default, 0 is "unlimited" (Management CLI modules, "SMPP Client connector manager").
- Several connectors to the one carrier behind a RandomRoundrobinMTRoute, "a load balancer route" (same, "MT router
  manager"): Jasmin takes one message at a time out of a connector's queue.
- requeue_delay 1: what the carrier did not answer waits 120 s by default (same, "SMPP Client connector manager").
- log_level ERROR, and 40 for connectors, where a message writes nothing (jasmin.cfg, `log_level`; `loglevel` of connectors).
- dlr_lookup_retry_delay 1 and dlr_lookup_max_retries 30: a receipt that overtakes its message's answer waits 10 s and is dropped
  after 2 tries by default (jasmin.cfg, section `dlr`).
- persistence_timer_secs 3600: every write of the configuration "will cost you few performance points" (User FAQ, "Does Jasmin
  persist its configuration to disk?").
Customers come by SMPP, which takes a seventh less processor time a message than HTTP; `Jasmin("http", ...)` is the other way.
"""

import contextlib
import os
import re
import socket
import time
from pathlib import Path

from processes import Processes, free_ports
from rabbitmq import start_rabbitmq
from redis_server import start_redis

CONNECTORS = 4

CONFIG = """
[smpp-server]
bind = 127.0.0.1
port = {smpp}
log_level = ERROR
[smpp-server-pb]
bind = 127.0.0.1
port = {smpp_pb}
log_level = ERROR
[smpp-server-pb-client]
port = {smpp_pb}
[client-management]
bind = 127.0.0.1
port = {clients}
log_level = ERROR
[service-smppclient]
log_level = ERROR
[sm-listener]
log_level = ERROR
dlr_lookup_retry_delay = 1
dlr_lookup_max_retries = 30
[dlr]
log_level = ERROR
dlr_lookup_retry_delay = 1
dlr_lookup_max_retries = 30
[amqp-broker]
host = 127.0.0.1
port = {amqp}
spec = {spec}
log_level = ERROR
[http-api]
bind = 127.0.0.1
port = {http}
log_level = ERROR
[router]
bind = 127.0.0.1
port = {router}
persistence_timer_secs = 3600
log_level = ERROR
[deliversm-thrower]
log_level = ERROR
[dlr-thrower]
log_level = ERROR
[redis-client]
host = 127.0.0.1
port = {redis}
log_level = ERROR
[jcli]
bind = 127.0.0.1
port = {jcli}
authentication = False
log_level = ERROR
"""


class Jasmin:
    """Jasmin, with customers by `api`: smpp or http."""

    warm, most = 100, 10_000

    def __init__(self, api: str, keeps: str):
        self.api, self.keeps = api, keeps

    def version(self, home: Path) -> str:
        """What it calls itself."""
        [metadata] = home.glob("venv/lib/python*/site-packages/jasmin-*.dist-info")
        [broker] = home.glob("root/usr/lib/rabbitmq/lib/rabbitmq_server-*")
        jasmin = metadata.name.removeprefix("jasmin-").removesuffix(".dist-info")
        return f"Jasmin {jasmin}, RabbitMQ {broker.name.rpartition('-')[2]}"

    def start(self, home: Path, folder: Path, processes: Processes, carrier: int) -> dict:
        """Starts it before the carrier on that port, and returns how the customer hands in messages."""
        ports = dict(zip(("smpp", "smpp_pb", "clients", "http", "router", "jcli"), free_ports(6), strict=True))
        ports["redis"] = start_redis(home, folder, processes)
        ports["amqp"] = start_rabbitmq(home, folder, processes)
        own = folder / "jasmin"
        (own / "store").mkdir(parents=True)
        [spec] = (home / "venv/lib").glob("python*/site-packages/txamqp/specs/standard/amqp0-9-1.stripped.xml")
        (own / "jasmin.cfg").write_text(CONFIG.format(spec=spec, **ports))
        env = {"PATH": os.environ["PATH"], "CONFIG_PATH": str(own), "LOG_PATH": str(own / "logs"), "HOME": str(own)}
        options = ["--config", own / "jasmin.cfg"]

        def start(daemon: str, *more: str) -> None:
            processes.start(daemon, [home / "venv/bin/python", home / f"venv/bin/{daemon}.py", *options, *more], env=env)

        start("jasmind")
        processes.wait_for_port("jasmind", ports["jcli"])
        # Ids of daemons are unique on a machine.
        start("dlrlookupd", "--id", f"peers-{ports['jcli']}")
        start("dlrd", "--id", f"peers-{ports['jcli']}")
        _configure(ports["jcli"], carrier)
        if self.api == "smpp":
            user = {"user": "customer", "password": "customer"}
            return {"kind": "smpp", "port": ports["smpp"], "binds": 4, "window": 25} | user
        path = (
            "/send?username=customer&password=customer&from=Signalbox&to={to}&content={text}"
            "&dlr=yes&dlr-level=2&dlr-method=GET&dlr-url={receipt}"
        )
        return {"kind": "http", "port": ports["http"], "path": path, "yes": "Success", "thanks": "ACK/Jasmin", "window": 32}


def _configure(port: int, carrier: int) -> None:
    """Tells Jasmin its connectors, the route to them and the customer, on its console."""
    connectors = [f"carrier{number}" for number in range(CONNECTORS)]
    with socket.create_connection(("127.0.0.1", port), 10) as console:
        _answer(console)
        for connector in connectors:
            told = f"cid {connector}\nhost 127.0.0.1\nport {carrier}\nusername {connector}\npassword jasmin"
            _ask(console, f"smppccm -a\n{told}\nsubmit_throughput 0\nrequeue_delay 1\nloglevel 40\nok", "Successfully added connector")
            _ask(console, f"smppccm -1 {connector}", "Successfully started connector")
        _ask(console, "filter -a\ntype transparentfilter\nfid all\nok", "Successfully added Filter")
        dealt = ";".join(f"smppc({connector})" for connector in connectors)
        route = f"type RandomRoundrobinMTRoute\norder 10\nrate 0.0\nconnectors {dealt}\nfilters all"
        _ask(console, f"mtrouter -a\n{route}\nok", "Successfully added MTRoute")
        _ask(console, "group -a\ngid customers\nok", "Successfully added Group")
        user = "username customer\npassword customer\nuid customer\ngid customers"
        _ask(console, f"user -a\n{user}\nok", "Successfully added User")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if _say(console, "smppccm --list").count("BOUND_TRX") == CONNECTORS:
                return
            time.sleep(0.2)
    raise RuntimeError(f"the carrier on port {carrier} has no bind of each connector after 30 s")


def _ask(console: socket.socket, lines: str, wanted: str) -> None:
    answer = ""
    for line in lines.splitlines():
        answer = _say(console, line)
    if wanted not in answer:
        raise RuntimeError(f"jCli answered {answer!r} to {lines!r}, and not {wanted!r}")


def _say(console: socket.socket, line: str) -> str:
    console.sendall(f"{line}\r\n".encode())
    return _answer(console)


def _answer(console: socket.socket) -> str:
    """What the console says up to its next prompt, without what only terminals read."""
    said = b""
    with contextlib.suppress(TimeoutError):
        while not re.search(rb"(?:jcli : |> )(?:\x1b\[[0-9;?]*[A-Za-z])*$", said):
            octets = console.recv(65536)
            if not octets:
                break
            said += octets
    return re.sub(r"\x1b[\[()][0-9;?]*[A-Za-z0-9]|\xff..", "", said.decode("latin-1"))
