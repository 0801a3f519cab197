"""A RabbitMQ of a run's own."""

from pathlib import Path

from processes import Processes, free_ports

CONFIG = """
listeners.tcp.local = 127.0.0.1:{amqp}
log.console = true
log.console.level = error
log.file = false
"""


def start_rabbitmq(home: Path, folder: Path, processes: Processes) -> int:
    """Starts it as it is shipped, with the memory limit and the persistence that it has then, and returns its port of AMQP."""
    amqp, nodes, names = free_ports(3)
    own, erlang = folder / "rabbitmq", home / "root/usr/lib/erlang"
    own.mkdir()
    (own / "rabbitmq.conf").write_text(CONFIG.format(amqp=amqp))
    (own / "plugins").write_text("[].\n")
    env = {
        "PATH": f"{erlang}/bin:/usr/bin:/bin",
        "HOME": str(own),
        # Names of nodes: by a daemon of this run, which would else be one that nobody stops.
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "peers@localhost",
        "RABBITMQ_DIST_PORT": str(nodes),
        "RABBITMQ_CONFIG_FILE": str(own / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(own / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(own),
        "RABBITMQ_LOG_BASE": str(own),
        "RABBITMQ_PID_FILE": str(own / "pid"),
        # Else a shell stands before it, and needs rabbitmqctl to stop it.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    processes.start("epmd", [next(erlang.glob("erts-*/bin/epmd"))], env=env)
    processes.wait_for_port("epmd", names)
    [server] = (home / "root/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*")
    processes.start("rabbitmq", [server / "sbin/rabbitmq-server"], env=env)
    processes.wait_for_port("rabbitmq", amqp, 120)
    return amqp
