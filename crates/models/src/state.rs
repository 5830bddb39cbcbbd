//! A network's weights and buffers outside any engine, and their file.

mod metadata;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::network::{Initial, Network};
use crate::{Error, Result};

/// The values of a [`StateTensor`].
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Parameters and running statistics.
    F32(Vec<f32>),
    /// Counters.
    I64(Vec<i64>),
}

/// One named tensor's shape and values, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct StateTensor {
    /// The shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, as many as the shape holds.
    pub values: Values,
}

impl StateTensor {
    /// A tensor of floats.
    ///
    /// # Panics
    /// When the number of values is not the shape's product.
    #[must_use]
    pub fn floats(shape: Vec<usize>, values: Vec<f32>) -> Self {
        assert_eq!(
            shape.iter().product::<usize>(),
            values.len(),
            "a tensor holds as many values as its shape"
        );
        Self {
            shape,
            values: Values::F32(values),
        }
    }

    /// A scalar counter.
    #[must_use]
    pub fn counter(value: i64) -> Self {
        Self {
            shape: vec![],
            values: Values::I64(vec![value]),
        }
    }

    fn describe(&self) -> String {
        let dtype = match self.values {
            Values::F32(_) => "F32",
            Values::I64(_) => "I64",
        };
        format!("{dtype} of shape {:?}", self.shape)
    }
}

/// The weights and buffers of a network by their names in PyTorch's state dictionary.
///
/// # Examples
///
/// ```
/// use juggle_models::{CnnConfig, State, cnn, initialize};
///
/// let network = cnn(&CnnConfig { n_classes: 3, in_channels: 1, height: 8, width: 8, batch_norm: true })?;
/// let state = initialize(&network, 7);
/// let folder = std::env::temp_dir().join(format!("juggle-state-doctest-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let path = folder.join("model.safetensors");
/// state.save(&path)?;
/// assert_eq!(State::load(&path, &network)?, state);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    tensors: BTreeMap<String, StateTensor>,
}

