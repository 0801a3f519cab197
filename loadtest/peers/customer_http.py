"""A customer's side of a gateway's HTTP interface: messages out over connections that stay, receipts in as calls of a URL."""

import select
import socket
from urllib.parse import quote

RECEIPT_OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}"


class Http:
    """Hands in messages, one at a time on each connection.

    `path` has the request of a message, with {to}, {text} and {receipt} where its own go; an answer whose body has `yes` in it
    says that it was taken. Receipts are answered with `thanks`.
    """

    def __init__(self, plan: dict, ledger):
        self.plan, self.ledger = plan, ledger
        self.thanks = RECEIPT_OK.format(len(plan["thanks"]), plan["thanks"]).encode()
        self.yes = plan["yes"].encode()
        self.poll = select.epoll()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.listener.setblocking(False)
        self.receipt_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/r/"
        self.idle: list[socket.socket] = []
        self.sockets: dict[int, socket.socket] = {}
        self.busy: set[int] = set()
        self.read: dict[int, bytes] = {}

    def open(self) -> None:
        self._watch(self.listener)
        self.idle = [self._connect() for _ in range(self.plan["window"])]

    def close(self) -> None:
        for each in self.sockets.values():
            each.close()

    def has_room(self) -> bool:
        return bool(self.idle)

    def submit(self, number: int, to: str, text: str) -> None:
        connection = self.idle.pop()
        path = self.plan["path"].format(to=to, text=quote(text), receipt=quote(f"{self.receipt_url}{number}", safe=""))
        self.busy.add(connection.fileno())
        # A request is far below a socket's buffer.
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def turn(self, seconds: float) -> None:
        """Does what can be done now, and waits up to `seconds` for it."""
        for fileno, _ in self.poll.poll(seconds):
            if fileno == self.listener.fileno():
                self._watch(self.listener.accept()[0])
                continue
            try:
                octets = self.sockets[fileno].recv(65536)
            except ConnectionResetError:
                octets = b""
            if not octets:
                self._lost(fileno)
            elif fileno in self.busy:
                self._answer(fileno, self.read.pop(fileno, b"") + octets)
            else:
                self._receipts(fileno, self.read.pop(fileno, b"") + octets)

    def _watch(self, each: socket.socket) -> None:
        self.sockets[each.fileno()] = each
        self.poll.register(each.fileno(), select.EPOLLIN)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.plan["port"]))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watch(connection)
        return connection

    def _lost(self, fileno: int) -> None:
        """A connection ended: one for messages gets a successor."""
        gone = self.sockets.pop(fileno)
        gone.close()
        self.read.pop(fileno, None)
        if fileno in self.busy:
            self.busy.remove(fileno)
            self.ledger.answered("connection lost")
        elif gone in self.idle:
            self.idle.remove(gone)
        else:
            return
        self.idle.append(self._connect())

    def _answer(self, fileno: int, octets: bytes) -> None:
        head, found, body = octets.partition(b"\r\n\r\n")
        if not found or not _is_whole(head, body):
            self.read[fileno] = octets
            return
        self.busy.remove(fileno)
        self.ledger.answered(None if self.yes in body else body[:100].decode(errors="replace"))
        self.idle.append(self.sockets[fileno])
        if b"onnection: close" in head:
            self._lost(fileno)

    def _receipts(self, fileno: int, octets: bytes) -> None:
        while True:
            head, found, rest = octets.partition(b"\r\n\r\n")
            if not found:
                break
            # GET /r/17 or /r/17?status=..., as the gateway has it.
            number = head.split(b" ", 2)[1].removeprefix(b"/r/").partition(b"?")[0]
            self.ledger.receipted(int(number))
            self.sockets[fileno].sendall(self.thanks)
            octets = rest
        if octets:
            self.read[fileno] = octets


def _is_whole(head: bytes, body: bytes) -> bool:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
        if line.startswith(b"transfer-encoding:"):
            return body.endswith(b"0\r\n\r\n")
    return True
