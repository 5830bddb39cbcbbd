//! Every way to be refused, and the sentence that says so.

use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, Error, Role, psnr, psnr_batch, ssim, ssim_batch,
    ssim_gaussian,
};
use ndarray::{Array2, Array4};

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
        "image of height 6 and width 20 is smaller than the 7×7 window",
    );
    let image = gray(20, 10);
    check(
        ssim_gaussian(image.view(), image.view(), 1.0),
        "image of height 20 and width 10 is smaller than the 11×11 window",
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
    let message = "pixel values are too large for f64 arithmetic with data_range 1";
    check(psnr(large.view(), gray(16, 16).view(), 1.0), message);
    check(ssim(large.view(), large.view(), 1.0), message);
    check(ssim_gaussian(large.view(), large.view(), 1.0), message);
    // The squares are finite here, but their quotient is not above zero.
    let large = Array2::from_elem((16, 16), 1e150);
    let found = psnr(large.view(), gray(16, 16).view(), 1e-70);
    assert_eq!(found, Err(Error::Overflow { data_range: 1e-70 }));
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
