//! Checkpoints that are whole or not used, kept and swept.

use std::fs;
use std::path::{Path, PathBuf};

use juggle_tracking::{Checkpoint, Checkpoints, Disk};
use proptest::prelude::*;
use tempfile::TempDir;

const FILES: [&str; 4] = [
    "SHA256SUMS",
    "model.safetensors",
    "optimizer.safetensors",
    "state.json",
];

pub(crate) fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint {
        step,
        model: format!("the weights of step {step}").into_bytes(),
        optimizer: format!("the moments of step {step}").into_bytes(),
        training: serde_json::json!({"epoch": step / 10}),
        logs: vec![("events.jsonl".to_owned(), 7 * step)],
    }
}

/// With checkpoints of the steps 10 and 20.
fn two() -> (TempDir, Checkpoints) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path(), Disk::default());
    checkpoints.prepare().unwrap();
    for step in [10, 20] {
        checkpoints.write(&checkpoint(step)).unwrap();
    }
    (folder, checkpoints)
}

/// The newest is refused, and the one before is whole.
#[track_caller]
fn falls_back(checkpoints: &Checkpoints, what: &str) -> String {
    let (newest, refused) = checkpoints.newest().unwrap();
    assert_eq!(newest, Some(checkpoint(10)), "{what}");
    assert_eq!(refused.len(), 1, "{what}");
    assert_eq!(refused[0].path, checkpoints.path(20), "{what}");
    refused[0].reason.clone()
}

#[test]
fn what_was_written_is_read() {
    let (_folder, checkpoints) = two();
    assert_eq!(
        checkpoints.newest().unwrap(),
        (Some(checkpoint(20)), vec![])
    );
    let mut names: Vec<_> = fs::read_dir(checkpoints.path(20))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, FILES);
}

#[test]
fn a_file_that_is_cut_at_any_byte_or_missing_is_refused() {
    let (_folder, checkpoints) = two();
    for name in FILES {
        let path = checkpoints.path(20).join(name);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            falls_back(&checkpoints, &format!("{name} cut at {length}"));
        }
        fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
        falls_back(&checkpoints, &format!("{name} with a byte more"));
        fs::remove_file(&path).unwrap();
        let reason = falls_back(&checkpoints, &format!("{name} missing"));
        assert!(
            reason.starts_with(&format!("its {name} cannot be read: ")),
            "{reason}"
        );
        fs::write(&path, whole).unwrap();
        assert!(checkpoints.newest().unwrap().1.is_empty());
    }
}

#[test]
fn a_file_with_any_bit_flipped_is_refused() {
    let (_folder, checkpoints) = two();
    for name in FILES {
        let path = checkpoints.path(20).join(name);
        let mut bytes = fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).unwrap();
            let reason = falls_back(&checkpoints, &format!("bit {bit} of {name}"));
            assert!(reason.ends_with(" does not match its hash"), "{reason}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn a_file_of_another_checkpoint_is_refused() {
    let (_folder, checkpoints) = two();
    let swapped = |a: PathBuf, b: &Path| {
        let whole = fs::read(&a).unwrap();
        fs::copy(b, &a).unwrap();
        falls_back(
            &checkpoints,
            &format!("{} for {}", b.display(), a.display()),
        );
        fs::write(&a, whole).unwrap();
    };
    for name in FILES {
        swapped(
            checkpoints.path(20).join(name),
            &checkpoints.path(10).join(name),
        );
        for other in FILES.iter().filter(|other| **other != name) {
            swapped(
                checkpoints.path(20).join(name),
                &checkpoints.path(20).join(other),
            );
        }
    }
    // All of them: a checkpoint that is whole, under the name of another.
    for name in FILES {
        fs::copy(
            checkpoints.path(10).join(name),
            checkpoints.path(20).join(name),
        )
        .unwrap();
    }
    assert_eq!(falls_back(&checkpoints, "renamed"), "it is that of step 10");
}

proptest! {
    #[test]
    fn damage_of_any_kind_is_never_read_as_whole(
        file in 0..FILES.len(),
        at in any::<prop::sample::Index>(),
        removed in 0_usize..40,
        inserted in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let (_folder, checkpoints) = two();
        let path = checkpoints.path(20).join(FILES[file]);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        bytes.splice(at..(at + removed).min(whole.len()), inserted);
        fs::write(&path, &bytes).unwrap();
        let (newest, refused) = checkpoints.newest().unwrap();
        let expected = if bytes == whole { 20 } else { 10 };
        prop_assert_eq!(newest, Some(checkpoint(expected)));
        prop_assert_eq!(refused.len(), usize::from(bytes != whole));
    }
}

#[test]
fn the_newest_and_the_best_are_kept() {
    let (_folder, checkpoints) = two();
    for step in [30, 100] {
        checkpoints.write(&checkpoint(step)).unwrap();
    }
    assert_eq!(checkpoints.steps().unwrap(), [10, 20, 30, 100]);
    checkpoints.keep(1, Some(20)).unwrap();
    assert_eq!(checkpoints.steps().unwrap(), [20, 100]);
    checkpoints.keep(1, None).unwrap();
    assert_eq!(checkpoints.steps().unwrap(), [100]);
}

#[test]
fn leftovers_are_swept_and_others_files_are_not_checkpoints() {
    let (folder, checkpoints) = two();
    let parent = folder.path().join("checkpoints");
    for name in [".step-30", "step-30.bak", "step-x", "notes"] {
        fs::create_dir(parent.join(name)).unwrap();
        fs::write(parent.join(name).join("model.safetensors"), "half").unwrap();
    }
    checkpoints.prepare().unwrap();
    assert!(!parent.join(".step-30").exists());
    assert!(parent.join("notes/model.safetensors").exists());
    assert_eq!(checkpoints.steps().unwrap(), [10, 20]);
}

#[test]
fn a_refused_checkpoint_is_set_aside_and_written_again() {
    let (folder, checkpoints) = two();
    for _ in 0..2 {
        fs::write(checkpoints.path(20).join("state.json"), "{}").unwrap();
        let (_, refused) = checkpoints.newest().unwrap();
        checkpoints.set_aside(&refused[0]).unwrap();
        assert_eq!(
            checkpoints.newest().unwrap(),
            (Some(checkpoint(10)), vec![])
        );
        checkpoints.write(&checkpoint(20)).unwrap();
        assert_eq!(
            checkpoints.newest().unwrap(),
            (Some(checkpoint(20)), vec![])
        );
        assert!(
            folder
                .path()
                .join("checkpoints/refused-step-20/state.json")
                .exists()
        );
    }
}

#[test]
fn a_folder_that_is_gone_is_not_made_again() {
    let (folder, checkpoints) = two();
    fs::remove_dir_all(folder.path()).unwrap();
    let error = checkpoints.write(&checkpoint(30)).unwrap_err().to_string();
    assert!(
        error.starts_with("cannot create ") && error.ends_with(".step-30"),
        "{error}"
    );
    assert!(!folder.path().exists());
    assert_eq!(checkpoints.newest().unwrap(), (None, vec![]));
}
