"""A customer's side of a gateway's SMPP server (SMPP 3.4), as much of it as this needs."""

import re
import select
import socket
import struct
import time

BIND_TRANSCEIVER, SUBMIT, DELIVER, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x15
RESPONSE = 0x8000_0000
RECEIPT_ID = re.compile(rb"id:(\S+) sub")
HEADER = struct.Struct(">IIII")
# As a telephone number of the international plan (5.2.5, 5.2.6).
INTERNATIONAL = b"\x01\x01"


class Smpp:
    """Hands in messages over `binds` connections, with up to `window` unanswered on each."""

    def __init__(self, plan: dict, ledger):
        self.plan, self.ledger = plan, ledger
        self.poll = select.epoll()
        self.binds: dict[int, socket.socket] = {}
        self.read: dict[int, bytes] = {}
        self.open_on: dict[int, int] = {}
        self.number_of: dict[bytes, int] = {}
        # Receipts that were faster than the answer to their message.
        self.early: set[bytes] = set()

    def open(self) -> None:
        for _ in range(self.plan["binds"]):
            bind = socket.create_connection(("127.0.0.1", self.plan["port"]))
            bind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            user, password = self.plan["user"].encode(), self.plan["password"].encode()
            bind.sendall(_pdu(BIND_TRANSCEIVER, 0, 0, user + b"\0" + password + b"\0\0\x34\0\0\0"))
            status = HEADER.unpack(bind.recv(4096)[:16])[2]
            if status:
                raise RuntimeError(f"bind refused with status {status:#x}")
            bind.setblocking(True)
            self.binds[bind.fileno()] = bind
            self.read[bind.fileno()] = b""
            self.open_on[bind.fileno()] = 0
            self.poll.register(bind.fileno(), select.EPOLLIN)

    def close(self) -> None:
        # Answers to the last receipts are on their way.
        time.sleep(0.2)
        for bind in self.binds.values():
            bind.close()

    def has_room(self) -> bool:
        return min(self.open_on.values()) < self.plan["window"]

    def submit(self, number: int, to: str, text: str) -> None:
        fileno = min(self.open_on, key=self.open_on.__getitem__)
        self.open_on[fileno] += 1
        octets = text.encode()
        source = b"\x05\0Signalbox\0"
        destination = INTERNATIONAL + to.encode() + b"\0"
        # esm_class, protocol, priority, times; registered_delivery 1; replace, data_coding, default message; length.
        flags = b"\0\0\0" + b"\0\0" + b"\x01" + b"\0\0\0" + bytes([len(octets)])
        self.binds[fileno].sendall(_pdu(SUBMIT, 0, number + 1, b"\0" + source + destination + flags + octets))

    def turn(self, seconds: float) -> None:
        """Does what can be done now, and waits up to `seconds` for it."""
        for fileno, _ in self.poll.poll(seconds):
            octets = self.binds[fileno].recv(262_144)
            if not octets:
                raise RuntimeError("the gateway ended a bind")
            octets = self.read[fileno] + octets
            at = 0
            while len(octets) - at >= 16 and len(octets) - at >= (length := HEADER.unpack_from(octets, at)[0]):
                self._take(fileno, octets[at : at + length])
                at += length
            self.read[fileno] = octets[at:]

    def _take(self, fileno: int, pdu: bytes) -> None:
        _, command, status, sequence = HEADER.unpack_from(pdu)
        if command == SUBMIT | RESPONSE:
            self.open_on[fileno] -= 1
            number = sequence - 1
            self.ledger.answered(f"status {status:#x}" if status else None)
            message = pdu[16:].partition(b"\0")[0]
            if message in self.early:
                self.early.remove(message)
                self.ledger.receipted(number)
            elif not status:
                self.number_of[message] = number
        elif command == DELIVER:
            self.binds[fileno].sendall(_pdu(DELIVER | RESPONSE, 0, sequence, b"\0"))
            message = RECEIPT_ID.search(pdu, 16)[1]
            if message in self.number_of:
                self.ledger.receipted(self.number_of[message])
            else:
                self.early.add(message)
        elif command == ENQUIRE_LINK:
            self.binds[fileno].sendall(_pdu(ENQUIRE_LINK | RESPONSE, 0, sequence, b""))


def _pdu(command: int, status: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(16 + len(body), command, status, sequence) + body
