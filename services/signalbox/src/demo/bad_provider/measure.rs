//! What became of each message: how long it took, who named its network, and whether that was to be believed.

use journey::Attempt;
use signalbox_loadtest::stage::{Books, taken};
use sms::Class;

use super::{
    land::{moved, needs_look_up, planned},
    provider::Mood,
    report::{Kind, Report},
    side::Sent,
};

/// Notes all that was `sent` to the side that looks numbers up, or to the other.
pub(super) fn judge(looks_up: bool, sent: &[Sent], books: &Books, report: &mut Report) {
    for sent in sent {
        let Some(id) = &sent.id else {
            continue;
        };
        let kind = match (needs_look_up(&sent.letter.to), sent.letter.class) {
            (false, _) => Kind::Direct,
            (true, Class::Otp) => Kind::Password,
            (true, _) => Kind::Other,
        };
        let Some(took) = sent.took() else {
            report.lose();
            continue;
        };
        report.note(looks_up, sent.turn, kind, took);
        let Some(attempt) = books.ends.get(id).and_then(taken) else {
            // That it has no end, or no carrier, is told by the books.
            continue;
        };
        let mood = report.mood(sent.turn.slice);
        match found(looks_up && kind != Kind::Direct, mood, sent.letter.to.digits(), attempt) {
            Found::Nobody => {}
            Found::Known => report.told(sent.turn.slice),
            Found::Planned => report.fell_back(sent.turn.slice),
            Found::Wrong(why) => report.wrong(why),
        }
    }
}

enum Found {
    /// It was not asked for.
    Nobody,
    /// The provider said it, and it is true.
    Known,
    /// Nobody did, and the numbering plan decided.
    Planned,
    /// As it must not be.
    Wrong(&'static str),
}

fn found(is_asked: bool, mood: Mood, number: &str, attempt: &Attempt) -> Found {
    match &attempt.looked_up {
        None if is_asked => Found::Wrong("went without a look-up where the route asks for one"),
        None => Found::Nobody,
        Some(_) if !is_asked => Found::Wrong("were looked up where nobody asks"),
        Some(said) if said.is_sure && !mood.is_well() => {
            Found::Wrong("went by the word of a provider that is not well")
        }
        Some(said) if said.is_sure && attempt.network != moved(number) => {
            Found::Wrong("went by another network than was said")
        }
        Some(said) if said.is_sure => Found::Known,
        Some(_) if attempt.network != planned(number) => Found::Wrong("fell back to another network than the plan's"),
        Some(_) => Found::Planned,
    }
}
