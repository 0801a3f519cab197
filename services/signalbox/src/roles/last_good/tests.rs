//! The kept copy is whole at every end.

use std::fs;

use service::Tasks;
use table::files::Files;

use super::replace;

#[test]
fn a_copy_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let kept = home.path().join("table.good");
    for version in ["one", "two"] {
        let mut files = Files::default();
        files.insert("rates/atlas.csv", version);
        replace(&files, &kept, 1).unwrap();
        assert_eq!(fs::read_to_string(kept.join("rates/atlas.csv")).unwrap(), version);
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "the copy alone");
}

#[tokio::test]
async fn routers_that_share_one_place_leave_a_whole_copy() {
    let home = tempfile::tempdir().unwrap();
    let kept = home.path().join("table.good");
    let mut files = Files::default();
    files.insert("table.toml", "good");
    let mut routers = Tasks::new();
    for own in 1..=4 {
        let (files, kept) = (files.clone(), kept.clone());
        // One that finds the place taken under its hands only warns.
        routers.spawn_blocking(move || (0..100).for_each(|_| drop(replace(&files, &kept, own))));
    }
    routers.join_all().await;
    assert_eq!(fs::read_to_string(kept.join("table.toml")).unwrap(), "good");
}
