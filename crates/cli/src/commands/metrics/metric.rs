//! Which metric, by whose convention, with which settings.

use anyhow::Result;
use juggle_metrics::{Error, MsSsim, Ssim, psnr_batch};
use ndarray::{Array4, ArrayView4};

use crate::args::metrics::{ConventionName, MsSsimArgs, PsnrArgs, SsimArgs};
use crate::failure::Usage;

/// A metric of pairs of images, with settings as given.
#[derive(Debug)]
pub(super) struct Metric {
    kind: Kind,
    pub(super) data_range: f64,
}

#[derive(Debug)]
enum Kind {
    Psnr,
    Ssim(ConventionName, Ssim),
    MsSsim(ConventionName, MsSsim),
}

impl Metric {
    pub(super) fn psnr(args: &PsnrArgs) -> Self {
        Self {
            kind: Kind::Psnr,
            data_range: args.pair.data_range,
        }
    }

    pub(super) fn ssim(args: &SsimArgs) -> Result<Self> {
        let name = if args.gaussian {
            ConventionName::ScikitImageGaussian
        } else {
            args.convention
        };
        let data_range = args.pair.data_range;
        let mut ssim = Ssim::new(name.into(), data_range);
        if let Some(window_size) = args.window_size {
            ssim = ssim.window_size(window_size);
        }
        if let Some(sigma) = args.sigma {
            if name == ConventionName::ScikitImage {
                return Err(Usage::new(format!(
                    "--sigma is for Gaussian windows, but that of {} is uniform: choose another --convention",
                    name.as_str()
                ))
                .into());
            }
            ssim = ssim.sigma(sigma);
        }
        if let Some(k1) = args.k1 {
            ssim = ssim.k1(k1);
        }
        if let Some(k2) = args.k2 {
            ssim = ssim.k2(k2);
        }
        Ok(Self {
            kind: Kind::Ssim(name, ssim),
            data_range,
        })
    }

    pub(super) fn ms_ssim(args: &MsSsimArgs) -> Self {
        let name = ConventionName::from(args.convention);
        let data_range = args.pair.data_range;
        let mut ms_ssim = MsSsim::new(name.into(), data_range);
        if let Some(weights) = &args.weights {
            ms_ssim = ms_ssim.weights(&weights.0);
        }
        Self {
            kind: Kind::MsSsim(name, ms_ssim),
            data_range,
        }
    }

    /// Refuses settings before any file is read: the library says what is wrong with them on any image, so one
    /// pixel will do; that this is too small is no fault of theirs.
    pub(super) fn check(&self) -> Result<()> {
        let pixel = Array4::<u8>::zeros((1, 1, 1, 1));
        match self.values(pixel.view(), pixel.view()) {
            Ok(_) => Ok(()),
            Err(error) => match flag(&error) {
                None => Ok(()),
                Some(flag) => Err(Usage::new(format!("{flag}: {error}")).into()),
            },
        }
    }

    /// The value of each pair of a batch N×C×H×W.
    pub(super) fn values(
        &self,
        truth: ArrayView4<'_, u8>,
        prediction: ArrayView4<'_, u8>,
    ) -> juggle_metrics::Result<Vec<f64>> {
        match &self.kind {
            Kind::Psnr => psnr_batch(truth, prediction, self.data_range),
            Kind::Ssim(_, ssim) => ssim.batch(truth, prediction),
            Kind::MsSsim(_, ms_ssim) => ms_ssim.batch(truth, prediction),
        }
    }

    /// What JSON calls it.
    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::Psnr => "psnr",
            Kind::Ssim(..) => "ssim",
            Kind::MsSsim(..) => "ms_ssim",
        }
    }

    pub(super) fn title(&self) -> &'static str {
        match self.kind {
            Kind::Psnr => "PSNR",
            Kind::Ssim(..) => "SSIM",
            Kind::MsSsim(..) => "MS-SSIM",
        }
    }

    /// As `--convention` takes it; PSNR needs none.
    pub(super) fn convention(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Psnr => None,
            Kind::Ssim(name, _) | Kind::MsSsim(name, _) => Some(name.as_str()),
        }
    }

    /// What to do about images that are too small for it, where there is a choice.
    pub(super) fn advice(&self) -> &'static str {
        match self.kind {
            Kind::MsSsim(ConventionName::Torchmetrics, _) => "; fewer --weights need fewer pixels",
            _ => "",
        }
    }

    pub(super) fn digits(&self) -> usize {
        match self.kind {
            Kind::Psnr => 4,
            Kind::Ssim(..) | Kind::MsSsim(..) => 6,
        }
    }

    /// With a space before it, if there is one.
    pub(super) fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Psnr => " dB",
            Kind::Ssim(..) | Kind::MsSsim(..) => "",
        }
    }

    pub(super) fn format(&self, value: f64) -> String {
        format!("{value:.*}{}", self.digits(), self.unit())
    }
}

/// The flag that an error of the settings is about; `None` for errors of images.
fn flag(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::DataRange { .. } => "--data-range",
        Error::WindowSize { .. } | Error::WindowFromSigma { .. } => "--window-size",
        Error::Setting { name: "k1", .. } => "--k1",
        Error::Setting { name: "k2", .. } => "--k2",
        Error::Setting { name: "sigma", .. } => "--sigma",
        Error::Setting { .. } | Error::NoWeights => "--weights",
        Error::Undefined { .. } => "--convention",
        _ => return None,
    })
}
