//! Defaults, under the configuration file, under the flags.

use crate::sandbox::Sandbox;

#[test]
fn the_configuration_repeats_the_run() {
    let sandbox = Sandbox::with_bars();
    let first = "train classifier --data bars --run first --epochs 2 --batch-norm --optimizer adamw --lr 0.003 \
                 --weight-decay 0.01 --schedule cosine --warmup-epochs 0.5 --label-smoothing 0.1 --ema 0.9 \
                 --augment hflip,shift=1 --seed 7 --threads 1 --device cpu --channels gray";
    sandbox.juggle(first).done();
    sandbox
        .juggle("train classifier --config first/config.toml --run second")
        .done();
    assert_eq!(
        sandbox.bytes("first/last.safetensors"),
        sandbox.bytes("second/last.safetensors")
    );
    assert_eq!(
        sandbox.bytes("first/best.safetensors"),
        sandbox.bytes("second/best.safetensors")
    );
    sandbox
        .juggle("train classifier --config first/config.toml --run threads --threads 2")
        .done();
    assert_eq!(
        sandbox.bytes("first/last.safetensors"),
        sandbox.bytes("threads/last.safetensors")
    );
    assert_eq!(
        sandbox.read("first/config.toml"),
        sandbox.read("second/config.toml")
    );

    sandbox
        .juggle("train classifier --config first/config.toml --run third --seed 8")
        .done();
    assert_ne!(
        sandbox.bytes("first/last.safetensors"),
        sandbox.bytes("third/last.safetensors")
    );
    assert!(
        sandbox.read("third/config.toml").contains("seed = 8"),
        "flags come on top"
    );
}

#[test]
fn flags_lie_over_the_file_and_the_file_over_the_defaults() {
    let sandbox = Sandbox::with_bars();
    sandbox.write(
        "settings.toml",
        "[training]\nepochs = 1\nbatch_size = 7\nlearning_rate = 1\n[network]\nbatch_norm = true\n",
    );
    let arguments = "train classifier --config settings.toml --data bars --run out --batch-size 6 --lr 0.01 --batch-norm=false";
    sandbox.juggle(arguments).done();
    let config = sandbox.read("out/config.toml");
    for line in [
        "epochs = 1\n",
        "batch_size = 6\n",
        "learning_rate = 0.01\n",
        "batch_norm = false\n",
        "optimizer = \"adam\"\n",
    ] {
        assert!(config.contains(line), "{line} in\n{config}");
    }
}

#[test]
fn wrong_configurations_name_the_key() {
    let sandbox = Sandbox::with_bars();
    let cases = [
        (
            "[training]\nepoch = 3",
            "unknown key `training.epoch` (known here: augment, batch_size, ",
        ),
        ("colour = 1", "unknown key `colour` (known here: "),
        (
            "[network]\ninput_frames = 3",
            "unknown key `network.input_frames` (known here: batch_norm)",
        ),
        (
            "[training]\nepochs = \"ten\"",
            "`training.epochs` is a string, expected a whole number",
        ),
        (
            "training = 3",
            "`training` is a whole number, expected a table",
        ),
        (
            "[training]\nepochs = 0",
            "training.epochs is 0: expected a whole number, 1 or more",
        ),
        ("[training]\nepochs = -1", "invalid value: integer `-1`"),
        (
            "[training]\nlearning_rate = nan",
            "training.learning_rate is NaN: expected a number above 0",
        ),
        (
            "[training]\noptimizer = \"lion\"",
            "unknown variant `lion`, expected one of `adam`, `adamw`, `sgd`",
        ),
        ("[training]\naugment = \"mixup\"", "unknown augmentation"),
        (
            "[data]\nval_fraction = 0.6\ntest_fraction = 0.5",
            "their sum must be below 1",
        ),
        (
            "device = \"tpu\"",
            "expected auto, cpu, cuda, cuda:N or metal",
        ),
        (
            "kind = \"autoencoder\"",
            "is for `juggle train autoencoder`, not for `juggle train classifier`",
        ),
        ("epochs = = 3", "line 1 is not TOML: "),
    ];
    for (text, expected) in cases {
        sandbox.write("settings.toml", text);
        let error = sandbox
            .juggle("train classifier --config settings.toml --data bars --run out")
            .error();
        assert!(error.contains("settings.toml"), "{error}");
        assert!(error.contains(expected), "{expected} in {error}");
    }
    assert!(!sandbox.exists("out"));
    assert_eq!(
        sandbox
            .juggle("train classifier --config nowhere.toml --data bars")
            .error(),
        "cannot read nowhere.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn a_configuration_holds_for_its_data_unless_other_data_are_named() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    for split in ["train", "val", "test"] {
        sandbox.write_bars(&format!("bars/{split}/third"), "level", 4, 8);
    }
    let error = sandbox
        .juggle("train classifier --config out/config.toml --run again")
        .error();
    assert!(
        error.contains(
            "has the classes level, third, upright, but the configuration expects level, upright"
        ),
        "{error}"
    );
    sandbox
        .juggle("train classifier --config out/config.toml --run again --data bars")
        .done();
    assert!(sandbox.read("again/config.toml").contains("third"));
}

