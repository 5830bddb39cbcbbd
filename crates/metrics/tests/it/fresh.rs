//! Golden files: the committed ones, or fresh ones of the same kind.

/// The text of a golden file: from the folder that `JUGGLE_GOLDEN` names, which `cargo xtask interop` fills with cases drawn
/// from another seed, or else the committed one.
macro_rules! golden_file {
    ($name:literal) => {
        match std::env::var_os("JUGGLE_GOLDEN") {
            Some(folder) => {
                std::fs::read_to_string(std::path::Path::new(&folder).join($name)).unwrap()
            }
            None => include_str!(concat!("../golden/", $name)).to_owned(),
        }
    };
}

pub(crate) use golden_file;
