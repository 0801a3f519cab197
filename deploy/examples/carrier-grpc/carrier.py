"""A carrier that Signalbox reaches over gRPC: all of CarrierService, on SQLite.

    pip install -r requirements.txt
    python carrier.py --key example-key

It delivers nothing: messages count as delivered after a second. The last digits of a number say what becomes of it:

    ...9    refused: no such number              ...58   refused once: too fast
    ...7    taken, and undeliverable later       ...1    its receipt comes before the answer

A line on standard input, such as `447700900123 70001 STOP`, is a message from a handset. README.md says what of this a carrier
has to keep, and in which order to build it.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
import uuid

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_tools import protoc

HERE = os.path.dirname(os.path.abspath(__file__))
WINDOW = 100  # submissions that may be unanswered on one stream
BATCH = 100  # receipts or messages of one response
KEPT_SECONDS = 48 * 3600  # how long attempt ids are kept


def generate(protos):
    """Makes the Python code of the contract, and imports it. A carrier would do so once, and keep the files."""
    import importlib.resources

    folder = tempfile.mkdtemp(prefix="carrier-")
    packages = ["signalbox/sms/v1", "signalbox/carrier/v1"]
    files = [f"{package}/{name}" for package in packages for name in sorted(os.listdir(f"{protos}/{package}"))]
    common = importlib.resources.files("grpc_tools") / "_proto"
    failed = protoc.main(
        ["protoc", f"-I{protos}", f"-I{common}", f"--python_out={folder}", f"--grpc_python_out={folder}", *files]
    )
    if failed:
        sys.exit("the .proto files cannot be compiled")
    sys.path.insert(0, folder)


class Store:
    """What must survive a restart: which attempts were taken, and what was not confirmed yet."""

    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE IF NOT EXISTS attempt (id TEXT PRIMARY KEY, answer BLOB NOT NULL, at REAL NOT NULL);
            CREATE TABLE IF NOT EXISTS outbox
                (kind TEXT NOT NULL, id TEXT NOT NULL, item BLOB NOT NULL, due REAL NOT NULL, PRIMARY KEY (kind, id));
            CREATE INDEX IF NOT EXISTS outbox_due ON outbox (kind, due);
            """
        )

    def taken(self, attempt_id):
        row = self.db.execute("SELECT answer FROM attempt WHERE id = ?", (attempt_id,)).fetchone()
        return row and row[0]

    def take(self, attempt_id, answer):
        self.db.execute("INSERT INTO attempt VALUES (?, ?, ?)", (attempt_id, answer, time.time()))

    def put(self, kind, item_id, item, due):
        self.db.execute("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)", (kind, item_id, item, due))

    def due(self, kind, told, most):
        """Up to `most` items that are due and on their way over no stream."""
        rows = self.db.execute(
            "SELECT id, item FROM outbox WHERE kind = ? AND due <= ? ORDER BY due, id", (kind, time.time())
        )
        found = []
        for item_id, item in rows:
            if len(found) == most:
                break
            if item_id not in told:
                found.append((item_id, item))
        return found

    def forget(self, kind, ids):
        self.db.executemany("DELETE FROM outbox WHERE kind = ? AND id = ?", [(kind, item_id) for item_id in ids])

    def put_off(self, kind, ids, due):
        self.db.executemany("UPDATE outbox SET due = ? WHERE kind = ? AND id = ?", [(due, kind, i) for i in ids])

    def commit(self):
        self.db.execute("DELETE FROM attempt WHERE at < ?", (time.time() - KEPT_SECONDS,))
        self.db.commit()


