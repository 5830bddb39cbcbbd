//! Axes: from the numbers to a range with round ends, ticks in it, and places along it.

/// How values are spaced along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    Linear,
    /// For positive values that span more than a factor of thirty.
    Log,
}

/// A range with ticks. `low` is below `high`, both are finite, and positive under [`Spacing::Log`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) spacing: Spacing,
    pub(crate) ticks: Vec<f64>,
}

/// Steps between the ticks of a linear axis, about.
const STEPS: f64 = 4.0;
/// Digits after the point that a tick has at most.
const MAX_DECIMALS: i32 = 8;
/// A span above which small values would lie on the ground of a linear axis.
const LOG_FROM: f64 = 30.0;

impl Axis {
    /// The axis for these values, of which those that are no finite number are left out; logarithmic where that shows more.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        if low > 0.0 && high / low > LOG_FROM {
            Self::log(low, high)
        } else {
            Self::linear(low, high)
        }
    }

    /// The linear axis for these values.
    pub(crate) fn of_places(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        Self::linear(low, high)
    }

    /// A linear axis whose ends are ticks around `low` and `high`.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let (low, high) = apart(low, high);
        let step = round_step((high - low) / STEPS);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut ticks = vec![];
        let mut i = first;
        while i <= last {
            ticks.push(i * step);
            i += 1.0;
        }
        Self {
            low: first * step,
            high: last * step,
            spacing: Spacing::Linear,
            ticks,
        }
    }

    /// The axis of whole numbers such as epochs, which ends where they end.
    pub(crate) fn counts(first: f64, last: f64) -> Self {
        let step = round_step((last - first) / STEPS).max(1.0);
        let mut ticks = vec![first];
        let mut i = (first / step).floor() + 1.0;
        while i * step <= last {
            ticks.push(i * step);
            i += 1.0;
        }
        // A first tick that touches the second says nothing.
        if ticks.len() > 2 && ticks[1] - first < 0.4 * step {
            ticks.remove(1);
        }
        let (low, high) = if last > first {
            (first, last)
        } else {
            (first - 0.5, first + 0.5)
        };
        Self {
            low,
            high,
            spacing: Spacing::Linear,
            ticks,
        }
    }

    /// A logarithmic axis from the power of ten below `low`, or a half or a fifth of the next one, to that above `high`.
    pub(crate) fn log(low: f64, high: f64) -> Self {
        let mantissas: [f64; 3] = [1.0, 2.0, 5.0];
        let grid = |from: f64, to: f64| {
            let decades = decade(from)..=decade(to) + 1;
            decades.flat_map(move |k| mantissas.map(|m| m * 10_f64.powi(k)))
        };
        let near = 1.0 + 1e-9;
        let low_end = grid(low / 10.0, high).rfind(|x| *x <= low * near);
        let high_end = grid(low, high).find(|x| *x >= high / near);
        let (low, high) = (low_end.unwrap_or(low), high_end.unwrap_or(high));
        let inside = |x: &f64| *x >= low / near && *x <= high * near;
        let powers: Vec<f64> = (decade(low)..=decade(high) + 1)
            .map(|k| 10_f64.powi(k))
            .filter(inside)
            .collect();
        let ticks = match powers.len() {
            0..=2 => grid(low, high).filter(inside).collect(),
            3..=6 => powers,
            n => powers.into_iter().step_by(n.div_ceil(6)).collect(),
        };
        Self {
            low,
            high,
            spacing: Spacing::Log,
            ticks,
        }
    }

    /// Where a value lies along the axis: 0 at its low end, 1 at its high end.
    pub(crate) fn share(&self, value: f64) -> f64 {
        match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// A tick in as few digits as tell the ticks apart.
    pub(crate) fn label(&self, tick: f64) -> String {
        match self.spacing {
            Spacing::Linear => {
                let step = self
                    .ticks
                    .windows(2)
                    .map(|pair| pair[1] - pair[0])
                    .fold(f64::INFINITY, f64::min);
                if tick != 0.0 && (tick.abs() < 1e-4 || tick.abs() >= 1e7) {
                    return format!("{tick:.1e}");
                }
                let decimals = decimals_of(step);
                // A tick of -0 is a rounding error of a tick of 0.
                format!(
                    "{:.decimals$}",
                    if step.is_finite() && tick.abs() < step * 1e-6 {
                        0.0
                    } else {
                        tick
                    }
                )
            }
            Spacing::Log if (1e-4..1e5).contains(&tick) => format!("{tick}"),
            Spacing::Log => format!("{tick:.0e}"),
        }
    }
}

/// The lowest and the highest of the finite values; 0 and 1 without any.
fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let finite = values.into_iter().filter(|x| x.is_finite());
    finite
        .fold(None, |extent, x| match extent {
            None => Some((x, x)),
            Some((low, high)) => Some((f64::min(low, x), f64::max(high, x))),
        })
        .unwrap_or((0.0, 1.0))
}

/// A range that is not empty.
fn apart(low: f64, high: f64) -> (f64, f64) {
    if high - low > 1e-9 * low.abs().max(high.abs()) {
        return (low, high);
    }
    let room = (0.05 * low.abs()).max(1e-6);
    (low - room, high + room)
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let step = step.max(f64::MIN_POSITIVE);
    let power = 10_f64.powi(decade(step));
    let mantissas: [f64; 3] = [1.0, 2.0, 5.0];
    let found = mantissas
        .into_iter()
        .find(|m| m * power >= step * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// The largest k with 10^k at most `x`.
fn decade(x: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "between -324 and 308")]
    let k = (x.log10() + 1e-12).floor() as i32;
    k
}

/// The fewest digits after the point that say a step exactly.
fn decimals_of(step: f64) -> usize {
    if !step.is_finite() {
        // A single tick has no step.
        return 0;
    }
    let is_whole = |decimals: &i32| {
        let scaled = step * 10_f64.powi(*decimals);
        (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    let found = (0..=MAX_DECIMALS).find(is_whole).unwrap_or(MAX_DECIMALS);
    usize::try_from(found).unwrap_or(0)
}
