// A carrier over npm's `smpp`, for tests. Port and log are its arguments; one line of the log for each thing it decoded.
//
// A number that ends in 58 is throttled the first time. Everything else is taken: the id is hexadecimal and padded in the
// answer, decimal in the receipt, which comes before the answer for numbers that end in 1.
const fs = require('fs');
const smpp = require('smpp');

const [port, file] = process.argv.slice(2);
const log = (line) => fs.appendFileSync(file, line + '\n');
const throttled = new Set();
let last = 0xab00;

function receipt(session, pdu, id) {
  if (!pdu.registered_delivery) return;
  session.deliver_sm({
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: 0x04,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:`,
  }, (reply) => log(`receipt status=${reply.command_status}`));
}

function submitted(session, pdu) {
  const to = pdu.destination_addr;
  const content = pdu.message_payload || pdu.short_message;
  const header = content.udh ? Buffer.concat([].concat(content.udh)).toString('hex') : '';
  const text = Buffer.from(String(content.message), 'utf8').toString('hex');
  const sar = [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum].join('/');
  log(`submit to=${to} from=${pdu.source_addr} esm=${pdu.esm_class} dcs=${pdu.data_coding} prio=${pdu.priority_flag} ` +
    `payload=${pdu.message_payload ? 1 : 0} header=${header} sar=${sar} text=${text}`);
  if (to.endsWith('58') && !throttled.has(to)) {
    throttled.add(to);
    session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    return;
  }
  const id = ++last;
  const answer = () => session.send(pdu.response({ message_id: id.toString(16).toUpperCase().padStart(8, '0') }));
  if (to.endsWith('1')) {
    receipt(session, pdu, id);
    setTimeout(answer, 50);
  } else {
    answer();
    receipt(session, pdu, id);
  }
}

smpp.createServer({}, (session) => {
  session.on('error', (error) => log(`error ${error}`));
  session.on('bind_transceiver', (pdu) => {
    const isKnown = pdu.system_id === 'signalbox' && pdu.password === 'secret';
    log(`bind as=${pdu.system_id} version=${pdu.interface_version}`);
    session.send(pdu.response(isKnown
      ? { system_id: 'npm', sc_interface_version: 0x34 }
      : { command_status: smpp.ESME_RINVPASWD }));
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    log('unbind');
    session.send(pdu.response());
    session.close();
  });
}).listen(Number(port), '127.0.0.1', () => log('ready'));
