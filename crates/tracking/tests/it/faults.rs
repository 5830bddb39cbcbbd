//! Every operation on the disk fails in turn, alone or with all after it: what is there is what was there before or after.

use std::fs;
use std::sync::Arc;

use juggle_tracking::disk::{Fault, Faults};
use juggle_tracking::{Checkpoints, Disk};

use crate::checkpoint::checkpoint;

/// Runs `f` with the fault at every operation until there are no more.
fn at_every_operation(f: impl Fn(Disk, &str) -> bool) {
    for fault in [Fault::Error, Fault::Death] {
        for at in 0.. {
            let faults = Arc::new(Faults::new(fault, at));
            let succeeded = f(
                Disk::with_faults(Arc::clone(&faults)),
                &format!("{fault:?} at {at}"),
            );
            assert_eq!(succeeded, faults.operations() <= at, "{fault:?} at {at}");
            if succeeded {
                assert!(at > 3, "there is more than one operation");
                break;
            }
        }
    }
}

#[test]
fn a_checkpoint_is_written_or_not() {
    at_every_operation(|disk, what| {
        let folder = tempfile::tempdir().unwrap();
        let whole = Checkpoints::new(folder.path(), Disk::default());
        whole.prepare().unwrap();
        whole.write(&checkpoint(10)).unwrap();
        let failing = Checkpoints::new(folder.path(), disk);
        let written = failing
            .write(&checkpoint(20))
            .and_then(|()| failing.keep(1, None));
        let (newest, refused) = whole.newest().unwrap();
        assert!(
            newest == Some(checkpoint(10)) || newest == Some(checkpoint(20)),
            "{what}"
        );
        assert_eq!(refused, [], "{what}");
        whole.prepare().unwrap();
        whole.write(&checkpoint(20)).unwrap();
        assert_eq!(
            whole.newest().unwrap(),
            (Some(checkpoint(20)), vec![]),
            "{what}"
        );
        written.is_ok()
    });
}

#[test]
fn a_file_is_replaced_or_not() {
    at_every_operation(|disk, what| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        Disk::default().replace(&path, b"the old weights").unwrap();
        let replaced = disk.replace(&path, b"new ones");
        let found = fs::read(&path).unwrap();
        assert!(
            found == b"the old weights" || found == b"new ones",
            "{what}"
        );
        replaced.is_ok()
    });
}
