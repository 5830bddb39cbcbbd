//! The run folder, what may be overwritten, wrong data.

use crate::sandbox::{Sandbox, file_names};

const RUN_FILES: [&str; 10] = [
    ".lock",
    "best.safetensors",
    "checkpoints",
    "config.toml",
    "data.sha256",
    "events.jsonl",
    "last.safetensors",
    "metrics.json",
    "report.html",
    "tensorboard",
];

#[test]
fn a_classifier_run_has_its_files() {
    let sandbox = Sandbox::with_bars();
    let output = sandbox
        .juggle("train classifier --data bars --run out --epochs 3 --batch-size 5 --lr 0.002");
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert_eq!(file_names(&sandbox.path("out")), RUN_FILES);

    let events = sandbox.events("out", "epoch");
    assert_eq!(events.len(), 3);
    assert_eq!(
        (events[2]["epoch"].as_u64(), events[2]["step"].as_u64()),
        (Some(3), Some(15))
    );
    assert_eq!(events[2]["learning_rate"], 0.002);
    let norms = events[2]["gradient_norms"].as_object().unwrap();
    assert!(norms.keys().any(|name| name == "0.weight"), "{norms:?}");
    assert!(norms.values().all(|norm| norm.as_f64().unwrap() >= 0.0));
    let seconds = |name: &str| events[2][name].as_f64().unwrap();
    assert!(0.0 < seconds("engine_s") && seconds("engine_s") <= seconds("epoch_s"));
    assert!(seconds("epoch_s") <= seconds("elapsed_s"));
    for split in ["train", "val"] {
        assert!(events[0][split]["loss"].as_f64().unwrap() > 0.0);
        assert!((0.0..=1.0).contains(&events[0][split]["accuracy"].as_f64().unwrap()));
    }

    let metrics = sandbox.json("out/metrics.json");
    assert_eq!(
        (metrics["kind"].as_str(), metrics["epochs"].as_u64()),
        (Some("classifier"), Some(3))
    );
    assert_eq!(metrics["steps"], 15);
    assert_eq!(
        metrics["val"]["loss"], events[2]["val"]["loss"],
        "the last weights"
    );
    let lowest = (1..=3).min_by(|&a, &b| {
        let loss = |epoch: usize| events[epoch - 1]["val"]["loss"].as_f64().unwrap();
        loss(a).total_cmp(&loss(b))
    });
    assert_eq!(
        metrics["best_epoch"]
            .as_u64()
            .map(|epoch| usize::try_from(epoch).unwrap()),
        lowest
    );

    assert!(
        output.stdout.starts_with("run    out\ntrain  loss "),
        "{}",
        output.stdout
    );
    let epochs = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("epoch "))
        .count();
    assert_eq!(epochs, 3, "one plain line an epoch:\n{}", output.stderr);
}

