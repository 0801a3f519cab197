//! Words about tables: what cannot be understood is refused by name, and keys do not meet.

use std::collections::BTreeSet;

use super::*;

#[test]
fn a_word_of_a_later_version_is_refused_and_taken_for_nothing_else() {
    let unknown = seal::seal(Kind::Table, &pb::TableWord { word: None });
    assert_eq!(table_word_from_bytes(&unknown), Err(Invalid::Missing("word")));
}

#[test]
fn a_publication_without_a_number_is_refused() {
    let publication = pb::TablePublication::default();
    let word = pb::TableWord {
        word: Some(Word::Publication(publication)),
    };
    let found = table_word_from_bytes(&seal::seal(Kind::Table, &word));
    assert_eq!(found, Err(Invalid::Missing("number")));
}

#[test]
fn chunks_of_uploads_have_keys_of_their_own() {
    let keys = (0..50).flat_map(|upload| (0..50).map(move |place| TableChunk::key(upload, place).0));
    assert_eq!(keys.collect::<BTreeSet<_>>().len(), 2_500);
}
