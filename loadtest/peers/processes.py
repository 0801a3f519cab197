"""Processes that a run starts, what they cost, and their end. Nobody else's process is touched.

Each gets a session of its own, by which its children are found, whoever they were given to.
"""

import contextlib
import os
import platform
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 15


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def libraries(home: Path) -> dict[str, str]:
    """The environment of a program that was fetched to `home`: its libraries are there too."""
    folders = (home / "root" / folder / f"{platform.machine()}-linux-gnu" for folder in ("usr/lib", "lib"))
    return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


class Processes:
    """What one run started. At the end of its `with` all of it has ended, last first."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.started: dict[str, subprocess.Popen] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.started.values()):
            _end(process)

    def start(self, name: str, command: list, **options) -> subprocess.Popen:
        """Starts `command`; what it says goes to the log `name`.log."""
        with open(self.logs / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,
            )
        self.started[name] = process
        return process

    def wait_for_port(self, name: str, port: int, seconds: float = 60) -> None:
        """Returns when somebody listens on `port`; fails if the process `name` ends before or takes longer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.started[name].poll() is not None:
                raise RuntimeError(f"{name} ended at once: {self.said(name)}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{name} does not listen on port {port} after {seconds} s: {self.said(name)}")

    def said(self, name: str) -> str:
        """The end of what the process said."""
        return (self.logs / f"{name}.log").read_text(errors="replace")[-2000:]

    def costs(self) -> dict[str, tuple[float, float]]:
        """By name, seconds of processor time so far, and megabytes of memory at their highest, children included.

        Memory is the sum of each process's own highest, so pages that two share count twice.
        """
        names = {process.pid: name for name, process in self.started.items()}
        costs = dict.fromkeys(self.started, (0.0, 0.0))
        for pid, stat in _all_processes():
            if name := names.get(int(stat[3])):
                # utime, stime, and those of children that have ended.
                seconds = sum(int(ticks) for ticks in stat[11:15]) / TICKS
                costs[name] = (costs[name][0] + seconds, costs[name][1] + _highest(pid))
        return costs


def _all_processes():
    """Each process's id, and the fields of its `stat` from the state on (proc(5), field 3)."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(folder.name), (folder / "stat").read_text().rpartition(")")[2].split()


def _highest(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    return 0.0


def _session(leader: int) -> list[int]:
    return [pid for pid, stat in _all_processes() if int(stat[3]) == leader and stat[0] != "Z"]


def _end(process: subprocess.Popen) -> None:
    """Asks the process to end, and kills what is left of its session after a while."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for pid in _session(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
