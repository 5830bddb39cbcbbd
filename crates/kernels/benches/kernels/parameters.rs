//! The optimiser, over as many parameters as the classifier has.

use criterion::Criterion;
use juggle_kernels::optimizer::{self, Adam};

use crate::convolution::filled;
use crate::table::{Table, Work};

/// The classifier's 77,539 parameters, each tensor at the beginning of a cache line.
const N: usize = 77_568;

pub(crate) fn bench(criterion: &mut Criterion, table: &mut Table) {
    let (mut parameters, gradient) = (filled(N), filled(N));
    let (mut first, mut second) = (filled(N), filled(N));
    // A negative second moment has no root.
    second.iter_mut().for_each(|x| *x = x.abs());
    let step = Adam {
        beta1: 0.9,
        one_minus_beta1: 0.1,
        beta2: 0.999,
        one_minus_beta2: 0.001,
        eps: 1e-8,
        step_size: 1e-3,
        correction: 0.5,
        penalty: 0.0,
        shrink: 1.0,
    };
    table.measure(criterion, "adam 77568", Work::Bytes(7 * 4 * N), |level| {
        optimizer::adam(
            level,
            step,
            &mut parameters,
            &gradient,
            &mut first,
            &mut second,
        );
    });
}
