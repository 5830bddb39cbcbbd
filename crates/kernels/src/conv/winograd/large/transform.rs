//! The matrices of F(4×4, 3×3), and images into them.
//!
//! ```text
//!      ⎡4  0 −5  0  1  0⎤       ⎡  ¼    0    0⎤
//!      ⎢0 −4 −4  1  1  0⎥       ⎢−1/6 −1/6 −1/6⎥        ⎡1  1  1  1  1  0⎤
//! Bᵀ = ⎢0  4 −4 −1  1  0⎥   G = ⎢−1/6  1/6 −1/6⎥   Aᵀ = ⎢0  1 −1  2 −2  0⎥
//!      ⎢0 −2 −1  2  1  0⎥       ⎢1/24 1/12  1/6⎥        ⎢0  1  1  4  4  0⎥
//!      ⎢0  2 −1 −2  1  0⎥       ⎢1/24 −1/12 1/6⎥        ⎣0  1 −1  8 −8  1⎦
//!      ⎣0  4  0 −5  0  1⎦       ⎣  0    0    1⎦
//! ```
//!
//! A row of a tile of an image that was doubled is [a, b, b, c, c, d], which Bᵀ takes to
//! [4a − 5b + c, 2c − 8b, 0, 3(c − b), b − c, 4b − 5c + d].

use super::N_PRODUCTS;
use crate::conv::winograd::{Input, Matrices};
use crate::simd::Vector;

/// Bᵀ times a vector of six.
#[inline(always)]
fn times_b<V: Vector>([a, b, c, d, e, f]: [V; 6]) -> [V; 6] {
    let [two, four, minus_two, minus_four, minus_five] = [
        V::splat(2.0),
        V::splat(4.0),
        V::splat(-2.0),
        V::splat(-4.0),
        V::splat(-5.0),
    ];
    let (p, q) = (c.mul_add(minus_four, e), b.mul_add(minus_four, d));
    let (r, s) = (e.sub(c), d.sub(b));
    [
        a.mul_add(four, c.mul_add(minus_five, e)),
        p.add(q),
        p.sub(q),
        s.mul_add(two, r),
        s.mul_add(minus_two, r),
        b.mul_add(four, d.mul_add(minus_five, f)),
    ]
}

/// Bᵀ times [a, b, b, c, c, d], but for its zero.
#[inline(always)]
fn times_b_half<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 5] {
    let [three, four, minus_five, minus_eight] =
        [V::splat(3.0), V::splat(4.0), V::splat(-5.0), V::splat(-8.0)];
    let difference = b.sub(c);
    [
        a.mul_add(four, b.mul_add(minus_five, c)),
        b.mul_add(minus_eight, c.add(c)),
        c.sub(b).mul(three),
        difference,
        b.mul_add(four, c.mul_add(minus_five, d)),
    ]
}

/// Aᵀ times a vector of six.
#[inline(always)]
pub(super) fn times_a<V: Vector>([a, b, c, d, e, f]: [V; 6]) -> [V; 4] {
    let (p, q) = (b.add(c), b.sub(c));
    let (r, s) = (d.add(e), d.sub(e));
    [
        a.add(p).add(r),
        s.mul_add(V::splat(2.0), q),
        r.mul_add(V::splat(4.0), p),
        s.mul_add(V::splat(8.0), q).add(f),
    ]
}

/// G times a vector of three.
#[inline(always)]
pub(super) fn spread<V: Vector>([a, b, c]: [V; 3]) -> [V; 6] {
    let outer = a.add(c);
    let minus_sixth = V::splat(-1.0 / 6.0);
    let even = a.mul_add(V::splat(1.0 / 24.0), c.mul(V::splat(1.0 / 6.0)));
    let odd = b.mul(V::splat(1.0 / 12.0));
    [
        a.mul(V::splat(0.25)),
        outer.add(b).mul(minus_sixth),
        outer.sub(b).mul(minus_sixth),
        even.add(odd),
        even.sub(odd),
        c,
    ]
}