def carrier_class(pb, servicer):
    class Carrier(servicer):
        def __init__(self, store, options, log):
            self.store, self.options, self.log = store, options, log
            # Items on their way over some stream, and numbers that were told to come again.
            self.told = {"receipt": set(), "inbound": set()}
            self.throttled = set()

        async def check(self, context, call):
            shown = dict(context.invocation_metadata()).get("authorization", "")
            self.log(f"{call} key={'good' if shown == f'Bearer {self.options.key}' else 'bad'}")
            if shown != f"Bearer {self.options.key}":
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the key is missing or wrong")

        # ------------------------------------------------------------------ submissions

        async def Submit(self, requests, context):
            await self.check(context, "Submit")
            if self.options.unary:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no streams here")
            async for request in requests:
                if not request.submissions:
                    # The first request is empty: say hello, and how much may be on its way.
                    await context.write(pb.SubmitResponse(window=WINDOW))
                    continue
                answers = [self.take(submission) for submission in request.submissions]
                # Nothing is answered before it is safe.
                self.store.commit()
                early = any(submission.to.value.endswith("1") for submission in request.submissions)
                await asyncio.sleep(0.2 if early else 0)
                await context.write(pb.SubmitResponse(answers=answers))
            self.log("goodbye")

        async def SubmitOne(self, request, context):
            await self.check(context, "SubmitOne")
            answer = self.take(request.submission)
            self.store.commit()
            return pb.SubmitOneResponse(answer=answer)

        def take(self, submission):
            """The answer to one submission; the first one again where it was taken before."""
            text = submission.content.text.encode() or submission.content.binary.data
            self.log(
                f"submit attempt={submission.attempt_id} from={getattr(submission, 'from').value} to={submission.to.value} "
                f"class={getattr(submission, 'class')} encoding={submission.encoding} "
                f"segments={submission.segments} receipt={int(submission.receipt)} octets={text.hex()}"
            )
            known = self.store.taken(submission.attempt_id)
            if known:
                return pb.Answer.FromString(known)
            refusal = self.refusal(submission)
            if refusal:
                refused = pb.Refused(refusal=refusal, detail="so say the last digits of the number")
                refused.retry_after.FromMilliseconds(200)
                return pb.Answer(attempt_id=submission.attempt_id, refused=refused)
            taken = pb.Taken(remote_id=uuid.uuid4().hex[:12].upper(), segments=submission.segments)
            taken.price.amount, taken.price.currency = f"{0.05 * submission.segments:.6f}", "EUR"
            taken.network.mcc, taken.network.mnc = "208", "01"
            answer = pb.Answer(attempt_id=submission.attempt_id, taken=taken)
            self.store.take(submission.attempt_id, answer.SerializeToString())
            if submission.receipt:
                self.owe_receipt(submission, taken.remote_id)
            return answer

        def refusal(self, submission):
            number = submission.to.value
            if number.endswith("9"):
                return pb.REFUSAL_BAD_NUMBER
            if number.endswith("58") and number not in self.throttled:
                self.throttled.add(number)
                return pb.REFUSAL_THROTTLED
            if submission.valid_for.ToMilliseconds() < 100:
                return pb.REFUSAL_TOO_LATE
            return None

        def owe_receipt(self, submission, remote_id):
            is_bad, is_early = submission.to.value.endswith("7"), submission.to.value.endswith("1")
            done_at = Timestamp()
            done_at.GetCurrentTime()
            receipt = pb.Receipt(
                receipt_id=uuid.uuid4().hex,
                remote_id=remote_id,
                state=pb.RECEIPT_STATE_UNDELIVERABLE if is_bad else pb.RECEIPT_STATE_DELIVERED,
                word="UNDELIV" if is_bad else "DELIVRD",
                error="027" if is_bad else "",
                blame=pb.BLAME_HANDSET if is_bad else pb.BLAME_UNSPECIFIED,
                done_at=done_at,
            )
            wait = 0 if is_early else self.options.receipt_after
            self.store.put("receipt", receipt.receipt_id, receipt.SerializeToString(), time.time() + wait)

        # ------------------------------------------------------------------ receipts and messages from handsets

        async def Receipts(self, requests, context):
            await self.check(context, "Receipts")
            await self.tell("receipt", requests, context, lambda items: pb.ReceiptsResponse(
                receipts=[pb.Receipt.FromString(item) for item in items]))

        async def Inbound(self, requests, context):
            await self.check(context, "Inbound")
            await self.tell("inbound", requests, context, lambda items: pb.InboundResponse(
                messages=[pb.InboundMessage.FromString(item) for item in items]))

        async def tell(self, kind, requests, context, response):
            """Tells what is due, and forgets only what is confirmed. What is not goes to the next stream."""
            stream = {"window": 0, "open": set()}
            listening = asyncio.create_task(self.listen(kind, stream, requests))
            try:
                await context.write(response([]))
                while not listening.done():
                    room = min(BATCH, stream["window"] - len(stream["open"]))
                    items = self.store.due(kind, self.told[kind], room) if room > 0 else []
                    if items:
                        ids = {item_id for item_id, _ in items}
                        stream["open"] |= ids
                        self.told[kind] |= ids
                        await context.write(response([item for _, item in items]))
                    else:
                        # A real carrier waits for its queue here.
                        await asyncio.wait({listening}, timeout=0.05)
            finally:
                listening.cancel()
                self.told[kind] -= stream["open"]

        async def listen(self, kind, stream, requests):
            async for request in requests:
                stream["window"] = max(stream["window"], request.window)
                self.store.forget(kind, request.confirmed)
                self.store.put_off(kind, request.again, time.time() + 1)
                self.store.commit()
                answered = set(request.confirmed) | set(request.again)
                stream["open"] -= answered
                self.told[kind] -= answered
                for item_id in request.confirmed:
                    self.log(f"confirmed {kind}={item_id}")

        def handset(self, line):
            """`FROM TO TEXT`, as a handset would have sent it."""
            sender, recipient, text = (line.rstrip("\n").split(" ", 2) + ["", ""])[:3]
            message = pb.InboundMessage(inbound_id=uuid.uuid4().hex)
            getattr(message, "from").value = sender
            message.to.value = recipient
            message.content.text = text
            self.store.put("inbound", message.inbound_id, message.SerializeToString(), time.time())
            self.store.commit()

    return Carrier


