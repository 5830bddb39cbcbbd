//! A scrambled Halton sequence: A. B. Owen, "A randomized Halton algorithm in R", 2017, which scipy's `qmc.Halton` follows too.
//!
//! Parameter number i reads the trial's number in the i-th prime's base and mirrors the digits behind the point, each
//! digit through a permutation of its own that the seed decides. Any `base^k` trials in a row, beginning at a multiple of it, then
//! have one value in each of `base^k` equal parts.

use super::{Assignment, Situation};
use crate::stream::Stream;

pub(super) fn draw(situation: &Situation<'_>) -> Assignment {
    let parameters = situation.space.parameters();
    let bases = primes(parameters.len());
    situation.space.assign(|parameter| {
        // A parameter's dimension is its place in the space, whether those before it are there or not.
        let place = parameters
            .iter()
            .position(|other| other.name == parameter.name)
            .expect("the space assigns its own parameters");
        let unit = radical_inverse(bases[place], situation.number, situation.seed, place as u64);
        parameter.distribution.at(unit)
    })
}

/// The mirrored, scrambled digits of `index` as a number in [0, 1).
#[expect(
    clippy::cast_precision_loss,
    reason = "digits and primes are far below 2^53"
)]
fn radical_inverse(base: usize, index: u64, seed: u64, dimension: u64) -> f64 {
    let base_wide = base as u64;
    let (mut rest, mut scale, mut unit) = (index, 1.0 / base as f64, 0.0);
    let mut position = 0;
    // Leading zeros are scrambled too, as far as a float can tell.
    while scale > f64::EPSILON / 2.0 {
        let mut digits: Vec<usize> = (0..base).collect();
        let purpose = format!("halton digit {position}");
        Stream::new(seed, &purpose, dimension).shuffle(&mut digits);
        let digit = usize::try_from(rest % base_wide).expect("a digit is below its base");
        unit += digits[digit] as f64 * scale;
        rest /= base_wide;
        scale /= base as f64;
        position += 1;
    }
    // The sum may round up to 1.
    unit.min(1.0 - f64::EPSILON / 2.0)
}

fn primes(n: usize) -> Vec<usize> {
    let mut primes: Vec<usize> = vec![];
    let mut candidate = 2;
    while primes.len() < n {
        if primes.iter().all(|prime| candidate % prime != 0) {
            primes.push(candidate);
        }
        candidate += 1;
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_the_first_primes() {
        assert_eq!(primes(8), [2, 3, 5, 7, 11, 13, 17, 19]);
    }

    #[test]
    fn each_part_gets_one_value() {
        for (base, power) in [(2_usize, 6), (3, 4), (7, 2)] {
            let n = base.pow(power);
            for block in 0..3 {
                let mut seen = vec![false; n];
                for index in block * n..(block + 1) * n {
                    let unit = radical_inverse(base, index as u64, 5, 1);
                    let part = crate::distribution::to_index(unit * n as f64 + 1e-9);
                    assert!(!seen[part], "base {base}, block {block}, part {part}");
                    seen[part] = true;
                }
            }
        }
    }

    #[test]
    fn the_seed_scrambles() {
        assert_ne!(radical_inverse(3, 10, 1, 0), radical_inverse(3, 10, 2, 0));
        assert_ne!(radical_inverse(3, 10, 1, 0), radical_inverse(3, 10, 1, 1));
    }
}
