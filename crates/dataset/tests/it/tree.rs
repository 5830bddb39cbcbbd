//! A temporary folder of small PNG files.

use std::fs;
use std::path::{Path, PathBuf};

use juggle_dataset::{Image, ImageShape, write_png};
use tempfile::TempDir;

pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A tree with one 4×4 gray image at each path, all different.
    pub(crate) fn of<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Self {
        let tree = Self::new();
        for (i, path) in paths.into_iter().enumerate() {
            tree.image(path.as_ref(), gray(4, 4), i);
        }
        tree
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    /// Adds a file with any content.
    pub(crate) fn file(&self, path: &str, content: &[u8]) -> &Self {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Adds an empty folder.
    pub(crate) fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.join(path)).unwrap();
        self
    }

    /// Adds an image whose pixels follow from `number`.
    pub(crate) fn image(&self, path: &str, shape: ImageShape, number: usize) -> &Self {
        let pixels = (0..shape.len())
            .map(|i| u8::try_from((number * 37 + (number / 7 + 1) * i * 11) % 256).unwrap())
            .collect();
        self.pixels(path, shape, pixels)
    }

    /// Adds an image with the given pixels.
    pub(crate) fn pixels(&self, path: &str, shape: ImageShape, pixels: Vec<u8>) -> &Self {
        let path = self.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_png(&path, &Image { shape, pixels }).unwrap();
        self
    }
}

pub(crate) fn gray(height: usize, width: usize) -> ImageShape {
    ImageShape {
        channels: 1,
        height,
        width,
    }
}

/// The folder of the committed data.
pub(crate) fn committed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../data")
        .join(path)
}