async def main():
    options = argparse.ArgumentParser(description="A carrier over gRPC, for trying things out.")
    options.add_argument("--address", default="127.0.0.1:50051")
    options.add_argument("--key", default="example-key")
    options.add_argument("--store", default="carrier.db", help="where attempts and receipts are kept")
    options.add_argument("--protos", default=os.path.join(HERE, "../../../proto"), help="folder of the .proto files")
    options.add_argument("--log", help="a file for what happens; standard output where none is named")
    options.add_argument("--receipt-after", type=float, default=1.0, help="seconds from a message to its receipt")
    options.add_argument("--handset", action="append", default=[], help="'FROM TO TEXT': a message from a handset")
    options.add_argument("--unary", action="store_true", help="answers Submit with UNIMPLEMENTED")
    options.add_argument("--certificate", help="PEM; with --certificate-key the carrier speaks TLS")
    options.add_argument("--certificate-key", help="PEM")
    options = options.parse_args()
    generate(os.path.abspath(options.protos))
    from signalbox.carrier.v1 import carrier_service_pb2_grpc, common_pb2, inbound_pb2, receipt_pb2, submit_pb2

    class pb:
        """Every message of the contract."""

    for module in (common_pb2, inbound_pb2, receipt_pb2, submit_pb2):
        for name in vars(module):
            setattr(pb, name, getattr(module, name))

    file = open(options.log, "a", buffering=1, encoding="utf-8") if options.log else sys.stdout
    log = lambda line: print(line, file=file, flush=True)
    carrier = carrier_class(pb, carrier_service_pb2_grpc.CarrierServiceServicer)(Store(options.store), options, log)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 1024 * 1024)])
    carrier_service_pb2_grpc.add_CarrierServiceServicer_to_server(carrier, server)
    if options.certificate:
        pair = (open(options.certificate_key, "rb").read(), open(options.certificate, "rb").read())
        server.add_secure_port(options.address, grpc.ssl_server_credentials([pair]))
    else:
        server.add_insecure_port(options.address)
    await server.start()
    for line in options.handset:
        carrier.handset(line)
    log(f"listening on {options.address}")
    try:
        asyncio.get_running_loop().add_reader(sys.stdin, lambda: read_line(carrier))
    except (ValueError, OSError):
        pass  # standard input is no terminal and no pipe
    await server.wait_for_termination()


def read_line(carrier):
    line = sys.stdin.readline()
    if not line:
        asyncio.get_running_loop().remove_reader(sys.stdin)
    elif line.strip():
        carrier.handset(line)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
