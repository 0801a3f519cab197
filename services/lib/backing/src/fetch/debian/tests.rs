//! The policy that keeps installed servers down is gone afterwards, and one that is not ours is left alone.

use super::*;

#[test]
fn a_policy_goes_with_its_holder_and_a_leftover_with_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy-rc.d");
    let policy = Policy::put(&path).unwrap();
    assert!(fs::read_to_string(&path).unwrap().ends_with("\nexit 101\n"));
    drop(policy);
    assert!(!path.exists());
    std::mem::forget(Policy::put(&path).unwrap());
    drop(Policy::put(&path).unwrap());
    assert!(!path.exists());
    std::mem::forget(Policy::put(&path).unwrap());
    Policy::sweep(&path);
    assert!(!path.exists());
}

#[test]
fn a_policy_of_the_machine_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy-rc.d");
    fs::write(&path, "#!/bin/sh\nexit 0\n").unwrap();
    drop(Policy::put(&path).unwrap());
    Policy::sweep(&path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\nexit 0\n");
}
