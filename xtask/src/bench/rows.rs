//! The rows of the table: what we do, and what it is compared with.

mod metrics;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::peer::Program;

/// How a row's figures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    ImagesPerSecond,
    /// Of one image, or of one metric.
    Milliseconds,
    /// Of a whole command.
    Seconds,
}

/// Which table a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Against {
    PyTorch,
    Candle,
    /// scikit-image, scikit-learn, torchmetrics.
    PythonMetrics,
    /// Other Rust crates.
    RustMetrics,
    /// Reading the bytes that the work is done on.
    Memory,
    /// Our own work on one thread.
    OneThread,
}

/// What can be measured, and written, on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Training, inference, reading PNG files, memory and start-up
    Engine,
    /// PSNR, SSIM and the report of labels
    Metrics,
    /// A search of settings beside Optuna's; asked for by name alone, since it takes half an hour
    Search,
}

impl Part {
    /// Those that have rows.
    pub(crate) const ALL: [Self; 2] = [Self::Engine, Self::Metrics];

    /// The part of the row with this name.
    pub(crate) fn of(id: &str) -> Self {
        if id.starts_with("metrics-") {
            Self::Metrics
        } else {
            Self::Engine
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Metrics => "metrics",
            Self::Search => "search",
        }
    }
}

/// How one side does its work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum How {
    /// A program that runs all the time does it when asked.
    Peer { program: Program, request: Value },
    /// `juggle train classifier`.
    Juggle,
    /// `train_classifier.py`.
    Script,
}

/// One side of a comparison in one configuration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contestant {
    /// The configuration, as the table names it.
    pub(crate) config: String,
    pub(crate) threads: usize,
    pub(crate) how: How,
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// What `--only` names.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) threads: usize,
    pub(crate) unit: Unit,
    pub(crate) against: Against,
    pub(crate) ours: Contestant,
    /// Configurations of the other side, of which the fastest counts.
    pub(crate) theirs: Vec<Contestant>,
}

impl Row {
    /// Whether both sides must have the same result, where they tell it.
    pub(crate) fn is_comparable(&self) -> bool {
        !self
            .theirs
            .iter()
            .any(|side| side.config.contains("another quantity"))
    }

    /// Whether a side of it is that program.
    pub(crate) fn needs(&self, wanted: Program) -> bool {
        let is =
            |side: &Contestant| matches!(side.how, How::Peer { program, .. } if program == wanted);
        self.theirs.iter().any(is)
    }
}

