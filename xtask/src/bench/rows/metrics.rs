//! The rows of `juggle-metrics`.

use serde_json::{Value, json};

use super::{Against, Contestant, How, Row, Unit};
use crate::bench::peer::Program;

/// Name of a row, work, title, the library that computes the same.
struct Task(&'static str, &'static str, &'static str, &'static str);

const PYTHON: [Task; 11] = [
    Task(
        "metrics-psnr-f32",
        "psnr-f32",
        "PSNR, 3840×2160 gray, f32",
        "scikit-image",
    ),
    Task(
        "metrics-psnr-u8",
        "psnr-u8",
        "PSNR, 3840×2160 gray, u8",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-f32",
        "ssim-f32",
        "SSIM, 3840×2160 gray, f32",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-u8",
        "ssim-u8",
        "SSIM, 3840×2160 gray, u8",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-gaussian",
        "ssim-gaussian",
        "SSIM with a Gaussian window, 3840×2160 gray, f32",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-color",
        "ssim-rgb",
        "SSIM, 512×512 RGB, u8",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-batch",
        "ssim-batch",
        "SSIM, 2,000 pairs of 32×32, f32",
        "scikit-image",
    ),
    Task(
        "metrics-ssim-torchmetrics",
        "ssim-torchmetrics",
        "SSIM as torchmetrics has it, 3840×2160 gray, f32",
        "torchmetrics",
    ),
    Task(
        "metrics-ms-ssim",
        "ms-ssim",
        "MS-SSIM as torchmetrics has it, 3840×2160 gray, f32",
        "torchmetrics",
    ),
    Task(
        "metrics-report-3",
        "report-3",
        "report of 10 million labels, 3 classes",
        "scikit-learn",
    ),
    Task(
        "metrics-report-1000",
        "report-1000",
        "report of 10 million labels, 1,000 classes",
        "scikit-learn",
    ),
];

/// Against a crate, whose work has another name.
struct Rival(Task, &'static str);

const RUST: [Rival; 3] = [
    Rival(
        Task(
            "metrics-iqa-psnr",
            "psnr-u8",
            "PSNR, 3840×2160 gray, u8",
            "iqa",
        ),
        "iqa-psnr",
    ),
    Rival(
        Task(
            "metrics-iqa-ssim",
            "ssim-gaussian-u8",
            "SSIM with a Gaussian window of 11×11, 3840×2160 gray, u8",
            "iqa",
        ),
        "iqa-ssim",
    ),
    Rival(
        Task(
            "metrics-image-compare-ssim",
            "ssim-u8",
            "SSIM, 3840×2160 gray, u8",
            "image-compare: another quantity, 8×8 blocks side by side",
        ),
        "image-compare-ssim",
    ),
];

/// What is bound by memory, and the works that read the same bytes and add them up, of which the faster counts.
const MEMORY: [(Task, [&str; 2]); 2] = [
    (
        Task(
            "metrics-memory-psnr",
            "psnr-f32",
            "PSNR, 3840×2160 gray, f32",
            "reading",
        ),
        ["read-images-in-turn", "read-images-side-by-side"],
    ),
    (
        Task(
            "metrics-memory-report-3",
            "report-3",
            "report of 10 million labels, 3 classes",
            "reading",
        ),
        ["read-labels-in-turn", "read-labels-side-by-side"],
    ),
];

/// Against other libraries on one thread, which is all that most of them use; against ourselves on more.
pub(super) fn rows(threads: usize) -> Vec<Row> {
    if threads > 1 {
        return PYTHON
            .iter()
            .map(|task| scaling_row(task, threads))
            .collect();
    }
    let python = PYTHON.iter().map(|task| {
        let request = json!({"work": task.1});
        row(task, Against::PythonMetrics, Program::MetricsPeer, request)
    });
    let rust = RUST.iter().map(|Rival(task, work)| {
        let request = json!({"work": work});
        row(task, Against::RustMetrics, Program::Rivals, request)
    });
    let memory = MEMORY.iter().map(|(task, works)| memory_row(task, works));
    python.chain(rust).chain(memory).collect()
}

fn ours(task: &Task, threads: usize) -> Contestant {
    Contestant {
        config: "juggle-metrics".to_owned(),
        threads,
        how: How::Peer {
            program: Program::Metrics,
            request: json!({"work": task.1}),
        },
    }
}

fn row(task: &Task, against: Against, program: Program, request: Value) -> Row {
    let &Task(id, _, title, library) = task;
    Row {
        id,
        title: title.to_owned(),
        threads: 1,
        unit: Unit::Milliseconds,
        against,
        ours: ours(task, 1),
        theirs: vec![Contestant {
            config: library.to_owned(),
            threads: 1,
            how: How::Peer { program, request },
        }],
    }
}

fn memory_row(task: &Task, works: &[&str]) -> Row {
    let reading = |work: &&str| Contestant {
        config: format!("{work}, another quantity"),
        threads: 1,
        how: How::Peer {
            program: Program::Metrics,
            request: json!({"work": work}),
        },
    };
    Row {
        theirs: works.iter().map(reading).collect(),
        ..row(task, Against::Memory, Program::Metrics, Value::Null)
    }
}

fn scaling_row(task: &Task, threads: usize) -> Row {
    Row {
        id: "metrics-scaling",
        title: task.2.to_owned(),
        threads,
        unit: Unit::Milliseconds,
        against: Against::OneThread,
        ours: ours(task, threads),
        theirs: vec![Contestant {
            config: "one thread".to_owned(),
            ..ours(task, 1)
        }],
    }
}
