//! The committed data is what `synth::write` writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use juggle_dataset::{Error, synth};
use sha2::{Digest, Sha256};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data")
}

/// Every file below a folder, by its path with `/` between the parts.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let parts = path.strip_prefix(root).unwrap().iter();
                let parts: Vec<_> = parts.map(|part| part.to_str().unwrap()).collect();
                found.insert(parts.join("/"), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

#[test]
fn writing_gives_the_committed_files_byte_for_byte() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("data");
    let summary = synth::write(&dir, synth::DEFAULT_SEED).unwrap();
    let (written, committed) = (files(&dir), files(&committed()));
    assert_eq!(
        written.keys().collect::<Vec<_>>(),
        committed.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &written {
        assert!(
            bytes == &committed[path],
            "{path} differs from the committed file"
        );
    }
    assert_eq!(summary.files, written.len());
    assert_eq!(summary.files, 6760 + 2);
    let bytes: u64 = written.values().map(|b| b.len() as u64).sum();
    assert_eq!(summary.bytes, bytes);
    let left: Vec<_> = fs::read_dir(temp.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside the folder");
}

#[test]
fn the_checksums_cover_every_committed_file() {
    let mut files = files(&committed());
    let sums = String::from_utf8(files.remove("SHA256SUMS").unwrap()).unwrap();
    let lines: Vec<(&str, &str)> = sums.lines().map(|l| l.split_once("  ").unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|(_, name)| *name).collect();
    assert_eq!(names, files.keys().collect::<Vec<_>>());
    for (sha256, name) in lines {
        let hash = Sha256::digest(&files[name]);
        let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, sha256, "{name}");
    }
}

#[test]
fn the_datasheet_is_right_for_any_seed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("other");
    let summary = synth::write(&dir, 7).unwrap();
    let readme = fs::read_to_string(dir.join("README.md")).unwrap();
    assert!(readme.contains("--seed 7\n"));
    assert!(readme.contains("calibrated with seed 20240601"));
    for split in &summary.splits {
        assert!(readme.contains(&format!("{}  {}", split.pixel_sha256, split.name)));
        assert!(readme.contains(&format!(
            "| {:.4} | {:.4} |",
            split.pixel_mean, split.pixel_std
        )));
    }
}

#[test]
fn only_a_new_or_empty_folder_is_written_into() {
    let temp = tempfile::tempdir().unwrap();
    let full = temp.path().join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("precious.txt"), "keep me").unwrap();
    let error = synth::write(&full, 0).unwrap_err();
    assert!(matches!(error, Error::DestinationNotEmpty { .. }));
    let sentence = format!(
        "{} is not empty, expected a new or empty folder",
        full.display()
    );
    assert_eq!(error.to_string(), sentence);
    assert_eq!(
        fs::read_to_string(full.join("precious.txt")).unwrap(),
        "keep me"
    );

    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    let error = synth::write(&file, 0).unwrap_err();
    assert!(matches!(error, Error::NotAFolder { .. }));

    let empty = temp.path().join("a/b/empty");
    fs::create_dir_all(&empty).unwrap();
    synth::write(&empty, 0).unwrap();
    assert!(empty.join("SHA256SUMS").is_file());
}
