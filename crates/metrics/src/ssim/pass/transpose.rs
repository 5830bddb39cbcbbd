//! Eight rows of eight values become eight columns.
//!
//! Of plain loops the compiler makes more than twice the shuffles that are needed, and keeps what is between them in memory. Nothing is
//! computed here, so all instruction sets give the same bits.

use super::lanes::LANES;

/// Rows to transpose.
pub(super) type Rows<'a> = [&'a [f64; LANES]; LANES];

/// Where their columns go.
pub(super) type Columns<'a> = [&'a mut [f64; LANES]; LANES];

/// In vectors of 512 bits: 24 shuffles.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose_by_512([a, b, c, d, e, f, g, h]: Rows<'_>, columns: Columns<'_>) {
    use std::arch::x86_64::{_mm512_unpackhi_pd as odd, _mm512_unpacklo_pd as even};

    use safe_unaligned_simd::x86_64::_mm512_loadu_pd as load;

    let (a, b, c, d) = (load(a), load(b), load(c), load(d));
    let (e, f, g, h) = (load(e), load(f), load(g), load(h));
    let [to_0, to_1, to_2, to_3, to_4, to_5, to_6, to_7] = columns;
    let pairs = [even(a, b), even(c, d), even(e, f), even(g, h)];
    store_every_second(pairs, [to_0, to_2, to_4, to_6]);
    let pairs = [odd(a, b), odd(c, d), odd(e, f), odd(g, h)];
    store_every_second(pairs, [to_1, to_3, to_5, to_7]);
}

/// Stores four columns; in each vector, those of two rows take turns.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store_every_second(
    [ab, cd, ef, gh]: [std::arch::x86_64::__m512d; 4],
    [to_0, to_1, to_2, to_3]: [&mut [f64; LANES]; 4],
) {
    use std::arch::x86_64::_mm512_shuffle_f64x2 as shuffle;

    use safe_unaligned_simd::x86_64::_mm512_storeu_pd as store;

    // Quarters 0 and 2 of both vectors, or 1 and 3.
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let (a_to_d, e_to_h) = (shuffle::<EVEN>(ab, cd), shuffle::<EVEN>(ef, gh));
    store(to_0, shuffle::<EVEN>(a_to_d, e_to_h));
    store(to_2, shuffle::<ODD>(a_to_d, e_to_h));
    let (a_to_d, e_to_h) = (shuffle::<ODD>(ab, cd), shuffle::<ODD>(ef, gh));
    store(to_1, shuffle::<EVEN>(a_to_d, e_to_h));
    store(to_3, shuffle::<ODD>(a_to_d, e_to_h));
}

/// In vectors of 256 bits: four squares of four.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx")]
pub(super) fn transpose_by_256(rows: Rows<'_>, columns: Columns<'_>) {
    use std::arch::x86_64::{
        _mm256_permute2f128_pd as halves, _mm256_unpackhi_pd as odd, _mm256_unpacklo_pd as even,
    };

    use safe_unaligned_simd::x86_64::{_mm256_loadu_pd as load, _mm256_storeu_pd as store};

    const LOW: i32 = 0x20;
    const HIGH: i32 = 0x31;
    for i in 0..2 {
        for j in 0..2 {
            let (a, b) = (half(rows[4 * i], j), half(rows[4 * i + 1], j));
            let (c, d) = (half(rows[4 * i + 2], j), half(rows[4 * i + 3], j));
            let (a, b, c, d) = (load(a), load(b), load(c), load(d));
            let (ab, cd) = (even(a, b), even(c, d));
            store(half_of(columns[4 * j], i), halves::<LOW>(ab, cd));
            store(half_of(columns[4 * j + 2], i), halves::<HIGH>(ab, cd));
            let (ab, cd) = (odd(a, b), odd(c, d));
            store(half_of(columns[4 * j + 1], i), halves::<LOW>(ab, cd));
            store(half_of(columns[4 * j + 3], i), halves::<HIGH>(ab, cd));
        }
    }
}

/// The first or the second four values. By closures instead it would be called, not inlined.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn half(row: &[f64; LANES], i: usize) -> &[f64; LANES / 2] {
    &row.as_chunks().0[i]
}

/// The same, to be written.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn half_of(column: &mut [f64; LANES], i: usize) -> &mut [f64; LANES / 2] {
    &mut column.as_chunks_mut().0[i]
}

/// Without vectors.
#[inline(always)]
pub(super) fn transpose(rows: Rows<'_>, mut columns: Columns<'_>) {
    for (i, row) in rows.into_iter().enumerate() {
        for (column, value) in columns.iter_mut().zip(row) {
            column[i] = *value;
        }
    }
}

#[cfg(test)]
mod tests {
    use multiversion::multiversion;
    use multiversion::target::match_target;

    use super::*;

    /// What one way makes of 0, 1, 2 … in rows.
    fn check(way: fn(Rows<'_>, Columns<'_>)) {
        let at = |i: usize, j: usize| (i * LANES + j) as f64;
        let rows: [[f64; LANES]; LANES] =
            std::array::from_fn(|i| std::array::from_fn(|j| at(i, j)));
        let mut columns = [[f64::NAN; LANES]; LANES];
        way(rows.each_ref(), columns.each_mut());
        let expected: [[f64; LANES]; LANES] =
            std::array::from_fn(|j| std::array::from_fn(|i| at(i, j)));
        assert_eq!(columns, expected);
    }

    #[multiversion(targets("x86_64+avx512f"))]
    fn at_most_512(rows: Rows<'_>, columns: Columns<'_>) {
        match_target! {
            "x86_64+avx512f" => transpose_by_512(rows, columns),
            _ => transpose(rows, columns),
        }
    }

    #[multiversion(targets("x86_64+avx"))]
    fn at_most_256(rows: Rows<'_>, columns: Columns<'_>) {
        match_target! {
            "x86_64+avx" => transpose_by_256(rows, columns),
            _ => transpose(rows, columns),
        }
    }

    #[test]
    fn every_way_transposes() {
        for way in [at_most_512, at_most_256, transpose] {
            check(way);
        }
    }
}
