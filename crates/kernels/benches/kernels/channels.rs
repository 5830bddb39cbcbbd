//! Pooling, upsampling and batch normalisation: passes over memory.

use criterion::Criterion;
use juggle_kernels::norm::{self, BatchGradient};
use juggle_kernels::{Accumulate, Finish, View, pool};

use crate::convolution::filled;
use crate::table::{Table, Work};

/// Side and channels of the finer image: the classifier's first pooling, and the autoencoder's upsamplings.
const SHAPES: [(usize, usize); 3] = [(32, 32), (32, 16), (16, 64)];

pub(crate) fn bench(criterion: &mut Criterion, table: &mut Table) {
    for (side, channels) in SHAPES {
        squares(criterion, table, side, channels);
        batch_norm(criterion, table, side, channels);
    }
}

fn squares(criterion: &mut Criterion, table: &mut Table, side: usize, channels: usize) {
    let fine = View::bordered(side, side, channels, 0);
    let coarse = View::bordered(side / 2, side / 2, channels, 0);
    let (xs, mut wide) = (filled(fine.end()), filled(fine.end()));
    let mut narrow = filled(coarse.end());
    let bytes = |floats: usize| Work::Bytes(4 * floats);
    let on = format!("2x2, {side}x{side}, {channels}");
    let once = bytes(fine.end() + coarse.end());

    table.measure(criterion, &format!("max pool {on}"), once, |level| {
        pool::max_pool(level, 2, (&xs, fine), (&mut narrow, coarse));
    });
    let twice = bytes(2 * fine.end() + coarse.end());
    table.measure(
        criterion,
        &format!("max pool gradient {on}"),
        twice,
        |level| {
            pool::max_pool_gradient(
                level,
                2,
                (&xs, fine),
                (&narrow, coarse),
                (&mut wide, fine),
                Accumulate::Write,
                Finish::Mask(&xs, fine),
            );
        },
    );
    table.measure(criterion, &format!("upsample {on}"), once, |level| {
        pool::upsample(level, 2, (&narrow, coarse), (&mut wide, fine));
    });
    table.measure(
        criterion,
        &format!("upsample gradient {on}"),
        once,
        |level| {
            pool::upsample_gradient(
                level,
                2,
                (&xs, fine),
                (&mut narrow, coarse),
                Accumulate::Write,
                Finish::Keep,
            );
        },
    );
}

fn batch_norm(criterion: &mut Criterion, table: &mut Table, side: usize, channels: usize) {
    let view = View::bordered(side, side, channels, 0);
    let (xs, dys, mut ys) = (filled(view.end()), filled(view.end()), filled(view.end()));
    let (one, mut sum, mut product) = (filled(channels), filled(channels), filled(channels));
    let bytes = |passes: usize| Work::Bytes(4 * passes * view.end());
    let on = format!("{side}x{side}, {channels}");

    table.measure(
        criterion,
        &format!("norm moments {on}"),
        bytes(2),
        |level| {
            norm::moments(level, (&xs, view), &mut sum, &mut product);
        },
    );
    table.measure(
        criterion,
        &format!("norm normalize {on}"),
        bytes(2),
        |level| {
            let by = (&*one, &*one);
            norm::normalize(level, (&xs, view), by, (&mut ys, view), Finish::Relu);
        },
    );
    table.measure(
        criterion,
        &format!("norm gradient sums {on}"),
        bytes(2),
        |level| {
            let into = (&mut *sum, &mut *product);
            norm::gradient_sums(level, (&xs, view), (&dys, view), (&one, &one), into);
        },
    );
    let batch = BatchGradient {
        mean: &one,
        rstd: &one,
        scale: &one,
        mean_dy: &one,
        mean_product: &one,
    };
    table.measure(
        criterion,
        &format!("norm input gradient {on}"),
        bytes(3),
        |level| {
            norm::input_gradient(
                level,
                (&xs, view),
                (&dys, view),
                batch,
                (&mut ys, view),
                Accumulate::Write,
                Finish::Keep,
            );
        },
    );
}
