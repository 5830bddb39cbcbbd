//! A training step allocates nothing once the first ones made room.

use juggle_models::{CpuEngine, Engine as _, initialize};

use crate::cases::cases;

#[test]
fn a_step_allocates_nothing() {
    // Counts are kept by thread, and the step's work stays on the one thread of this pool.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.unwrap().install(|| {
        for case in cases() {
            let state = initialize(&case.network, 0);
            let mut engine = CpuEngine::new(&case.network, &state, case.options()).unwrap();
            let inputs = case.inputs(11);
            let image = inputs.len() / 11;
            // A first step makes room; a shorter batch in between must not make the next one allocate.
            for (step, n) in [11, 11, 4, 11].into_iter().enumerate() {
                case.with_targets(n, |targets| {
                    let counts = allocation_counter::measure(|| {
                        let output = engine.train_step(&inputs[..n * image], targets, 1e-2);
                        output.unwrap();
                    });
                    // That the first step allocates shows that allocations are seen.
                    let as_expected = (step == 0) == (counts.count_total > 0);
                    assert!(as_expected, "{}, step {step}: {counts:?}", case.name);
                });
            }
        }
    });
}
