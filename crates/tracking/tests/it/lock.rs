//! The lock of a run folder.

use juggle_tracking::{Disk, RunFolder, RunLock};

#[test]
fn one_at_a_time_and_only_as_long_as_it_lives() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!RunLock::is_held(folder.path()));
    let run = RunFolder::new(folder.path(), Disk::default());
    let lock = run.lock().unwrap();
    assert!(RunLock::is_held(folder.path()));
    assert_eq!(
        run.lock().unwrap_err().to_string(),
        format!(
            "{} is being written by another process",
            folder.path().display()
        )
    );
    drop(lock);
    assert!(!RunLock::is_held(folder.path()));
    assert!(run.is_blank().unwrap(), "a lock is no run");
    run.lock().unwrap();
}

#[test]
fn a_folder_that_is_not_there_cannot_be_locked() {
    let folder = tempfile::tempdir().unwrap();
    let error = RunLock::acquire(&folder.path().join("none")).unwrap_err();
    assert!(error.to_string().starts_with("cannot open "), "{error}");
}
