//! Single kernels on the shapes of the two networks, at every level of this processor, on one thread and warm data.
//!
//! `cargo bench -p juggle-kernels` prints criterion's estimates and then a table with each kernel's share of what the core
//! was measured to do at most; `-- --quick` takes half a minute, `-- forward` runs the kernels with that word.
#![expect(
    clippy::print_stdout,
    reason = "the table at the end is what the benches are for"
)]

mod channels; // pooling, upsampling, batch normalisation
mod convolution; // convolution and linear layers, forward and their gradients
mod parameters; // the optimiser
mod table; // the peak, the measuring and the table at the end
mod winograd; // the same convolutions with fewer products

use std::time::Duration;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut table = table::Table::new();
    convolution::bench(&mut criterion, &mut table);
    winograd::bench(&mut criterion, &mut table);
    channels::bench(&mut criterion, &mut table);
    parameters::bench(&mut criterion, &mut table);
    criterion.final_summary();
    println!("\n{}", table.finish());
}
