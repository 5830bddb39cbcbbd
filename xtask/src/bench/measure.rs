//! Timing one row: find the other side's fastest configuration, then take turns.

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::neighbours::Meter;
use super::peer::{Paths, Peers};
use super::process::{self, FOLDER, Pinning};
use super::rows::{Against, Contestant, How, Row, Unit, compiles};
use super::statistics::{Sample, Spread, cpu_ratios, median_each, ratios};

pub(crate) const TRAIN_SCRIPT: &str = "xtask/bench/train_classifier.py";
pub(crate) const BALLS: &str = crate::reproduce::BALLS;
/// A configuration this much slower than the fastest may still win, so it runs in the rounds as well.
const CLOSE: f64 = 1.05;
const FINALISTS: usize = 2;
/// A round is calm when others took no more than this share of the processors; ticks of 10 ms allow no finer line.
const CALM: f64 = 0.05;
/// How many times the rounds that were asked for, in search of calm ones.
const ATTEMPTS: usize = 2;
const CALIBRATION_ROUNDS: usize = 3;

/// How long and how often everything is timed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Of each side in each round.
    pub(crate) seconds: f64,
    /// Rounds of the rows that run whole commands.
    pub(crate) command_rounds: usize,
    pub(crate) epochs: usize,
    /// Whether `torch.compile` is among PyTorch's configurations.
    pub(crate) compile: bool,
}

/// What was measured for a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) threads: usize,
    pub(crate) unit: Unit,
    pub(crate) against: Against,
    /// The other side's configuration that was the fastest.
    pub(crate) config: String,
    /// How many times as fast as the other side we are.
    pub(crate) ratio: Spread,
    pub(crate) cpu_ratio: Option<Spread>,
    /// The most that others took of the processors in any round that counts.
    pub(crate) others: f64,
    /// Wall seconds an item, medians.
    pub(crate) ours_each: f64,
    pub(crate) theirs_each: f64,
    pub(crate) ours: Vec<Sample>,
    pub(crate) theirs: Vec<Sample>,
    /// Every configuration of the other side, timed shortly: wall seconds an item.
    pub(crate) calibration: Vec<(String, f64)>,
    /// Configurations that failed, with the reason.
    pub(crate) failed: Vec<(String, String)>,
}

/// One side, ready to be timed.
struct Ready<'a> {
    contestant: &'a Contestant,
    key: String,
    /// Of the pixels that were read, in the rows that read files; the value, rounded, in those of metrics.
    sum: Option<u64>,
}

pub(crate) struct Bench<'a> {
    pub(crate) peers: Peers<'a>,
    pub(crate) paths: &'a Paths,
    pub(crate) pinning: Pinning,
    pub(crate) effort: Effort,
}

