//! Help, version, completions, manual; streams, colours and exit codes.

use std::io::Read as _;
use std::process::Stdio;

use expect_test::expect;

use crate::sandbox::Sandbox;

#[test]
fn help_shows_the_commands() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("--help");
    command.env("COLUMNS", "100");
    expect![[r#"
        Train, evaluate and use small vision models on folders of PNG files

        Usage: juggle [OPTIONS] <COMMAND>

        Commands:
          data         Write the example data set, or look at a data folder
          train        Train a model on a data folder
          tune         Search good settings: many short trainings, judged on held-out images
          evaluate     Measure a trained model on a data split
          report       Write a page that shows runs: curves, results, images, certainty, origins
          predict      Classify images, or predict the next frames of a clip
          export       Write a trained model for other programs: ONNX, or weights for PyTorch
          summary      Show the layers of a network, their output shapes and parameters
          metrics      Compare images, or score predicted labels, without any model
          runs         List, show and compare the runs that were trained
          completions  Print a completion script for a shell
          man          Print the manual page, for `man -l -`
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version

        Messages:
          -v, --verbose...    Log more: -v what is being done, -vv details (the variable RUST_LOG overrides
                              it)
          -q, --quiet         No progress and no notes: only results, and errors
              --color <WHEN>  Colour in messages; `auto` means on a terminal, unless NO_COLOR is set
                              [default: auto] [possible values: auto, always, never]

        Examples:
          juggle data synth --out data                 write the example data
          juggle train classifier --data data/balls    learn from one folder a class
          juggle tune classifier --data data/balls     search better settings
          juggle evaluate runs/classifier-1            measure it on the test images
          juggle predict runs/classifier-1 photo.png   classify an image
          juggle export runs/classifier-1 --out m.onnx give it to other programs

        `juggle COMMAND --help` explains each command. Results go to standard output,
        everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
        130 interrupted.
    "#]].assert_eq(&crate::sandbox::Output::of(&mut command).done());
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    for command in [
        "data synth",
        "data inspect",
        "train classifier",
        "train autoencoder",
        "evaluate",
        "predict",
        "export",
        "report",
        "summary classifier",
        "summary autoencoder",
        "metrics psnr",
        "metrics ssim",
        "metrics ms-ssim",
        "metrics report",
        "runs list",
        "runs show",
        "runs compare",
        "completions",
        "man",
    ] {
        let help = sandbox.juggle(&format!("{command} --help")).done();
        assert!(help.contains(&format!("Usage: juggle {command}")), "{help}");
    }
    assert_eq!(
        sandbox.juggle("--version").done(),
        format!("juggle {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn without_arguments_the_help_is_shown_as_wrong_usage() {
    let sandbox = Sandbox::new();
    let output = crate::sandbox::Output::of(sandbox.command("").env("COLUMNS", "80"));
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(
        output.stderr.contains("Examples:\n  juggle data synth"),
        "{}",
        output.stderr
    );
    let too_long = output.stderr.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None);
}

#[test]
fn help_has_examples_and_fits_80_columns() {
    let sandbox = Sandbox::new();
    for command in [
        "",
        "evaluate",
        "predict",
        "export",
        "tune",
        "tune classifier",
        "tune autoencoder",
        "summary classifier",
        "summary autoencoder",
        "metrics report",
        "completions",
        "man",
    ] {
        let mut command = sandbox.command(&format!("{command} --help"));
        let help = crate::sandbox::Output::of(command.env("COLUMNS", "80")).done();
        assert!(help.contains("\nExamples"), "{help}");
        let too_long = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(too_long, None, "{help}");
    }
    for network in [
        "classifier --batch-norm --channels rgb",
        "autoencoder --batch-norm",
    ] {
        let table = sandbox.juggle(&format!("summary {network}")).done();
        let too_long = table.lines().find(|line| line.chars().count() > 80);
        assert_eq!(too_long, None, "{table}");
    }
}

#[test]
fn a_slip_of_the_pen_is_answered_with_what_was_meant() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("runs/bars-1");
    for (arguments, offer) in [
        ("evaluat x", "'evaluate'"),
        ("predict x y --explian", "'--explain'"),
        ("export x --out y --format onx", "'onnx'"),
        ("evaluate runs/bar-1", ": did you mean `runs/bars-1`?"),
    ] {
        let output = sandbox.juggle(arguments);
        assert_ne!(output.code, Some(0));
        assert!(output.stderr.contains(offer), "{}", output.stderr);
    }
    sandbox.write("labels.csv", "true,pred\ncat,dog\ndog,dog\n");
    let output = sandbox.juggle("metrics report labels.csv --labels cta,dog");
    assert_eq!(output.code, Some(0));
    assert_eq!(
        output.stderr,
        "warning: no line has the class `cta`: did you mean `cat`?\n"
    );
}

#[test]
fn the_help_of_metrics_fits_80_columns() {
    let sandbox = Sandbox::new();
    for metric in ["psnr", "ssim", "ms-ssim"] {
        let mut command = sandbox.command(&format!("metrics {metric} --help"));
        let help = crate::sandbox::Output::of(command.env("COLUMNS", "80")).done();
        assert!(help.contains("Examples:\n  juggle metrics "), "{help}");
        let too_long = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(too_long, None, "{help}");
        assert!(
            !help.contains("\nprediction"),
            "an example was broken: {help}"
        );
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let sandbox = Sandbox::new();
    for arguments in [
        "--frobnicate",
        "frobnicate",
        "train",
        "train nothing",
        "evaluate",
        "metrics psnr one",
        "-q -v man",
    ] {
        let output = sandbox.juggle(arguments);
        assert_eq!(output.code, Some(2), "{arguments}: {output:#?}");
        assert_eq!(output.stdout, "");
    }
}

#[test]
fn a_negative_number_is_a_value_out_of_range_and_no_unknown_flag() {
    let output = Sandbox::new().juggle("train classifier --lr -1 --data x");
    assert_eq!(output.code, Some(2));
    let expected = "invalid value '-1' for '--lr <X>': expected a number above 0";
    assert!(output.stderr.contains(expected), "{}", output.stderr);
}

#[test]
fn shells_and_man_get_their_files() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            sandbox
                .juggle(&format!("completions {shell}"))
                .done()
                .contains("juggle")
        );
    }
    sandbox.juggle("completions tcsh").usage();
    let page = sandbox.juggle("man").done();
    for part in [
        ".TH juggle 1",
        "JUGGLE TRAIN CLASSIFIER",
        "batch\\-norm",
        ".SH EXAMPLES\n.nf\nExamples:\n",
        ".SS NOTES\n.nf\n",
        ".SH \"EXIT STATUS\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn quiet_leaves_results_and_errors() {
    let sandbox = Sandbox::with_bars();
    let output = sandbox.juggle("-q train classifier --data bars --run out --epochs 1");
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(output.stdout.starts_with("run    out\n"));
    let output = sandbox.juggle("train classifier --data bars --run out --epochs 1 --quiet");
    assert!(
        output.stderr.starts_with("error: out already holds a run"),
        "{output:#?}"
    );
    assert_eq!(output.stderr.lines().count(), 1);
}

