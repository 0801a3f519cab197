"""A carrier over PyPI's `smpplib`, for tests: the library reads and writes every PDU, what is here moves the octets.

Port and log are its arguments. It behaves as `server.js` does and logs the same lines.
"""

import asyncio
import struct
import sys

import smpplib.smpp

PORT, LOG = int(sys.argv[1]), sys.argv[2]
THROTTLED = set()
LAST = [0xAB00]
RTHROTTLED, RINVPASWD = 0x58, 0x0E


def log(line):
    with open(LOG, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def word(value):
    return (value or b"").decode("latin-1") if isinstance(value, bytes) else str(value or "")


class Session:
    """One connection; also what the library asks for sequence numbers."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.sequence = reader, writer, 1

    def next_sequence(self):
        self.sequence += 1
        return self.sequence

    def send(self, command, sequence, status=0, **fields):
        pdu = smpplib.smpp.make_pdu(command, client=self, status=status, sequence=sequence, **fields)
        pdu.sequence, pdu.status = sequence, status
        octets = pdu.generate()
        if status:
            octets = struct.pack(">LLLL", 16, *struct.unpack(">LLL", octets[4:16]))
        self.writer.write(octets)

    async def run(self):
        while True:
            head = await self.reader.readexactly(4)
            rest = await self.reader.readexactly(struct.unpack(">L", head)[0] - 4)
            pdu = smpplib.smpp.parse_pdu(head + rest, client=self, allow_unknown_opt_params=True)
            handler = getattr(self, "on_" + pdu.command, None)
            if handler:
                handler(pdu)
            await self.writer.drain()

    def on_bind_transceiver(self, pdu):
        log(f"bind as={word(pdu.system_id)} version={pdu.interface_version}")
        known = (word(pdu.system_id), word(pdu.password)) == ("signalbox", "secret")
        status = 0 if known else RINVPASWD
        self.send("bind_transceiver_resp", pdu.sequence, status, system_id="pypi", sc_interface_version=0x34)

    def on_submit_sm(self, pdu):
        to = word(pdu.destination_addr)
        content = pdu.message_payload or pdu.short_message or b""
        header = content[: content[0] + 1] if pdu.esm_class & 0x40 else b""
        sar = "/".join(word(part) for part in (pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum))
        log(
            f"submit to={to} from={word(pdu.source_addr)} esm={pdu.esm_class} dcs={pdu.data_coding} "
            f"prio={pdu.priority_flag} payload={1 if pdu.message_payload else 0} header={header.hex()} sar={sar} "
            f"octets={content[len(header):].hex()}"
        )
        if to.endswith("58") and to not in THROTTLED:
            THROTTLED.add(to)
            self.send("submit_sm_resp", pdu.sequence, RTHROTTLED)
            return
        LAST[0] += 1
        number = LAST[0]
        answer = lambda: self.send("submit_sm_resp", pdu.sequence, message_id=f"{number:08X}")
        if to.endswith("1"):
            self.receipt(pdu, number)
            asyncio.get_running_loop().call_later(0.05, answer)
        else:
            answer()
            self.receipt(pdu, number)

    def receipt(self, pdu, number):
        if not pdu.registered_delivery:
            return
        text = f"id:{number} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:"
        self.send(
            "deliver_sm",
            self.next_sequence(),
            source_addr=word(pdu.destination_addr),
            destination_addr=word(pdu.source_addr),
            esm_class=0x04,
            short_message=text.encode(),
        )

    def on_deliver_sm_resp(self, pdu):
        log(f"receipt status={pdu.status}")

    def on_enquire_link(self, pdu):
        self.send("enquire_link_resp", pdu.sequence)

    def on_unbind(self, pdu):
        log("unbind")
        self.send("unbind_resp", pdu.sequence)


async def serve(reader, writer):
    try:
        await Session(reader, writer).run()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    except Exception as error:  # what the library cannot read is what the test wants to see
        log(f"error {error!r}")
        raise
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    log("ready")
    await server.serve_forever()


asyncio.run(main())
