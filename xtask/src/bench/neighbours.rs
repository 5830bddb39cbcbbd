//! How much of the processors other programs took while something was timed.
//!
//! A neighbour does not slow both sides alike: PyTorch's threads wait for each other in loops, and one that is not running
//! stops them all. So a round in which others were busy is repeated, and what is left of them is printed in the table.

use std::fs;

use super::process::Pinning;

/// `/proc/stat` counts in these on every Linux, whatever the kernel's own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// The busy time of some processors, read before and after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    /// The processors from 0 that the program is kept on; all of them where it is not.
    first: Option<usize>,
    before: Option<Busy>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Busy {
    seconds: f64,
    n_processors: usize,
}

impl Meter {
    pub(crate) fn start(pinning: Pinning, threads: usize) -> Self {
        let first = (pinning == Pinning::Taskset).then_some(threads);
        Self {
            first,
            before: busy(first),
        }
    }

    /// The share of the processors' time that others took since the start, 0 to 1, of which the program
    /// took `cpu_seconds` in `seconds`; nothing where the system does not tell.
    pub(crate) fn others(self, seconds: f64, cpu_seconds: Option<f64>) -> Option<f64> {
        let (before, after) = self.before.zip(busy(self.first))?;
        let others = after.seconds - before.seconds - cpu_seconds?;
        Some((others / (seconds * after.n_processors as f64)).clamp(0.0, 1.0))
    }
}

fn busy(first: Option<usize>) -> Option<Busy> {
    busy_in(&fs::read_to_string("/proc/stat").ok()?, first)
}

/// Lines `cpuN user nice system idle iowait irq softirq steal …`; time that was idle or stands for a disk is not busy.
fn busy_in(stat: &str, first: Option<usize>) -> Option<Busy> {
    let mut ticks = 0;
    let mut n_processors = 0;
    for line in stat.lines() {
        let mut fields = line.split_ascii_whitespace();
        let Some(number) = fields.next().and_then(|name| name.strip_prefix("cpu")) else {
            continue;
        };
        // The first line, `cpu`, is the sum of the others.
        let Ok(number) = number.parse::<usize>() else {
            continue;
        };
        if first.is_some_and(|first| number >= first) {
            continue;
        }
        let counts: Vec<u64> = fields
            .take(8)
            .map_while(|field| field.parse().ok())
            .collect();
        let [user, nice, system, _idle, _iowait, irq, softirq, steal] = counts.try_into().ok()?;
        ticks += user + nice + system + irq + softirq + steal;
        n_processors += 1;
    }
    (n_processors > 0).then_some(Busy {
        seconds: ticks as f64 / TICKS_PER_SECOND,
        n_processors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_time_is_that_of_the_processors_in_use() {
        let stat = "cpu  300 0 0 900 0 0 0 0 0 0\n\
                    cpu0 100 10 20 500 7 3 4 5 0 0\n\
                    cpu1 200 0 0 400 0 0 0 0 0 0\n\
                    intr 1234 5\n";
        let one = busy_in(stat, Some(1)).unwrap();
        assert_eq!((one.seconds, one.n_processors), (1.42, 1));
        let all = busy_in(stat, None).unwrap();
        assert_eq!((all.seconds, all.n_processors), (3.42, 2));
        assert_eq!(busy_in("intr 1\n", None), None);
    }
}