#[test]
fn flags_out_of_range_are_wrong_usage() {
    let sandbox = Sandbox::with_bars();
    for flags in [
        "--epochs 0",
        "--epochs three",
        "--batch-size 0",
        "--lr 0",
        "--lr -1",
        "--lr inf",
        "--weight-decay -0.1",
        "--momentum 1 --optimizer sgd",
        "--label-smoothing 1",
        "--ema 1",
        "--optimizer lion",
        "--schedule linear",
        "--step-gamma 0 --schedule step",
        "--augment mixup",
        "--device tpu",
        "--engine torch",
        "--threads many",
        "--seed -1",
        "--seed 9223372036854775808",
        "--val-fraction 0",
        "--channels rgba",
        "--momentum 0.5",
        "--step-epochs 3",
        "--input-frames 4",
    ] {
        sandbox
            .juggle(&format!("train classifier --data bars --run out {flags}"))
            .usage();
    }
    assert!(!sandbox.exists("out"));
    assert_eq!(
        sandbox.juggle("train classifier --run out").usage(),
        "--data DIR is needed: the folder with the training images"
    );
}

#[test]
fn the_engine_is_recorded_and_old_runs_need_none() {
    let sandbox = Sandbox::with_bars();
    let train = "train classifier --data bars --epochs 2 --device cpu";
    for engine in ["auto", "cpu", "candle"] {
        sandbox
            .juggle(&format!("{train} --run {engine} --engine {engine}"))
            .done();
        let line = format!("engine = \"{engine}\"\n");
        let config = sandbox.read(&format!("{engine}/config.toml"));
        assert!(config.contains(&line), "{config}");
        sandbox.write(&format!("{engine}/config.toml"), &config.replace(&line, ""));
        sandbox
            .juggle(&format!("evaluate {engine} --split val --engine candle"))
            .done();
    }
    let weights = |run: &str| sandbox.bytes(&format!("{run}/last.safetensors"));
    assert_eq!(weights("auto"), weights("cpu"));
    assert_ne!(weights("cpu"), weights("candle"));
    sandbox
        .juggle("train classifier --config auto/config.toml --run again")
        .done();
    assert_eq!(weights("auto"), weights("again"));
}

#[test]
fn the_cpu_engines_weights_do_not_depend_on_the_threads() {
    let sandbox = Sandbox::with_bars();
    let train = "train classifier --data bars --epochs 2 --batch-norm --device cpu --engine cpu";
    for threads in [1, 2, 3] {
        sandbox
            .juggle(&format!("{train} --run out-{threads} --threads {threads}"))
            .done();
    }
    let weights = |threads: u32| sandbox.bytes(&format!("out-{threads}/last.safetensors"));
    assert_eq!(weights(1), weights(2));
    assert_eq!(weights(1), weights(3));
}
