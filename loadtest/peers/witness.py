"""What the simulated carrier wrote down, held against what the customer sent. A run whose books do not agree has no figures."""

from array import array
from collections.abc import Iterator
from pathlib import Path

from customer import recipient, text


def received(log: Path) -> Iterator[list[str]]:
    """The messages that the carrier received, in order, by the columns of its log."""
    with open(log) as lines:
        for line in lines:
            if not line.startswith(("#", "receipt\t")):
                yield line.rstrip("\n").split("\t")


class Books:
    """The times of one load, in microseconds since 1970, and what the carrier says of it."""

    def __init__(self, times: Path, log: Path, first: int, messages: int):
        self.due, self.delivered = (_times(times / name) for name in ("due", "delivered"))
        self.carried = [0] * messages
        self.twice = 0
        self.wrong: list[str] = []
        number_of = {recipient(first, number): number for number in range(messages)}
        for words in received(log):
            number = number_of.get(words[4].removeprefix("+"))
            if number is not None:
                self._carried(number, words, text(first, number))

    def _carried(self, number: int, words: list[str], wanted: str) -> None:
        if self.carried[number]:
            self.twice += 1
            return
        self.carried[number] = int(words[0])
        asks_receipt, octets = words[6] != "0", bytes.fromhex(words[8])
        if octets != wanted.encode() or not asks_receipt:
            self.wrong.append(words[1])

    def missing(self) -> int:
        """Messages that the carrier never saw, or whose receipt never came back."""
        pairs = zip(self.carried, self.delivered, strict=True)
        return sum(1 for carried, delivered in pairs if not (carried and delivered))

    def latency_ms(self, ends) -> dict[str, float]:
        """From the moment each message was due to `ends`."""
        took = sorted((end - due) / 1000 for due, end in zip(self.due, ends, strict=True))
        return {f"p{share}_ms": took[len(took) * share // 100] for share in (50, 95, 99)} | {"max_ms": took[-1]}


def _times(file: Path) -> array:
    times = array("q")
    times.frombytes(file.read_bytes())
    return times