/// What the engines are asked to do: name, network, title, batch size.
struct Task(&'static str, &'static str, &'static str, usize);

const TRAINING: [Task; 3] = [
    Task(
        "train-classifier",
        "classifier",
        "train classifier, batch 32",
        32,
    ),
    Task(
        "train-classifier-batch-norm",
        "classifier-batch-norm",
        "train classifier with batch norm, batch 32",
        32,
    ),
    Task(
        "train-autoencoder",
        "autoencoder",
        "train autoencoder, batch 32",
        32,
    ),
];

const INFERENCE: [Task; 6] = [
    Task(
        "infer-256-classifier",
        "classifier",
        "infer classifier, batch 256",
        256,
    ),
    Task(
        "infer-256-autoencoder",
        "autoencoder",
        "infer autoencoder, batch 256",
        256,
    ),
    Task(
        "infer-32-classifier",
        "classifier",
        "infer classifier, batch 32",
        32,
    ),
    Task(
        "infer-32-autoencoder",
        "autoencoder",
        "infer autoencoder, batch 32",
        32,
    ),
    Task(
        "latency-classifier",
        "classifier",
        "latency classifier, batch 1",
        1,
    ),
    Task(
        "latency-autoencoder",
        "autoencoder",
        "latency autoencoder, batch 1",
        1,
    ),
];

const TORCH_TRAINING: [&str; 6] = [
    "eager fused",
    "eager foreach",
    "eager channels_last fused",
    "eager channels_last foreach",
    "compile fused",
    "compile channels_last fused",
];

const TORCH_INFERENCE: [&str; 8] = [
    "eager",
    "eager channels_last",
    "jit",
    "jit channels_last",
    "compile",
    "compile channels_last",
    "freeze",
    "freeze channels_last",
];

const TORCH_COMMAND: [&str; 4] = [
    "eager",
    "eager channels_last",
    "compile",
    "compile channels_last",
];

/// Configurations that compile take most of the time that a benchmark takes; `--quick` leaves them out.
pub(crate) fn compiles(config: &str) -> bool {
    config.starts_with("compile") || config.starts_with("freeze")
}

/// Every row for so many threads.
pub(crate) fn rows(threads: usize) -> Vec<Row> {
    let mut rows: Vec<_> = engine_tasks()
        .map(|(work, task)| engine_row(work, task, threads))
        .collect();
    rows.extend(["gray", "rgb"].map(|kind| folder_row(kind, threads)));
    rows.push(command_row(threads));
    rows.extend(candle_rows(threads));
    if threads > 1 {
        rows.extend(engine_tasks().map(|(work, task)| scaling_row(work, task, threads)));
    }
    rows.extend(metrics::rows(threads));
    rows
}

fn engine_tasks() -> impl Iterator<Item = (&'static str, &'static Task)> {
    let training = TRAINING.iter().map(|task| ("train", task));
    training.chain(INFERENCE.iter().map(|task| ("infer", task)))
}

fn engine(work: &str, task: &Task, engine: &str, threads: usize) -> Contestant {
    let &Task(_, network, _, batch_size) = task;
    Contestant {
        config: format!("{engine} engine"),
        threads,
        how: How::Peer {
            program: Program::Engine,
            request: json!({
                "work": work, "network": network, "engine": engine, "batch_size": batch_size,
            }),
        },
    }
}

fn engine_row(work: &str, task: &Task, threads: usize) -> Row {
    let &Task(id, network, title, batch_size) = task;
    let configs: &[&str] = if work == "train" {
        &TORCH_TRAINING
    } else {
        &TORCH_INFERENCE
    };
    let torch = |config: &&str| Contestant {
        config: (*config).to_owned(),
        threads,
        how: How::Peer {
            program: Program::Torch,
            request: json!({
                "work": work, "network": network, "batch_size": batch_size, "config": config,
            }),
        },
    };
    Row {
        id,
        title: title.to_owned(),
        threads,
        unit: unit(batch_size),
        against: Against::PyTorch,
        ours: engine(work, task, "cpu", threads),
        theirs: configs.iter().map(torch).collect(),
    }
}

fn unit(batch_size: usize) -> Unit {
    if batch_size == 1 {
        Unit::Milliseconds
    } else {
        Unit::ImagesPerSecond
    }
}

/// Where the files of a row are; made by `xtask/bench/folders.py`.
pub(crate) fn png_folder(kind: &str) -> String {
    format!("{}/png-{kind}", super::process::FOLDER)
}

fn folder_row(kind: &'static str, threads: usize) -> Row {
    let folder = png_folder(kind);
    let mut configs = vec!["pil".to_owned(), "torchvision".to_owned()];
    if threads > 1 {
        // Python's threads wait for each other between files, so more of them are not always faster.
        configs.push(format!("pil threads={threads}"));
        configs.push(format!("torchvision threads={threads}"));
    }
    let theirs = configs.into_iter().map(|config| Contestant {
        threads,
        how: How::Peer {
            program: Program::Torch,
            request: json!({"work": "png", "folder": folder, "config": config}),
        },
        config,
    });
    Row {
        id: if kind == "gray" {
            "png-gray"
        } else {
            "png-rgb"
        },
        title: format!("read a folder of 10,000 PNG files, 32×32 {kind}"),
        threads,
        unit: Unit::ImagesPerSecond,
        against: Against::PyTorch,
        ours: Contestant {
            config: "ImageFolder".to_owned(),
            threads,
            how: How::Peer {
                program: Program::Folder,
                request: json!({"folder": folder}),
            },
        },
        theirs: theirs.collect(),
    }
}

fn command_row(threads: usize) -> Row {
    let contestant = |config: &str, how| Contestant {
        config: config.to_owned(),
        threads,
        how,
    };
    Row {
        id: "command",
        title: "the whole command `train classifier`".to_owned(),
        threads,
        unit: Unit::Seconds,
        against: Against::PyTorch,
        ours: contestant("juggle", How::Juggle),
        theirs: TORCH_COMMAND
            .iter()
            .map(|config| contestant(config, How::Script))
            .collect(),
    }
}

fn candle_rows(threads: usize) -> Vec<Row> {
    let chosen = [
        ("candle-train-classifier", "train", &TRAINING[0]),
        ("candle-train-classifier-batch-norm", "train", &TRAINING[1]),
        ("candle-train-autoencoder", "train", &TRAINING[2]),
        ("candle-infer-256-classifier", "infer", &INFERENCE[0]),
        ("candle-infer-256-autoencoder", "infer", &INFERENCE[1]),
    ];
    let row = |(id, work, task): (&'static str, &str, &Task)| Row {
        id,
        title: task.2.to_owned(),
        threads,
        unit: unit(task.3),
        against: Against::Candle,
        ours: engine(work, task, "cpu", threads),
        theirs: vec![engine(work, task, "candle", threads)],
    };
    chosen.into_iter().map(row).collect()
}

/// Our engine on all threads against itself on one, interleaved like every other row.
fn scaling_row(work: &str, task: &Task, threads: usize) -> Row {
    let &Task(_, _, title, batch_size) = task;
    Row {
        id: "scaling",
        title: title.to_owned(),
        threads,
        unit: unit(batch_size),
        against: Against::OneThread,
        ours: engine(work, task, "cpu", threads),
        theirs: vec![Contestant {
            config: "one thread".to_owned(),
            ..engine(work, task, "cpu", 1)
        }],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_can_be_told_apart() {
        let rows = [rows(1), rows(2)].concat();
        let names: BTreeSet<_> = rows
            .iter()
            .map(|row| (row.id, row.threads, row.title.clone()))
            .collect();
        assert_eq!(names.len(), rows.len());
        assert!(rows.iter().all(|row| !row.theirs.is_empty()));
        let scaling = rows.iter().filter(|row| row.against == Against::OneThread);
        assert!(
            scaling
                .clone()
                .all(|row| row.theirs[0].threads == 1 && row.threads == 2)
        );
        assert!(scaling.count() > TRAINING.len() + INFERENCE.len());
    }
}