#[test]
fn logs_go_to_standard_error() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let stderr = |arguments: &str, filter: &str| {
        let mut command = sandbox.command(&format!("{arguments} evaluate out --json"));
        let output = crate::sandbox::Output::of(command.env("RUST_LOG", filter));
        assert!(output.stdout.starts_with('{'));
        output.stderr
    };
    assert!(!stderr("", "").contains("INFO"));
    assert!(stderr("-v", "").contains(" INFO "));
    assert!(stderr("", "info").contains(" INFO "));
    assert!(
        !stderr("-vv", "off").contains("INFO"),
        "the variable overrides the flags"
    );
}

#[test]
fn colour_is_a_choice() {
    let sandbox = Sandbox::new();
    let stderr = |arguments: &str| {
        sandbox
            .juggle(&format!("evaluate nowhere {arguments}"))
            .stderr
    };
    assert!(!stderr("").contains('\x1b'), "no terminal, no colour");
    assert!(stderr("--color always").contains("\x1b[1;31merror:"));
    assert!(!stderr("--color never").contains('\x1b'));

    let output = |arguments: &str| {
        let output = sandbox.juggle(arguments);
        output.stdout + &output.stderr
    };
    for arguments in ["--help", "predict --help", "frobnicate"] {
        assert!(!output(arguments).contains('\x1b'), "{arguments}");
        let coloured = output(&format!("--color always {arguments}"));
        assert!(coloured.contains('\x1b'), "{arguments}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let sandbox = Sandbox::new();
    let mut child = sandbox
        .command("completions bash")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}
