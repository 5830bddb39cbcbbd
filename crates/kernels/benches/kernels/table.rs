//! Measuring a kernel at every level, and the table at the end.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use juggle_kernels::{Level, peak};

/// What one call of a kernel does.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// Floating-point operations, a multiply-add counting as two.
    Flops(usize),
    /// Bytes read and written, for kernels that wait for memory rather than for arithmetic.
    Bytes(usize),
}

struct Row {
    kernel: String,
    level: Level,
    work: Work,
    seconds: f64,
}

/// The fastest time of each kernel and level, and the most that this core does at each level.
pub(crate) struct Table {
    peaks: Vec<(Level, f64)>,
    rows: Vec<Row>,
}

impl Table {
    /// Measures the peaks.
    pub(crate) fn new() -> Self {
        let peaks = Level::supported();
        Self {
            peaks: peaks
                .into_iter()
                .map(|level| (level, peak(level)))
                .collect(),
            rows: vec![],
        }
    }

    /// Times `run` at every level, unless the command line asks for other kernels.
    pub(crate) fn measure(
        &mut self,
        criterion: &mut Criterion,
        kernel: &str,
        work: Work,
        mut run: impl FnMut(Level),
    ) {
        let mut group = criterion.benchmark_group(kernel);
        group.throughput(match work {
            Work::Flops(n) => Throughput::Elements(n as u64),
            Work::Bytes(n) => Throughput::Bytes(n as u64),
        });
        for level in Level::supported() {
            let mut fastest = f64::INFINITY;
            group.bench_function(level.name(), |bencher| {
                bencher.iter_custom(|n| {
                    let start = Instant::now();
                    for _ in 0..n {
                        run(level);
                    }
                    let elapsed = start.elapsed();
                    fastest = fastest.min(elapsed.as_secs_f64() / n as f64);
                    elapsed
                });
            });
            if fastest.is_finite() {
                self.rows.push(Row {
                    kernel: kernel.to_owned(),
                    level,
                    work,
                    seconds: fastest,
                });
            }
        }
        group.finish();
    }

    /// The table. The peaks are measured once more and the larger counts: a neighbour on the machine disturbs one of the two.
    pub(crate) fn finish(mut self) -> String {
        let mut text = String::from("multiply-adds without memory, GFLOP/s, before and after:");
        for (level, before) in &mut self.peaks {
            let after = peak(*level);
            let _ = write!(text, "  {} {before:.1} {after:.1}", level.name());
            *before = before.max(after);
        }
        let _ = write!(
            text,
            "\ntime is the fastest sample's; share is of the larger peak, or of a plain copy of as many bytes\n\n\
             | kernel | level | time, µs | GFLOP/s | GB/s | share |\n|---|---|---|---|---|---|\n"
        );
        for row in &self.rows {
            let speed = |n: usize| n as f64 / row.seconds / 1e9;
            let (flops, bytes, share) = match row.work {
                Work::Flops(n) => {
                    let peak = self.peaks.iter().find(|(level, _)| *level == row.level);
                    let peak = peak.map_or(f64::NAN, |(_, peak)| *peak);
                    (format!("{:.1}", speed(n)), String::new(), speed(n) / peak)
                }
                Work::Bytes(n) => {
                    let share = speed(n) / copied(n);
                    (String::new(), format!("{:.1}", speed(n)), share)
                }
            };
            let _ = writeln!(
                text,
                "| {} | {} | {:.1} | {flops} | {bytes} | {share:.2} |",
                row.kernel,
                row.level.name(),
                row.seconds * 1e6,
            );
        }
        text
    }
}

/// The most GFLOP/s of this core at a level: the best of several short runs.
fn peak(level: Level) -> f64 {
    let mut rounds = 1000;
    let mut best = 0.0_f64;
    for _ in 0..30 {
        let start = Instant::now();
        let operations = peak::multiply_adds(level, rounds);
        let seconds = start.elapsed().as_secs_f64();
        best = best.max(operations as f64 / seconds / 1e9);
        // Two milliseconds each: long enough for the clock, short enough to fall between two interruptions.
        if seconds < 2e-3 {
            rounds *= 2;
        }
    }
    best
}

/// GB/s of a copy that reads and writes so many bytes together.
fn copied(bytes: usize) -> f64 {
    let from = vec![1.0_f32; bytes / 8];
    let mut to = vec![0.0_f32; from.len()];
    let fastest = (0..300).map(|_| {
        let start = Instant::now();
        black_box(&mut to).copy_from_slice(black_box(&from));
        start.elapsed().as_secs_f64()
    });
    bytes as f64 / fastest.fold(f64::INFINITY, f64::min) / 1e9
}