impl Bench<'_> {
    pub(crate) fn measure(&mut self, row: &Row) -> Result<Outcome> {
        let ours = match self.prepare(&row.ours, "ours".to_owned())? {
            Ok(ready) => ready,
            Err(reason) => bail!("our side of {} failed: {reason}", row.id),
        };
        let mut ready = vec![];
        let mut failed = vec![];
        for (index, contestant) in row.theirs.iter().enumerate() {
            if compiles(&contestant.config) && !self.effort.compile {
                continue;
            }
            match self.prepare(contestant, format!("theirs-{index}"))? {
                Ok(side) if row.is_comparable() && side.sum != ours.sum => bail!(
                    "{} and {} do not compute the same in {}: {:?} and {:?}",
                    row.ours.config,
                    contestant.config,
                    row.id,
                    ours.sum,
                    side.sum
                ),
                Ok(side) => ready.push(side),
                Err(reason) => failed.push((contestant.config.clone(), reason)),
            }
        }
        let each = self.calibrate(&ready)?;
        let finalists: Vec<_> = finalists(&each).into_iter().map(|i| &ready[i]).collect();
        let (ours, theirs) = self.take_turns(&ours, &finalists)?;
        self.peers.drop_work()?;
        let (finalist, theirs) = finalists
            .iter()
            .zip(theirs)
            .min_by(|(_, a), (_, b)| {
                let each = |samples| median_each(samples).unwrap_or(f64::INFINITY);
                each(a).total_cmp(&each(b))
            })
            .with_context(|| format!("no configuration of the other side of {} ran", row.id))?;
        let none = "a row has at least one round";
        Ok(Outcome {
            id: row.id.to_owned(),
            title: row.title.clone(),
            threads: row.threads,
            unit: row.unit,
            against: row.against,
            config: finalist.contestant.config.clone(),
            ratio: ratios(&ours, &theirs).context(none)?,
            cpu_ratio: cpu_ratios(&ours, &theirs),
            others: disturbance(&ours).max(disturbance(&theirs)),
            ours_each: median_each(&ours).context(none)?,
            theirs_each: median_each(&theirs).context(none)?,
            ours,
            theirs,
            calibration: ready
                .iter()
                .map(|side| side.contestant.config.clone())
                .zip(each)
                .collect(),
            failed,
        })
    }

    /// Makes one side ready; the inner error is its program's refusal.
    fn prepare<'a>(
        &mut self,
        contestant: &'a Contestant,
        key: String,
    ) -> Result<std::result::Result<Ready<'a>, String>> {
        let mut sum = None;
        if let How::Peer { program, request } = &contestant.how {
            let peer = self.peers.get(*program, contestant.threads)?;
            match peer.prepare(&key, request)? {
                Ok(answer) => sum = answer.get("sum").and_then(serde_json::Value::as_u64),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        Ok(Ok(Ready {
            contestant,
            key,
            sum,
        }))
    }

    /// What each configuration takes, timed shortly; infinite where there is no choice to make.
    fn calibrate(&mut self, ready: &[Ready<'_>]) -> Result<Vec<f64>> {
        let is_command = ready.iter().any(|side| side.contestant.how == How::Script);
        let rounds = match ready.len() {
            0 | 1 => 0,
            _ if is_command => 1,
            _ => CALIBRATION_ROUNDS,
        };
        let mut samples = vec![vec![]; ready.len()];
        for _ in 0..rounds {
            for (side, samples) in ready.iter().zip(&mut samples) {
                samples.push(self.time(side, self.effort.seconds / 2.0)?);
            }
        }
        let each = |samples: &Vec<_>| median_each(samples).unwrap_or(f64::INFINITY);
        Ok(samples.iter().map(each).collect())
    }

    /// Rounds in which each side works once, as many as were asked for. Rounds that others disturbed are repeated;
    /// where the machine does not come to rest, the least disturbed ones count.
    fn take_turns(
        &mut self,
        ours: &Ready<'_>,
        theirs: &[&Ready<'_>],
    ) -> Result<(Vec<Sample>, Vec<Vec<Sample>>)> {
        let (wanted, seconds) = if ours.contestant.how == How::Juggle {
            (self.effort.command_rounds, 0.0)
        } else {
            (self.effort.rounds, self.effort.seconds)
        };
        let mut rounds = vec![];
        let mut calm = 0;
        while calm < wanted && rounds.len() < wanted * ATTEMPTS {
            let round = self.round(ours, theirs, seconds, rounds.len())?;
            if disturbance(&round) <= CALM {
                calm += 1;
            }
            rounds.push(round);
        }
        rounds.sort_by(|a, b| disturbance(a).total_cmp(&disturbance(b)));
        rounds.truncate(wanted);
        let column = |i: usize| rounds.iter().map(|round| round[i]).collect();
        Ok((column(0), (1..=theirs.len()).map(column).collect()))
    }

    /// One sample of each side, ours first in the result. Every other round begins with the other side, so
    /// that a drift of the machine favours nobody.
    fn round(
        &mut self,
        ours: &Ready<'_>,
        theirs: &[&Ready<'_>],
        seconds: f64,
        number: usize,
    ) -> Result<Vec<Sample>> {
        let mut sides: Vec<_> = std::iter::once(&ours).chain(theirs).copied().collect();
        let turned = number % 2 == 1;
        if turned {
            sides.reverse();
        }
        let mut samples = vec![];
        for side in sides {
            samples.push(self.time(side, seconds)?);
        }
        if turned {
            samples.reverse();
        }
        Ok(samples)
    }

    fn time(&mut self, side: &Ready<'_>, seconds: f64) -> Result<Sample> {
        let contestant = side.contestant;
        let threads = contestant.threads;
        match &contestant.how {
            How::Peer { program, .. } => self.peers.get(*program, threads)?.run(&side.key, seconds),
            How::Juggle => {
                let mut command = self.pinning.command(&self.paths.juggle, threads);
                command
                    .args(["train", "classifier", "--quiet", "--overwrite"])
                    .args(["--run", &format!("{FOLDER}/juggle-run")])
                    .args(["--device", "cpu"]);
                self.train(command, threads, "juggle")
            }
            How::Script => {
                let mut command = self.pinning.command(&self.paths.python, threads);
                command
                    .args([TRAIN_SCRIPT, "--config", &contestant.config])
                    .args(["--run", &format!("{FOLDER}/torch-run")]);
                self.train(command, threads, "train_classifier")
            }
        }
    }

    /// Adds the flags that both commands know.
    fn train(
        &self,
        mut command: std::process::Command,
        threads: usize,
        name: &str,
    ) -> Result<Sample> {
        command
            .args(["--data", BALLS])
            .args(["--threads", &threads.to_string()])
            .args(["--epochs", &self.effort.epochs.to_string()]);
        let meter = Meter::start(self.pinning, threads);
        Ok(process::run(&mut command, name, meter)?.sample)
    }
}

/// The most that others took during one sample of the round; none where the system does not tell.
fn disturbance(round: &[Sample]) -> f64 {
    let others = round.iter().filter_map(|sample| sample.others);
    others.fold(0.0, f64::max)
}

/// The fastest configurations, those close to the fastest included.
fn finalists(each: &[f64]) -> Vec<usize> {
    let best = each.iter().copied().fold(f64::INFINITY, f64::min);
    let mut close: Vec<_> = (0..each.len())
        .filter(|&i| each[i] <= best * CLOSE)
        .collect();
    close.sort_by(|&a, &b| each[a].total_cmp(&each[b]));
    close.truncate(FINALISTS);
    close
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_and_what_is_close_to_it_go_on() {
        assert_eq!(finalists(&[2.0, 1.0, 1.04, 1.02, 9.0]), [1, 3]);
        assert_eq!(finalists(&[f64::INFINITY]), [0]);
        assert!(finalists(&[]).is_empty());
    }
}