#[test]
fn an_autoencoder_run_has_its_files() {
    let sandbox = Sandbox::with_clips();
    let arguments = "train autoencoder --data clips --run out --epochs 2 --widths 4,8 --input-frames 3 --no-skip \
                     --augment hflip --schedule step --step-epochs 1 --step-gamma 0.5";
    sandbox.juggle(arguments).done();
    assert_eq!(file_names(&sandbox.path("out")), RUN_FILES);
    let metrics = sandbox.json("out/metrics.json");
    assert_eq!(metrics["kind"], "autoencoder");
    assert!(metrics["val"]["psnr_db"].as_f64().unwrap() > 0.0);
    let events = sandbox.events("out", "epoch");
    let event = &events[1];
    assert_eq!(
        event["learning_rate"], 0.0005,
        "halved after the first epoch"
    );
    assert_eq!(
        event["train"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["loss"]
    );
    assert_eq!(
        event["val"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["loss", "psnr_db"]
    );
    let config = sandbox.read("out/config.toml");
    for line in [
        "input_frames = 3",
        "widths = [4, 8]",
        "skip = false",
        "channels = \"gray\"",
        "height = 12",
    ] {
        assert!(config.contains(line), "{line} in\n{config}");
    }
}

#[test]
fn digits_without_split_folders_need_no_other_flag() {
    let sandbox = Sandbox::new();
    for digit in 0..10 {
        for i in 0..8 {
            sandbox.write_gray(&format!("digits/{digit}/{i}.png"), 28, |y, x| {
                segment(digit, y, x, i)
            });
        }
    }
    let output = sandbox.juggle("train classifier --data digits");
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(
        output.stdout.contains("runs/classifier-1"),
        "{}",
        output.stdout
    );
    let evaluation = sandbox.juggle("evaluate runs/classifier-1 --json").json();
    assert_eq!(evaluation["classes"].as_array().unwrap().len(), 10);
    assert_eq!(evaluation["split"], "test");
    assert!(
        evaluation["accuracy"].as_f64().unwrap() > 0.8,
        "{evaluation:#}"
    );

    let output = sandbox.juggle("train classifier --data digits --epochs 1");
    assert!(
        output.done().contains("runs/classifier-2"),
        "the next free name"
    );
}

/// A pixel of a seven-segment digit, moved and dimmed a little by the number of the image.
fn segment(digit: usize, y: usize, x: usize, i: usize) -> u8 {
    //                         top, upper left, upper right, middle, lower left, lower right, bottom
    const LIT: [[u8; 7]; 10] = [
        [1, 1, 1, 0, 1, 1, 1],
        [0, 0, 1, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 0, 1, 1],
        [0, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 1],
        [1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 1, 1],
    ];
    let (y, x) = (y.wrapping_sub(i % 3), x.wrapping_sub(i / 3));
    let across = (8..18).contains(&x);
    let [upper, lower] = [(4..13).contains(&y), (13..22).contains(&y)];
    let [left, right] = [(6..9).contains(&x), (17..20).contains(&x)];
    let on = [
        across && (3..6).contains(&y),
        left && upper,
        right && upper,
        across && (12..15).contains(&y),
        left && lower,
        right && lower,
        across && (20..23).contains(&y),
    ];
    let lit = on.iter().zip(LIT[digit]).any(|(&on, lit)| on && lit == 1);
    if lit {
        255 - 10 * u8::try_from(i).unwrap()
    } else {
        0
    }
}

#[test]
fn a_run_is_only_replaced_when_asked() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let before = sandbox.bytes("out/last.safetensors");
    let again = "train classifier --data bars --run out --epochs 1 --seed 5";
    assert_eq!(
        sandbox.juggle(again).error(),
        "out already holds a run: continue it with --resume, replace it with --overwrite, or choose another --run"
    );
    assert_eq!(sandbox.bytes("out/last.safetensors"), before);

    sandbox.write("out/notes.txt", "mine");
    sandbox.juggle(&format!("{again} --overwrite")).done();
    assert_ne!(sandbox.bytes("out/last.safetensors"), before);
    assert_eq!(
        sandbox.events("out", "epoch").len(),
        1,
        "the old events are gone"
    );
    assert_eq!(sandbox.read("out/notes.txt"), "mine");
}

#[test]
fn a_folder_that_is_no_run_is_never_touched() {
    let sandbox = Sandbox::with_bars();
    sandbox.write("precious/events.jsonl", "mine");
    assert_eq!(
        sandbox
            .juggle("train classifier --data bars --run precious --overwrite")
            .error(),
        "precious is not empty and is not a run folder (no config.toml of a run in it): choose another --run"
    );
    sandbox.write("precious/config.toml", "[server]\nport = 80\n");
    sandbox
        .juggle("train classifier --data bars --run precious --overwrite")
        .error();
    std::fs::remove_file(sandbox.path("precious/config.toml")).unwrap();
    assert_eq!(file_names(&sandbox.path("precious")), ["events.jsonl"]);
    assert_eq!(sandbox.read("precious/events.jsonl"), "mine");
}

#[test]
fn data_that_cannot_be_used_leave_no_run_folder() {
    let sandbox = Sandbox::with_bars();
    let train = |data: &str| {
        sandbox
            .juggle(&format!("train classifier --data {data} --run out"))
            .error()
    };
    assert_eq!(
        train("nowhere"),
        "cannot read the data folder nowhere: No such file or directory (os error 2)"
    );

    let folder = sandbox.canonical("bars");
    sandbox.write_gray("bars/train/level/99.png", 9, |_, _| 0);
    let error = train("bars");
    assert!(
        error.contains("mixed image sizes") && error.contains("99.png"),
        "{error}"
    );
    std::fs::remove_file(sandbox.path("bars/train/level/99.png")).unwrap();

    sandbox.truncate("bars/train/level/3.png");
    let error = train("bars");
    assert!(
        error.contains(&format!("{folder}/train/level/3.png")) && error.contains("truncated"),
        "{error}"
    );
    sandbox.write_bars("bars/train/level", "level", 12, 8);

    std::fs::create_dir(sandbox.path("bars/train/third")).unwrap();
    let error = train("bars");
    assert!(
        error.contains("empty class") && error.contains("third"),
        "{error}"
    );
    std::fs::remove_dir(sandbox.path("bars/train/third")).unwrap();

    sandbox.write_bars("one/only", "level", 10, 8);
    let error = train("one");
    assert!(
        error.contains("has one class (only): a classifier needs two or more"),
        "{error}"
    );

    let error = sandbox
        .juggle("train autoencoder --data bars --run out")
        .error();
    assert!(
        error.contains("clip val/level has 4 frames, expected at least 5"),
        "{error}"
    );
    assert!(!sandbox.exists("out"));
}

#[test]
fn clips_must_be_long_enough_and_divide_by_the_poolings() {
    let sandbox = Sandbox::with_clips();
    let error = sandbox
        .juggle("train autoencoder --data clips --run out --input-frames 6")
        .error();
    assert!(
        error.contains("has 6 frames, expected at least 7"),
        "{error}"
    );
    let error = sandbox
        .juggle("train autoencoder --data clips --run out --widths 1,2,3,4,5")
        .error();
    assert!(
        error.contains("the image height is 12, expected a multiple of 2^4 pixels"),
        "{error}"
    );
    assert!(!sandbox.exists("out"));
}

#[test]
fn a_loss_that_is_no_number_stops_the_training() {
    let sandbox = Sandbox::with_bars();
    let error = sandbox
        .juggle("train classifier --data bars --run out --lr 1e30 --epochs 3 --optimizer sgd --batch-size 4")
        .error();
    assert!(
        error.contains("loss is ") && error.contains("(epoch 1) with learning rate 1e30"),
        "{error}"
    );
    assert!(!sandbox.exists("out/last.safetensors"));
}

#[test]
fn devices_that_this_build_lacks_are_refused() {
    if cfg!(any(feature = "cuda", feature = "metal")) {
        return;
    }
    let sandbox = Sandbox::with_bars();
    assert_eq!(
        sandbox
            .juggle("train classifier --data bars --run out --device cuda")
            .error(),
        "device `cuda:0` is not available: this binary was built without the cargo feature `cuda`"
    );
    assert!(!sandbox.exists("out"));
}

#[test]
fn colour_images_train_too() {
    let sandbox = Sandbox::new();
    for (class, channel) in [("green", 1), ("red", 0)] {
        for i in 0..8_usize {
            let shape = juggle_dataset::ImageShape {
                channels: 3,
                height: 6,
                width: 9,
            };
            let pixels = (0..shape.len()).map(|p| {
                if p / 54 == channel {
                    200 + u8::try_from(p % 8 + i).unwrap()
                } else {
                    9
                }
            });
            sandbox.write_image(&format!("colours/{class}/{i}.png"), shape, pixels.collect());
        }
    }
    sandbox
        .juggle("train classifier --data colours --run out --epochs 1")
        .done();
    let config = sandbox.read("out/config.toml");
    for line in ["channels = \"rgb\"", "height = 6", "width = 9"] {
        assert!(config.contains(line), "{line} in\n{config}");
    }
    let gray =
        sandbox.juggle("train classifier --data colours --run gray --epochs 1 --channels gray");
    gray.done();
    assert!(
        sandbox
            .read("gray/config.toml")
            .contains("channels = \"gray\"")
    );
}
