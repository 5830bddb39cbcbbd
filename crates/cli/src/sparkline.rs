//! Curves of one line of text.

/// How heights stand for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Equal heights are equal factors. Values that are not all positive are drawn on a linear scale.
    Logarithmic,
}

/// A curve of `width` characters or, where there are fewer values, one a value. The lowest value is the lowest block, the highest the
/// highest one; values that share a character are averaged; one that is no number is a gap.
pub(crate) fn sparkline(values: &[f64], width: usize, scale: Scale) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let n = values.len();
    let width = width.min(n);
    let mut heights: Vec<f64> = (0..width)
        .map(|i| mean(&values[i * n / width..(i + 1) * n / width]))
        .collect();
    let finite = || heights.iter().copied().filter(|x| x.is_finite());
    if scale == Scale::Logarithmic && finite().all(|x| x > 0.0) {
        heights.iter_mut().for_each(|x| *x = x.ln());
    }
    let finite = || heights.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    heights
        .iter()
        .map(|&x| {
            if !x.is_finite() {
                return ' ';
            }
            if low >= high {
                return BLOCKS[3];
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most 7")]
            #[expect(clippy::cast_sign_loss, reason = "at least 0")]
            let block = ((x - low) / (high - low) * 8.0) as usize;
            BLOCKS[block.min(7)]
        })
        .collect()
}

/// The mean of the finite values; no number where there are none.
fn mean(values: &[f64]) -> f64 {
    let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    finite.iter().sum::<f64>() / finite.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_scale_are_the_ends_of_the_values() {
        let rising: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(sparkline(&rising, 8, Scale::Linear), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&rising, 4, Scale::Linear), "▁▃▆█");
        assert_eq!(sparkline(&rising, 80, Scale::Linear), "▁▂▃▄▅▆▇█");
        let powers: Vec<f64> = (0..8).map(|i| 10_f64.powi(i)).collect();
        assert_eq!(sparkline(&powers, 8, Scale::Logarithmic), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&powers, 8, Scale::Linear), "▁▁▁▁▁▁▁█");
    }

    #[test]
    fn odd_values_have_their_place() {
        assert_eq!(sparkline(&[], 9, Scale::Linear), "");
        assert_eq!(sparkline(&[1.0], 0, Scale::Linear), "");
        assert_eq!(sparkline(&[3.0, 3.0], 9, Scale::Logarithmic), "▄▄");
        let gap = [0.0, f64::NAN, f64::INFINITY, 1.0];
        assert_eq!(sparkline(&gap, 9, Scale::Logarithmic), "▁  █");
        assert_eq!(sparkline(&gap, 2, Scale::Linear), "▁█");
    }
}
