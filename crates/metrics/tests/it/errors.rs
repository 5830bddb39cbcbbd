//! Every way to be refused, and the sentence that says so.

use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, Convention, Covariance, Error, MsSsim, Normalization,
    Role, Ssim, mse, mse_batch, nrmse, psnr, psnr_batch,
};
use ndarray::{Array2, Array3, Array4, Axis};

use crate::shorthand::{ssim, ssim_batch, ssim_gaussian};

fn gray(height: usize, width: usize) -> Array2<f64> {
    Array2::zeros((height, width))
}

fn check<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn shapes() {
    let (a, b) = (gray(8, 9), gray(9, 8));
    let message = "truth has shape 8×9 but prediction has shape 9×8";
    check(psnr(a.view(), b.view(), 1.0), message);
    check(ssim(a.view(), b.view(), 1.0), message);
    let (a, b) = (
        Array4::<u8>::zeros((2, 1, 8, 8)),
        Array4::zeros((3, 1, 8, 8)),
    );
    let message = "truth has shape 2×1×8×8 but prediction has shape 3×1×8×8";
    check(psnr_batch(a.view(), b.view(), 1.0), message);
    check(ssim_batch(a.view(), b.view(), 1.0), message);
}

#[test]
fn no_pixels() {
    for (height, width) in [(0, 0), (0, 8), (8, 0)] {
        let image = gray(height, width);
        let message = format!("shape {height}×{width} has no pixels");
        check(psnr(image.view(), image.view(), 1.0), &message);
        check(ssim_gaussian(image.view(), image.view(), 1.0), &message);
    }
    for shape in [(0, 1, 8, 8), (2, 0, 8, 8)] {
        let batch = Array4::<u16>::zeros(shape);
        assert_eq!(
            ssim_batch(batch.view(), batch.view(), 1.0),
            Err(Error::NoPixels {
                shape: vec![shape.0, shape.1, 8, 8]
            })
        );
    }
}

#[test]
fn smaller_than_the_window() {
    let image = gray(6, 20);
    check(
        ssim(image.view(), image.view(), 1.0),
        "image of height 6 and width 20 is smaller than the 7×7 pixels that the window needs",
    );
    let image = gray(20, 10);
    check(
        ssim_gaussian(image.view(), image.view(), 1.0),
        "image of height 20 and width 10 is smaller than the 11×11 pixels that the window needs",
    );
}

#[test]
fn data_range() {
    let image = gray(8, 8);
    check(
        ssim(image.view(), image.view(), -1.0),
        "data_range must be a positive number between 1e-70 and 1e70, found -1",
    );
    for found in [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-71,
        1e71,
        5e-324,
    ] {
        for result in [
            psnr(image.view(), image.view(), found),
            ssim(image.view(), image.view(), found),
        ] {
            assert!(
                matches!(result, Err(Error::DataRange { .. })),
                "{found}: {result:?}"
            );
        }
    }
}

#[test]
fn pixels_that_are_not_finite() {
    let image = gray(12, 600);
    let mut spoilt = image.clone();
    spoilt[[3, 590]] = f64::NAN;
    let message = "prediction has the value NaN at index [3, 590], expected finite pixels";
    check(psnr(image.view(), spoilt.view(), 1.0), message);
    check(ssim(image.view(), spoilt.view(), 1.0), message);
    spoilt[[3, 590]] = f64::NEG_INFINITY;
    let message = "truth has the value -inf at index [3, 590], expected finite pixels";
    check(psnr(spoilt.view(), spoilt.view(), 1.0), message);
    check(ssim_gaussian(spoilt.view(), spoilt.view(), 1.0), message);
}

#[test]
fn the_first_image_with_an_error_is_named() {
    let truth = Array4::<f32>::zeros((64, 2, 8, 8));
    let mut prediction = truth.clone();
    for n in [63, 40, 17] {
        prediction[[n, 1, 2, 3]] = f32::INFINITY;
    }
    for _ in 0..20 {
        for result in [
            psnr_batch(truth.view(), prediction.view(), 1.0),
            ssim_batch(truth.view(), prediction.view(), 1.0),
        ] {
            let Err(Error::NonFinitePixel {
                image,
                index,
                value,
            }) = result
            else {
                panic!("{result:?}");
            };
            assert_eq!(
                (image, index, value),
                (Role::Prediction, vec![17, 1, 2, 3], f64::INFINITY)
            );
        }
    }
}

#[test]
fn overflow() {
    let large = Array2::from_elem((16, 16), 1e200);
    let message = "pixel values are too large for f64 arithmetic with this data_range";
    check(psnr(large.view(), gray(16, 16).view(), 1.0), message);
    check(ssim(large.view(), large.view(), 1.0), message);
    check(ssim_gaussian(large.view(), large.view(), 1.0), message);
    // The squares are finite here, but their quotient is not above zero.
    let large = Array2::from_elem((16, 16), 1e150);
    let found = psnr(large.view(), gray(16, 16).view(), 1e-70);
    assert_eq!(found, Err(Error::Overflow));
}

