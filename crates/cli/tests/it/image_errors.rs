//! What `juggle metrics` says of images and settings without a value.

use crate::image_metrics::{with_images, with_series};

#[test]
fn settings_that_have_no_value_name_their_flag() {
    let sandbox = with_images();
    for (arguments, sentence) in [
        (
            "ssim --window-size 4",
            "--window-size: window_size must be an odd number of at least 3, found 4",
        ),
        (
            "ssim --gaussian --window-size 9",
            "--window-size: scikit-image's Gaussian SSIM takes the size of its Gaussian window \
             from sigma (11 for this sigma); window_size is not for it",
        ),
        (
            "ssim --k1 -1",
            "--k1: k1 must be a number of at least 0 and at most 1e30, found -1",
        ),
        (
            "ssim --k2 nan",
            "--k2: k2 must be a number of at least 0 and at most 1e30, found NaN",
        ),
        (
            "ssim --gaussian --sigma 0",
            "--sigma: sigma must be a number from 0.15 to 1000, found 0",
        ),
        (
            "ssim --sigma 2",
            "--sigma is for Gaussian windows, but that of scikit-image is uniform: \
             choose another --convention",
        ),
        (
            "psnr --data-range 1e99",
            "--data-range: data_range must be a positive number between 1e-70 and 1e70, \
             found 1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "ms-ssim --weights 2,-1",
            "--weights: a weight must be a number of at least 0 and at most 1e6, found -1",
        ),
    ] {
        // The settings are looked at first.
        let found = sandbox.juggle(&format!("metrics {arguments} nowhere nowhere"));
        assert_eq!(found.usage(), sentence);
    }
    for arguments in [
        "ssim truth other --gaussian --convention torchmetrics",
        "ssim truth other --convention matlab",
        "ssim truth other --k1 much",
        "ms-ssim truth other --convention scikit-image",
        "ms-ssim truth other --weights 1,,2",
        "psnr truth other --gaussian",
        "psnr truth other --data-range 0",
        "psnr truth other --threads -1",
    ] {
        let output = sandbox.juggle(&format!("metrics {arguments}"));
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(2), ""),
            "{arguments}"
        );
    }
}

#[test]
fn images_that_cannot_be_compared_are_named() {
    let sandbox = with_images();
    let error = |arguments: &str| sandbox.juggle(&format!("metrics ssim {arguments}")).error();
    assert_eq!(
        error("nowhere.png truth/a.png"),
        "there is no file or folder nowhere.png"
    );
    assert_eq!(
        error("truth truth/a.png"),
        "truth is a folder but truth/a.png is a file"
    );
    assert_eq!(
        error("truth/a.png truth"),
        "truth/a.png is a file but truth is a folder"
    );
    sandbox.write_gray("small/a.png", 5, |_, _| 0);
    sandbox.write_gray("small/inner/b.png", 5, |_, _| 0);
    for (arguments, names) in [
        ("truth/a.png small/a.png", ["truth/a.png", "small/a.png"]),
        ("truth small", ["truth/a.png", "small/a.png"]),
    ] {
        let [truth, prediction] = names;
        assert_eq!(
            error(arguments),
            format!(
                "{truth} is 16×16 pixels but {prediction} is 5×5 (height×width), expected equal sizes"
            )
        );
    }
    assert_eq!(
        error("small small"),
        "small/a.png and small/a.png: image of height 5 and width 5 is smaller than the 7×7 pixels that the window needs"
    );
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    assert_eq!(error("empty truth"), "there are no PNG images in empty");
    assert_eq!(error("truth empty"), "there are no PNG images in empty");
    sandbox.truncate("other/a.png");
    assert!(error("truth/a.png other/a.png").contains("other/a.png is truncated"));
    sandbox.write("other/a.png", "no image");
    assert!(error("truth other").starts_with("other/a.png is not a PNG file"));
}

#[test]
fn files_without_a_counterpart_are_named() {
    let sandbox = with_series();
    let error = |arguments: &str| sandbox.juggle(&format!("metrics psnr {arguments}")).error();
    let remove = |name: &str| std::fs::remove_file(sandbox.path(name)).unwrap();
    remove("other/3.png");
    assert_eq!(
        error("truth other"),
        "truth/3.png has no counterpart other/3.png"
    );
    assert_eq!(
        error("other truth"),
        "truth/3.png has no counterpart other/3.png"
    );
    remove("other/5.png");
    assert_eq!(
        error("truth other"),
        "truth/3.png has no counterpart other/3.png, nor has 1 more file of truth"
    );
    remove("other/0.png");
    assert_eq!(
        error("truth other"),
        "truth/0.png has no counterpart other/0.png, nor have 2 more files of truth"
    );
}