impl State {
    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: String, tensor: StateTensor) {
        self.tensors.insert(name, tensor);
    }

    /// The tensor of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&StateTensor> {
        self.tensors.get(name)
    }

    /// The values of the float tensor of this name.
    #[must_use]
    pub fn floats(&self, name: &str) -> Option<&[f32]> {
        match &self.tensors.get(name)?.values {
            Values::F32(values) => Some(values),
            Values::I64(_) => None,
        }
    }

    /// The tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StateTensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Reads a safetensors file and checks it against the network as `load_state_dict(strict=True)` would.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Format`], or [`Error::State`] that names the first tensor that is missing, not wanted,
    /// of another shape or type, or not finite.
    pub fn load(path: &Path, network: &Network) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| io_error("read", path, source))?;
        let state = Self::from_bytes(&bytes, path)?;
        state.check(network).map_err(|reason| Error::State {
            path: path.to_owned(),
            reason,
        })?;
        Ok(state)
    }

    /// Reads the bytes of a safetensors file, whatever its tensors are; `path` is what an error names.
    ///
    /// # Errors
    /// [`Error::Format`], or [`Error::State`] that names a tensor of another type than F32 and I64.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes).map_err(|source| Error::Format {
            path: path.to_owned(),
            source,
        })?;
        let misfit = |reason| Error::State {
            path: path.to_owned(),
            reason,
        };
        let mut state = Self::default();
        for (name, view) in file.iter() {
            let tensor = from_view(&view).ok_or_else(|| {
                misfit(format!(
                    "tensor `{name}` is {:?}, expected F32 or I64",
                    view.dtype()
                ))
            })?;
            state.insert(name.to_owned(), tensor);
        }
        Ok(state)
    }

    /// Writes a safetensors file that `safetensors.torch.load_file` and `load_state_dict(strict=True)` accept.
    ///
    /// The file is complete or absent: it is written beside its place, flushed to the disk, and renamed. The same
    /// state gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the disk does not take it; an older file of that name is then untouched.
    pub fn save(&self, path: &Path) -> Result<()> {
        replace_file(path, &self.to_bytes()).map_err(|source| io_error("write", path, source))
    }

    /// As [`State::save`], with more keys and values in the file's `__metadata__`, sorted by key.
    ///
    /// # Errors
    /// As [`State::save`].
    pub fn save_with_metadata(
        &self,
        path: &Path,
        metadata: &BTreeMap<String, String>,
    ) -> Result<()> {
        let bytes = metadata::extend(&self.to_bytes(), metadata);
        replace_file(path, &bytes).map_err(|source| io_error("write", path, source))
    }

    /// The bytes of the file that [`State::save`] writes.
    ///
    /// # Panics
    /// When the tensors are too many or too large for a safetensors header, 100 MB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let views: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, tensor)| (name, Bytes(tensor)))
            .collect();
        let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(metadata))
            .expect("each tensor has as many values as its shape")
    }

    /// Checks that the names, shapes and types are the network's and that every float is finite.
    pub(crate) fn check(&self, network: &Network) -> Result<(), String> {
        let specs = network.tensors();
        for spec in &specs {
            let Some(tensor) = self.tensors.get(&spec.name) else {
                return Err(format!("tensor `{}` is missing", spec.name));
            };
            let (dtype, is_right_type) = match (&spec.initial, &tensor.values) {
                (Initial::Counter, values) => ("I64", matches!(values, Values::I64(_))),
                (_, values) => ("F32", matches!(values, Values::F32(_))),
            };
            if tensor.shape != spec.shape || !is_right_type {
                let (name, shape, found) = (&spec.name, &spec.shape, tensor.describe());
                return Err(format!(
                    "tensor `{name}` is {found}, expected {dtype} of shape {shape:?}"
                ));
            }
            if let Values::F32(values) = &tensor.values
                && let Some(value) = values.iter().find(|value| !value.is_finite())
            {
                return Err(format!(
                    "tensor `{}` holds {value}, expected finite values",
                    spec.name
                ));
            }
        }
        match self
            .tensors
            .keys()
            .find(|name| specs.iter().all(|spec| spec.name != **name))
        {
            Some(name) => Err(format!("tensor `{name}` is in no layer of the network")),
            None => Ok(()),
        }
    }
}

/// A tensor as the little-endian bytes that safetensors stores.
struct Bytes<'a>(&'a StateTensor);

impl safetensors::View for Bytes<'_> {
    fn dtype(&self) -> Dtype {
        match self.0.values {
            Values::F32(_) => Dtype::F32,
            Values::I64(_) => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(match &self.0.values {
            Values::F32(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            Values::I64(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        })
    }

    fn data_len(&self) -> usize {
        match &self.0.values {
            Values::F32(values) => size_of_val(values.as_slice()),
            Values::I64(values) => size_of_val(values.as_slice()),
        }
    }
}

fn from_view(view: &TensorView<'_>) -> Option<StateTensor> {
    let values = match view.dtype() {
        Dtype::F32 => Values::F32(
            view.data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        ),
        Dtype::I64 => Values::I64(
            view.data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| i64::from_le_bytes(*bytes))
                .collect(),
        ),
        _ => return None,
    };
    Some(StateTensor {
        shape: view.shape().to_vec(),
        values,
    })
}

/// Puts `bytes` at `path` by a rename, so that a reader or a crash never meets half of them.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = write_and_rename(&temporary, path, bytes);
    if written.is_err() {
        // The first failure is the one to report; a leftover file harms nobody.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(temporary, path)?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A folder cannot be opened as a file everywhere; where it can, the rename is made durable.
    File::open(parent).map_or(Ok(()), |folder| folder.sync_all())
}

fn io_error(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        action,
        path: PathBuf::from(path),
        source,
    }
}