#[test]
fn settings_of_ssim() {
    let image = gray(16, 16);
    let of = |ssim: Ssim| ssim.mean(image.view(), image.view());
    let default = Ssim::new(Convention::ScikitImage, 1.0);
    for (found, size) in [("0", 0), ("1", 1), ("8", 8)] {
        check(
            of(default.window_size(size)),
            &format!("window_size must be an odd number of at least 3, found {found}"),
        );
    }
    check(
        of(default.window_size(usize::MAX)),
        &format!(
            "image of height 16 and width 16 is smaller than the {0}×{0} pixels that the window needs",
            usize::MAX
        ),
    );
    check(
        of(Ssim::new(Convention::Torchmetrics, 1.0).window_size(9)),
        "torchmetrics takes the size of its Gaussian window from sigma (11 for this sigma); window_size is not for it",
    );
    check(
        of(Ssim::new(Convention::PytorchMsssim, 1.0).sigma(0.0)),
        "sigma must be a number from 0.15 to 1000, found 0",
    );
    check(
        of(default.k1(f64::NAN)),
        "k1 must be a number of at least 0 and at most 1e30, found NaN",
    );
    check(
        of(default.k2(-0.5).covariance(Covariance::Population)),
        "k2 must be a number of at least 0 and at most 1e30, found -0.5",
    );
    check(
        of(default.k1(0.0)),
        "a window over constant pixels has no SSIM when k1 or k2 is 0: it is zero divided by zero",
    );
    check(
        Ssim::new(Convention::PytorchMsssim, 1.0).gradient(image.view(), image.view()),
        "pytorch-msssim defines no gradient",
    );
    let channels = Array3::<f64>::zeros((16, 16, 3));
    check(
        default.per_channel(channels.view(), channels.view(), Axis(3)),
        "channel axis 3 is none of the 3 axes, which begin with 0",
    );
}

#[test]
fn ms_ssim() {
    let of = |ms_ssim: MsSsim, side: usize| {
        let image = gray(side, side + 1);
        ms_ssim.mean(image.view(), image.view())
    };
    check(
        of(MsSsim::new(Convention::ScikitImage, 1.0), 200),
        "scikit-image's default SSIM defines no MS-SSIM",
    );
    check(
        of(MsSsim::new(Convention::Torchmetrics, 1.0), 175),
        "image of height 175 and width 176 is smaller than the 176×176 pixels that the window needs",
    );
    check(
        of(MsSsim::new(Convention::PytorchMsssim, 1.0), 160),
        "image of height 160 and width 161 is smaller than the 161×161 pixels that the window needs",
    );
    assert_eq!(
        of(MsSsim::new(Convention::PytorchMsssim, 1.0), 161),
        Ok(1.0)
    );
    check(
        of(MsSsim::new(Convention::Torchmetrics, 1.0).weights(&[]), 200),
        "MS-SSIM needs at least one weight, found none",
    );
    check(
        of(
            MsSsim::new(Convention::Torchmetrics, 1.0).weights(&[-1.0]),
            200,
        ),
        "a weight must be a number of at least 0 and at most 1e6, found -1",
    );
}

#[test]
fn errors_of_squares() {
    let (image, mut other) = (gray(4, 4), gray(4, 4));
    for (normalization, name) in [
        (Normalization::Euclidean, "norm"),
        (Normalization::MinMax, "range of values"),
        (Normalization::Mean, "mean"),
    ] {
        check(
            nrmse(image.view(), image.view(), normalization),
            &format!("the truth's {name} is zero, so there is nothing to normalise by"),
        );
    }
    other[[1, 2]] = f64::NAN;
    let message = "prediction has the value NaN at index [1, 2], expected finite pixels";
    check(mse(image.view(), other.view()), message);
    let (mut truth, mut prediction) = (
        Array4::<f64>::zeros((9, 1, 2, 2)),
        Array4::zeros((9, 1, 2, 2)),
    );
    truth[[7, 0, 0, 0]] = f64::INFINITY;
    prediction[[3, 0, 1, 1]] = f64::NAN;
    let message = "prediction has the value NaN at index [3, 0, 1, 1], expected finite pixels";
    check(mse_batch(truth.view(), prediction.view()), message);
}

#[test]
fn labels() {
    let names = ["one", "two"];
    check(
        ClassificationReport::new(&[0, 1], &[0], &names),
        "found 2 true labels but 1 predicted labels",
    );
    check(
        ClassificationReport::from_text_labels(&["a"], &["a", "b"]),
        "found 1 true labels but 2 predicted labels",
    );
    let none = "expected at least one label, found none";
    check(ClassificationReport::new(&[], &[], &names), none);
    check(
        ClassificationReport::from_text_labels::<&str>(&[], &[]),
        none,
    );
    check(ConfusionMatrix::new(&[], &[], 0), none);
    check(
        ClassificationReport::new(&[0, 1], &[0, 2], &names),
        "prediction label 2 at position 1 is not below the number of classes, 2",
    );
    check(
        ConfusionMatrix::new(&[7, 1], &[0, 9], 2),
        "truth label 7 at position 0 is not below the number of classes, 2",
    );
    check(
        ConfusionMatrix::new(&[0], &[0], usize::MAX),
        "a confusion matrix holds at most 16384 classes, found 18446744073709551615",
    );
    assert!(ClassificationReport::new::<&str>(&[0], &[0], &[]).is_err());
}
