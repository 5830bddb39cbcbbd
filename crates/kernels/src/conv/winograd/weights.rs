//! Weights into the transformed domain, and their gradients back.
//!
//! ```text
//!     ⎡ 1   0   0⎤
//! G = ⎢ ½   ½   ½⎥     U = G g Gᵀ,     dg = Gᵀ dU G
//!     ⎢ ½  −½   ½⎥
//!     ⎣ 0   0   1⎦
//! ```

use crate::Level;
use crate::conv::turn;
use crate::simd::{Kernel, Vector};

/// Products that each tile needs for each pair of channels.
pub const N_PRODUCTS: usize = 16;
/// Weights for each pair of channels.
const N_WEIGHTS: usize = 9;

/// From 3×3 weights, `[kernel row][kernel column][in][out]`, to what [`convolve`](super::convolve) multiplies with.
///
/// # Panics
/// When the lengths do not fit, or the pairs of channels are no multiple of 16.
pub fn transform_weights(level: Level, weights: &[f32], products: &mut [f32]) {
    let n_pairs = check(weights.len(), products.len());
    level.run(Transform {
        weights,
        products,
        n_pairs,
    });
}

/// From the gradient by the transformed weights to the gradient by the weights, which it overwrites.
///
/// # Panics
/// As [`transform_weights`].
pub fn untransform_gradient(level: Level, products: &[f32], gradient: &mut [f32]) {
    let n_pairs = check(gradient.len(), products.len());
    level.run(Untransform {
        products,
        gradient,
        n_pairs,
    });
}

/// Writes the transformed weights that take gradients backwards, `[k][out][in]`: what [`transform_weights`] would make of
/// [`turned`](crate::conv::turned) weights. Flipping a kernel exchanges the first and the last row of its transform.
///
/// # Panics
/// When the lengths do not fit.
pub fn turned(products: &[f32], channels: (usize, usize), turned: &mut [f32]) {
    let position = turn::check(products, channels, turned);
    assert_eq!(products.len(), N_PRODUCTS * position, "16 matrices");
    const FLIPPED: [usize; 4] = [3, 1, 2, 0];
    for (k, to) in turned.chunks_exact_mut(position).enumerate() {
        let from = 4 * FLIPPED[k / 4] + FLIPPED[k % 4];
        turn::transpose(&products[from * position..][..position], channels, to);
    }
}

fn check(n_weights: usize, n_products: usize) -> usize {
    let n_pairs = n_weights / N_WEIGHTS;
    assert!(
        n_pairs.is_multiple_of(crate::LANES) && n_pairs * N_WEIGHTS == n_weights,
        "{n_weights} weights are 3×3 vectors"
    );
    assert_eq!(
        n_products,
        n_pairs * N_PRODUCTS,
        "16 products for 9 weights"
    );
    n_pairs
}

/// G times a vector of three.
#[inline(always)]
fn spread<V: Vector>([a, b, c]: [V; 3]) -> [V; 4] {
    let (outer, half) = (a.add(c), V::splat(0.5));
    [a, outer.add(b).mul(half), outer.sub(b).mul(half), c]
}

/// Gᵀ times a vector of four.
#[inline(always)]
fn gather<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 3] {
    let half = V::splat(0.5);
    let (sum, difference) = (b.add(c).mul(half), b.sub(c).mul(half));
    [a.add(sum), difference, sum.add(d)]
}

struct Transform<'a> {
    weights: &'a [f32],
    products: &'a mut [f32],
    n_pairs: usize,
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for pair in (0..self.n_pairs).step_by(V::LANES) {
            let mut columns = [[V::splat(0.0); 4]; 3];
            for (j, to) in columns.iter_mut().enumerate() {
                let mut column = [V::splat(0.0); 3];
                for (i, weight) in column.iter_mut().enumerate() {
                    *weight = V::load(&self.weights[(3 * i + j) * self.n_pairs + pair..]);
                }
                *to = spread(column);
            }
            let [a, b, c] = columns;
            for i in 0..4 {
                for (j, product) in spread([a[i], b[i], c[i]]).into_iter().enumerate() {
                    product.store(&mut self.products[(4 * i + j) * self.n_pairs + pair..]);
                }
            }
        }
    }
}

struct Untransform<'a> {
    products: &'a [f32],
    gradient: &'a mut [f32],
    n_pairs: usize,
}

impl Kernel for Untransform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for pair in (0..self.n_pairs).step_by(V::LANES) {
            let mut columns = [[V::splat(0.0); 3]; 4];
            for (j, to) in columns.iter_mut().enumerate() {
                let mut column = [V::splat(0.0); 4];
                for (i, product) in column.iter_mut().enumerate() {
                    *product = V::load(&self.products[(4 * i + j) * self.n_pairs + pair..]);
                }
                *to = gather(column);
            }
            let [a, b, c, d] = columns;
            for i in 0..3 {
                for (j, value) in gather([a[i], b[i], c[i], d[i]]).into_iter().enumerate() {
                    value.store(&mut self.gradient[(3 * i + j) * self.n_pairs + pair..]);
                }
            }
        }
    }
}
