//! Moments summed over seven neighbours, and SSIM of them.
//!
//! ```text
//! pairs[j] = row[j] + row[j + 1]
//! sums[j]  = ((pairs[j] + pairs[j + 2]) + pairs[j + 4]) + row[j + 6]
//! ```
//!
//! Read as it stands, a sum needs seven loads, of which most cross cache lines. By hand, a vector is loaded once and its neighbours are made of it and
//! the next one by shifts. The order of the additions is that of the two lines above, so all instruction sets give the same bits.

use super::lanes::LANES;
use super::prefetch::ask_for;
use super::uniform::SIZE;
use super::{MOMENTS, Similarity};

/// Positions between which the memory is asked for pixels, where the compiler makes the vectors.
const PIECE: usize = 64;

/// Values of a row that are read for `n` positions: whole vectors, and the two after them.
pub(super) const fn n_read(n: usize) -> usize {
    n.next_multiple_of(LANES) + 2 * LANES
}

/// A vector of a row, the next one, and the pairs of the first.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Sliding {
    row: std::arch::x86_64::__m512d,
    next: std::arch::x86_64::__m512d,
    pairs: std::arch::x86_64::__m512d,
}

#[cfg(target_arch = "x86_64")]
impl Sliding {
    /// At the start of a row for `n` vectors of sums, and what comes after its first two vectors.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(row: &[[f64; LANES]], n: usize) -> (Self, &[[f64; LANES]]) {
        use std::arch::x86_64::_mm512_add_pd as add;

        use safe_unaligned_simd::x86_64::_mm512_loadu_pd as load;

        let rest = &row[2..n + 2];
        let (row, next) = (load(&row[0]), load(&row[1]));
        let pairs = add(row, shifted::<1>(row, next));
        (Self { row, next, pairs }, rest)
    }

    /// The sums that begin in the vector; then the next one has its turn.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sums(&mut self, after: &[f64; LANES]) -> std::arch::x86_64::__m512d {
        use std::arch::x86_64::_mm512_add_pd as add;

        use safe_unaligned_simd::x86_64::_mm512_loadu_pd as load;

        let after = load(after);
        let next_pairs = add(self.next, shifted::<1>(self.next, after));
        let fours = add(self.pairs, shifted::<2>(self.pairs, next_pairs));
        let sixes = add(fours, shifted::<4>(self.pairs, next_pairs));
        let sums = add(sixes, shifted::<6>(self.row, self.next));
        (self.row, self.next, self.pairs) = (self.next, after, next_pairs);
        sums
    }
}

/// The eight values from number `BY` on.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn shifted<const BY: i32>(
    vector: std::arch::x86_64::__m512d,
    next: std::arch::x86_64::__m512d,
) -> std::arch::x86_64::__m512d {
    use std::arch::x86_64::{
        _mm512_alignr_epi64 as align, _mm512_castpd_si512 as bits, _mm512_castsi512_pd as values,
    };

    values(align::<BY>(bits(next), bits(vector)))
}

/// Adds the values of a row of positions, whose number is a multiple of eight, in vectors of 512 bits. A row has [`n_read`] values. Meanwhile the
/// memory is asked for rows of both images.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add_by_512<T>(
    similarity: Similarity,
    rows: [&[f64]; MOMENTS],
    totals: &mut [f64],
    ahead: [&[T]; 2],
) {
    use safe_unaligned_simd::x86_64::_mm512_storeu_pd as store;

    let totals = totals.as_chunks_mut::<LANES>().0;
    let [s, d, ss, dd] = rows;
    let (mut s, s_rest) = Sliding::new(s.as_chunks().0, totals.len());
    let (mut d, d_rest) = Sliding::new(d.as_chunks().0, totals.len());
    let (mut ss, ss_rest) = Sliding::new(ss.as_chunks().0, totals.len());
    let (mut dd, dd_rest) = Sliding::new(dd.as_chunks().0, totals.len());
    for (i, totals) in totals.iter_mut().enumerate() {
        for pixels in ahead {
            ask_for(pixels, i * LANES..(i + 1) * LANES);
        }
        let mut moments = [[0.0; LANES]; MOMENTS];
        store(&mut moments[0], s.sums(&s_rest[i]));
        store(&mut moments[1], d.sums(&d_rest[i]));
        store(&mut moments[2], ss.sums(&ss_rest[i]));
        store(&mut moments[3], dd.sums(&dd_rest[i]));
        let [s, d, ss, dd] = &moments;
        for (l, total) in totals.iter_mut().enumerate() {
            *total += similarity.of([s[l], d[l], ss[l], dd[l]]);
        }
    }
}

/// As the compiler puts it into vectors.
#[inline(always)]
pub(super) fn add<T>(
    similarity: Similarity,
    rows: [&[f64]; MOMENTS],
    totals: &mut [f64],
    ahead: [&[T]; 2],
) {
    for (piece, totals) in totals.chunks_mut(PIECE).enumerate() {
        let first = piece * PIECE;
        for pixels in ahead {
            ask_for(pixels, first..first + PIECE);
        }
        let [s, d, ss, dd] = rows.map(|row| &row[first..first + totals.len() + SIZE - 1]);
        for (j, total) in totals.iter_mut().enumerate() {
            *total += similarity.of([sum(s, j), sum(d, j), sum(ss, j), sum(dd, j)]);
        }
    }
}

/// Seven values from number `j` on. A closure instead is not inlined into what is compiled for AVX2.
#[inline(always)]
fn sum(row: &[f64], j: usize) -> f64 {
    let pair = |k: usize| row[j + k] + row[j + k + 1];
    ((pair(0) + pair(2)) + pair(4)) + row[j + SIZE - 1]
}

#[cfg(test)]
mod tests {
    use multiversion::multiversion;
    use multiversion::target::match_target;

    use super::*;

    #[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
    fn by_hand(similarity: Similarity, rows: [&[f64]; MOMENTS], totals: &mut [f64]) {
        match_target! {
            "x86_64+avx512f+avx512bw+avx512vl+avx512dq" => add_by_512(similarity, rows, totals, [rows[0]; 2]),
            _ => add(similarity, rows, totals, [rows[0]; 2]),
        }
    }

    #[test]
    fn both_ways_give_the_same_bits() {
        let similarity = Similarity {
            weight: 49.0,
            c1: 0.5,
            c2: 4.5,
            least: 4.5,
        };
        for n in [8, 16, 40, 200] {
            let row = |first: f64| -> Vec<f64> {
                (0..n_read(n)).map(|i| first / (i as f64 + 0.7)).collect()
            };
            let rows = [row(2.0), row(0.3), row(7.0), row(0.4)];
            let [s, d, ss, dd] = &rows;
            let mut totals = [vec![0.25; n], vec![0.25; n]];
            add(similarity, [s, d, ss, dd], &mut totals[0], [s; 2]);
            by_hand(similarity, [s, d, ss, dd], &mut totals[1]);
            assert_eq!(totals[0], totals[1]);
            for (j, total) in totals[0].iter().enumerate() {
                let moments = rows.each_ref().map(|row| row[j..j + SIZE].iter().sum());
                assert!((total - 0.25 - similarity.of(moments)).abs() < 1e-13);
            }
        }
    }
}
