//! What the kernels multiply with, made from the parameters once a step: transformed for Winograd's algorithm, turned for
//! the gradients of inputs.

use juggle_kernels::conv;
use juggle_kernels::conv::winograd::{self, large};
use juggle_kernels::{Buffer, Level};
use rayon::prelude::*;

use super::plan::{Kind, Operation, Plan};

/// One operation's weights in other forms; empty where it needs none.
#[derive(Debug, Clone, Default)]
pub(super) struct Prepared {
    /// A Winograd convolution's transformed weights.
    pub(super) products: Buffer,
    /// The weights, or the transformed weights, that take gradients backwards.
    pub(super) turned: Buffer,
}

impl Prepared {
    /// Room for the weights of each operation; `turned` lists those whose input's gradient is computed.
    pub(super) fn for_plan(plan: &Plan, turned: &[usize]) -> Vec<Self> {
        let operations = plan.operations.iter().enumerate();
        let sizes = operations.map(|(i, operation)| {
            let n_weights = weights(operation).map_or(0, |weight| weight.len());
            let n_products = n_products(operation);
            Self {
                products: Buffer::zeros(n_products),
                turned: Buffer::zeros(match turned.contains(&i) {
                    true if n_products > 0 => n_products,
                    true => n_weights,
                    false => 0,
                }),
            }
        });
        sizes.collect()
    }

    /// Follows the parameters, each operation on its own.
    pub(super) fn update(all: &mut [Self], plan: &Plan, level: Level, parameters: &[f32]) {
        all.par_iter_mut()
            .zip(&plan.operations)
            .for_each(|(prepared, operation)| {
                let Some(weight) = weights(operation) else {
                    return;
                };
                let weight = &parameters[weight];
                let channels = (
                    plan.in_channels(operation),
                    plan.values[operation.output].view.channels,
                );
                if operation.large_tiles {
                    large::transform_weights(level, weight, &mut prepared.products);
                } else if operation.is_winograd() {
                    winograd::transform_weights(level, weight, &mut prepared.products);
                    if !prepared.turned.is_empty() {
                        winograd::turned(&prepared.products, channels, &mut prepared.turned);
                    }
                } else if !prepared.turned.is_empty() {
                    conv::turned(weight, channels, &mut prepared.turned);
                }
            });
    }
}

/// The transformed weights of an operation.
pub(super) fn n_products(operation: &Operation) -> usize {
    match weights(operation) {
        Some(weight) if operation.large_tiles => weight.len() / 9 * large::N_PRODUCTS,
        Some(weight) if operation.is_winograd() => weight.len() / 9 * winograd::N_PRODUCTS,
        _ => 0,
    }
}

fn weights(operation: &Operation) -> Option<std::ops::Range<usize>> {
    match &operation.kind {
        Kind::Convolution { weight, .. } | Kind::Linear { weight, .. } => Some(weight.clone()),
        _ => None,
    }
}
