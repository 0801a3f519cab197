"""A Redis of a run's own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from processes import Processes, free_ports, libraries


def redis_version(home: Path) -> str:
    """What it calls itself."""
    said = subprocess.run([_program(home), "--version"], env=libraries(home), capture_output=True, text=True, check=True).stdout
    return re.search(r"v=(\S+)", said)[1]


def start_redis(home: Path, folder: Path, processes: Processes) -> int:
    """Starts it and returns its port.

    It appends every write to a file, which goes to the disk each second: without, it would keep nothing that is told of here
    (Redis manual, "Redis persistence"; the gateways' own say nothing of it).
    """
    [port] = free_ports(1)
    (folder / "redis").mkdir()
    options = {"bind": "127.0.0.1", "port": port, "dir": folder / "redis", "save": "", "appendonly": "yes", "appendfsync": "everysec"}
    words = (word for key, value in options.items() for word in (f"--{key}", value))
    processes.start("redis", [_program(home), *words], env=libraries(home))
    processes.wait_for_port("redis", port)
    return port


def _program(home: Path) -> str:
    """The machine's, where it has one, as it is then not among what is fetched."""
    path = f"{home / 'root/usr/bin'}:{os.environ['PATH']}"
    if found := shutil.which("redis-server", path=path):
        return found
    raise RuntimeError(f"redis-server is not to be found in {path}: remove {home}, so that it is fetched")
