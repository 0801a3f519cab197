//! Two sessions that talk to each other while messages are sent, answers are held back, time passes, and octets of the wire are
//! lost or changed: whatever comes, every request is answered once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp::Input;
use smpp_fuzz::Watched;

fuzz_target!(|input: &[u8]| {
    let (mut client, mut server) = (Watched::client(), Watched::server());
    let mut steps = input.iter().copied();
    while let Some(step) = steps.next() {
        match step % 10 {
            0 | 1 => server.hear(&std::mem::take(&mut client.written)),
            2 | 3 => client.hear(&std::mem::take(&mut server.written)),
            4 => server.accept_all(),
            5 => client.submit(),
            6 => client.accept_all(),
            7 => {
                let seconds = u64::from(step / 10);
                client.wait(seconds);
                server.wait(seconds);
            }
            8 => {
                let wire = if step & 0x80 == 0 {
                    &mut client.written
                } else {
                    &mut server.written
                };
                let (at, octet) = (steps.next().unwrap_or(0), steps.next().unwrap_or(0));
                match wire.get_mut(usize::from(at)) {
                    Some(changed) => *changed = octet,
                    None => wire.truncate(usize::from(octet)),
                }
            }
            _ => {
                let side = if step & 0x80 == 0 { &mut client } else { &mut server };
                side.give(if step & 0x40 == 0 { Input::Unbind } else { Input::Tick });
            }
        }
    }
    client.end();
    server.end();
});