/// Bᵀ d B of a row of `n` tiles, for the channels of one vector, whose first place in the first matrix is `to`.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
pub(super) fn same<V: Vector>(
    input: &Input<'_>,
    n: usize,
    row: usize,
    channel: usize,
    (vs, v, to): (&mut [f32], Matrices, usize),
) {
    let (xs, x) = (input.values, input.view);
    let from = x.at(4 * row, 0) + channel;
    let last_read = from + 5 * x.row + (4 * n + 1) * x.pixel;
    check::<V>((last_read, xs.len()), (vs.len(), v, to), n);
    // SAFETY: the pixels read are rows 0 to 5 and columns 0 to 4n + 1 from `from` on, the vectors written those of tiles 0 to
    // n − 1 in matrices 0 to 35; the last of each was just checked to lie in its slice.
    unsafe {
        let xs = xs.as_ptr().add(from);
        let mut columns = [[V::splat(0.0); 6]; 6];
        columns[4] = times_b(column::<V, 6>(xs, x.row));
        columns[5] = times_b(column::<V, 6>(xs.add(x.pixel), x.row));
        for tile in 0..n {
            columns[0] = columns[4];
            columns[1] = columns[5];
            for (j, to) in columns.iter_mut().enumerate().skip(2) {
                *to = times_b(column::<V, 6>(xs.add((4 * tile + j) * x.pixel), x.row));
            }
            let [a, b, c, d, e, f] = columns;
            let to = vs.as_mut_ptr().add(to + tile * v.channels);
            for i in 0..6 {
                let products = times_b([a[i], b[i], c[i], d[i], e[i], f[i]]);
                for (j, product) in products.into_iter().enumerate() {
                    product.store_ptr(to.add((6 * i + j) * v.stride));
                }
            }
        }
    }
}

/// The same for an image that was doubled; the matrices that are zero are not written.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
pub(super) fn half<V: Vector>(
    input: &Input<'_>,
    n: usize,
    row: usize,
    channel: usize,
    (vs, v, to): (&mut [f32], Matrices, usize),
) {
    let (xs, x) = (input.values, input.view);
    let from = x.at(2 * row, 0) + channel;
    let last_read = from + 3 * x.row + (2 * n + 1) * x.pixel;
    check::<V>((last_read, xs.len()), (vs.len(), v, to), n);
    const PLACES: [usize; 5] = [0, 1, 3, 4, 5];
    // SAFETY: the pixels read are rows 0 to 3 and columns 0 to 2n + 1 from `from` on, the vectors written those of tiles 0 to
    // n − 1 in some of the matrices 0 to 35; the last of each was just checked to lie in its slice.
    unsafe {
        let xs = xs.as_ptr().add(from);
        let mut columns = [[V::splat(0.0); 5]; 4];
        columns[2] = times_b_half(column::<V, 4>(xs, x.row));
        columns[3] = times_b_half(column::<V, 4>(xs.add(x.pixel), x.row));
        for tile in 0..n {
            columns[0] = columns[2];
            columns[1] = columns[3];
            for (j, to) in columns.iter_mut().enumerate().skip(2) {
                *to = times_b_half(column::<V, 4>(xs.add((2 * tile + j) * x.pixel), x.row));
            }
            let [a, b, c, d] = columns;
            let to = vs.as_mut_ptr().add(to + tile * v.channels);
            for (i, row) in PLACES.into_iter().enumerate() {
                let products = times_b_half([a[i], b[i], c[i], d[i]]);
                for (product, column) in products.into_iter().zip(PLACES) {
                    product.store_ptr(to.add((6 * row + column) * v.stride));
                }
            }
        }
    }
}

/// # Panics
/// When the last vector that is read or written lies outside its slice.
#[inline(always)]
fn check<V: Vector>(
    (last_read, n_read): (usize, usize),
    (n_written, v, to): (usize, Matrices, usize),
    n: usize,
) {
    let last_written = to + (n - 1) * v.channels + (N_PRODUCTS - 1) * v.stride;
    assert!(
        last_read + V::LANES <= n_read && last_written + V::LANES <= n_written,
        "the image and the strip's matrices hold the tiles"
    );
}

/// Pixels one above the other.
///
/// # Safety
/// The vectors at `at` and `N` − 1 rows below can be read.
#[inline(always)]
#[expect(unsafe_code, reason = "inner loops, free of bounds checks")]
unsafe fn column<V: Vector, const N: usize>(at: *const f32, row: usize) -> [V; N] {
    let mut pixels = [V::splat(0.0); N];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        // SAFETY: the caller says that this row can be read.
        *pixel = unsafe { V::load_ptr(at.add(i * row)) };
    }
    pixels
}
