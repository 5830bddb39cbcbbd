//! Which processor an engine runs on.

use std::fmt;
use std::str::FromStr;

use candle_core::DeviceLocation;

use crate::{Error, Result};

/// A processor, as the user asks for it: `auto`, `cpu`, `cuda`, `cuda:1` or `metal`.
///
/// # Examples
///
/// ```
/// use juggle_models::Device;
///
/// assert_eq!("cuda".parse::<Device>()?, Device::Cuda(0));
/// assert_eq!(Device::Cuda(1).to_string(), "cuda:1");
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The first of CUDA, Metal and CPU that this build supports and this machine has.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The NVIDIA GPU of this number; needs the cargo feature `cuda`.
    Cuda(usize),
    /// The first GPU of a Mac; needs the cargo feature `metal`.
    Metal,
}

impl Device {
    /// The device that `auto` is in this build on this machine; another one is itself.
    ///
    /// # Errors
    /// [`Error::Device`] for a device that is not available.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_models::Device;
    ///
    /// assert_ne!(Device::Auto.settled()?, Device::Auto);
    /// assert_eq!(Device::Cpu.settled()?, Device::Cpu);
    /// # Ok::<(), juggle_models::Error>(())
    /// ```
    pub fn settled(self) -> Result<Self> {
        Ok(match self.resolve()?.location() {
            DeviceLocation::Cpu => Self::Cpu,
            DeviceLocation::Cuda { gpu_id } => Self::Cuda(gpu_id),
            DeviceLocation::Metal { .. } => Self::Metal,
        })
    }

    /// The candle device.
    pub(crate) fn resolve(self) -> Result<candle_core::Device> {
        let unavailable = |reason: String| Error::Device {
            device: self.to_string(),
            reason,
        };
        match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Auto if candle_core::utils::cuda_is_available() => {
                Ok(candle_core::Device::new_cuda(0).unwrap_or(candle_core::Device::Cpu))
            }
            Self::Auto if candle_core::utils::metal_is_available() => {
                Ok(candle_core::Device::new_metal(0).unwrap_or(candle_core::Device::Cpu))
            }
            Self::Auto => Ok(candle_core::Device::Cpu),
            Self::Cuda(_) if !cfg!(feature = "cuda") => Err(unavailable(
                "this binary was built without the cargo feature `cuda`".to_owned(),
            )),
            Self::Metal if !cfg!(feature = "metal") => Err(unavailable(
                "this binary was built without the cargo feature `metal`".to_owned(),
            )),
            Self::Cuda(i) => {
                candle_core::Device::new_cuda(i).map_err(|error| unavailable(reason(&error)))
            }
            Self::Metal => {
                candle_core::Device::new_metal(0).map_err(|error| unavailable(reason(&error)))
            }
        }
    }
}

/// What went wrong, without the backtrace that candle adds to its errors when `RUST_BACKTRACE` is set.
fn reason(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => reason(inner),
        error => error.to_string(),
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(i) => write!(f, "cuda:{i}"),
            Self::Metal => f.write_str("metal"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::Config {
            what: "the device",
            found: format!("`{text}`"),
            expected: "auto, cpu, cuda, cuda:N or metal".to_owned(),
        };
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "metal" => Ok(Self::Metal),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|i| i.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(unknown),
        }
    }
}
