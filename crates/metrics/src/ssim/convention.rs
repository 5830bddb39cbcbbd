//! Whose SSIM, and which covariance.

use std::fmt;

/// Whose SSIM. The libraries share a formula and disagree in the window, the covariance and the border; the documentation of [`Ssim`](crate::Ssim)
/// says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `skimage.metrics.structural_similarity` of scikit-image 0.26 as it is called without options: a uniform 7×7 window and
    /// the sample covariance.
    ScikitImage,
    /// The same function with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False`, its form of Wang et al. 2004.
    ScikitImageGaussian,
    /// `torchmetrics.functional.image.structural_similarity_index_measure` of torchmetrics 1.9.
    Torchmetrics,
    /// `pytorch_msssim.ssim` of pytorch-msssim 1.0.
    PytorchMsssim,
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScikitImage => "scikit-image's default SSIM",
            Self::ScikitImageGaussian => "scikit-image's Gaussian SSIM",
            Self::Torchmetrics => "torchmetrics",
            Self::PytorchMsssim => "pytorch-msssim",
        })
    }
}

/// How the squared deviations under a window of NP pixels become a covariance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covariance {
    /// Their weighted sum times NP / (NP − 1).
    Sample,
    /// Their weighted sum.
    Population,
}
