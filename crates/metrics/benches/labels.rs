//! Metrics of labels: `cargo bench -p juggle-metrics --bench labels`.
//!
//! Ten million labels in 3 and in 1,000 classes, and the scores of a million images in ten classes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, expected_calibration_error, log_loss,
    roc_auc_one_vs_rest, top_k_accuracy,
};
use ndarray::Array2;

const N_LABELS: usize = 10_000_000;
const N_SCORED: usize = 1_000_000;
const N_SCORED_CLASSES: usize = 10;

/// A value in [0, 1) for each number, without a pattern.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values in [0, 1) become classes"
)]
fn labels(seed: usize, n: usize, n_classes: usize) -> Vec<usize> {
    let class = |i| (noise(seed + i) * n_classes as f64) as usize;
    (0..n).map(class).collect()
}

fn counts(c: &mut Criterion) {
    for n_classes in [3, 1000] {
        let mut group = c.benchmark_group(format!("10 million labels in {n_classes} classes"));
        group
            .throughput(Throughput::Elements(N_LABELS as u64))
            .sample_size(10);
        let truth = labels(0, N_LABELS, n_classes);
        let predicted = labels(1 << 40, N_LABELS, n_classes);
        let names: Vec<String> = (0..n_classes).map(|class| class.to_string()).collect();
        group.bench_function(BenchmarkId::from_parameter("report"), |b| {
            b.iter(|| {
                let report = ClassificationReport::new(black_box(&truth), &predicted, &names);
                report.map(|report| report.to_text(2))
            });
        });
        group.bench_function(BenchmarkId::from_parameter("confusion matrix"), |b| {
            b.iter(|| ConfusionMatrix::new(black_box(&truth), &predicted, n_classes));
        });
    }
}

fn scores(c: &mut Criterion) {
    let mut group = c.benchmark_group("scores of a million images in 10 classes");
    group
        .throughput(Throughput::Elements(N_SCORED as u64))
        .sample_size(10);
    let truth = labels(0, N_SCORED, N_SCORED_CLASSES);
    let mut probabilities = Array2::from_shape_fn((N_SCORED, N_SCORED_CLASSES), |(i, j)| {
        noise((1 << 40) + i * N_SCORED_CLASSES + j) + 0.01
    });
    for mut row in probabilities.rows_mut() {
        let total = row.sum();
        row /= total;
    }
    let probabilities = probabilities.view();
    group.bench_function(BenchmarkId::from_parameter("log loss"), |b| {
        b.iter(|| log_loss(black_box(&truth), probabilities));
    });
    group.bench_function(BenchmarkId::from_parameter("top-3 accuracy"), |b| {
        b.iter(|| top_k_accuracy(black_box(&truth), probabilities, 3));
    });
    group.bench_function(BenchmarkId::from_parameter("calibration error"), |b| {
        b.iter(|| expected_calibration_error(black_box(&truth), probabilities, 15));
    });
    group.bench_function(
        BenchmarkId::from_parameter("ROC-AUC one against rest"),
        |b| {
            b.iter(|| roc_auc_one_vs_rest(black_box(&truth), probabilities));
        },
    );
}

criterion_group!(benches, counts, scores);
criterion_main!(benches);
