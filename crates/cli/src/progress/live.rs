//! The live view of a training run on a terminal: two bars, the metrics, a curve of the loss of the steps.
//!
//! ```text
//! epoch  3/25 ━━━━━━╸──────────────────────────────────────────────── 2m 41s left
//! step  17/38 ━━━━━━━━━━━━━━━━━━━━━━━━━╸───────────────────────── 8120 images/s
//! train loss 0.31007  accuracy 0.8732
//! val   loss 0.35210  accuracy 0.8625 · best loss 0.34122 in epoch 2
//! curve ██▇▇▆▅▅▄▄▃▃▃▂▂▁▁
//! ```
//!
//! Every line is filled up to the same width, so that a frame overwrites the one before without clearing it first. The last columns
//! stay free: a terminal takes a full line for one that goes on below, and joins the two when it is made wider.

use std::time::{Duration, Instant};

use console::{Alignment, Term, pad_str, truncate_str};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pace::{Pace, in_words};
use super::{Plan, Step, count, describe};
use crate::examples::Score;
use crate::sparkline::{Scale, sparkline};

/// Time between two frames.
const FRAME: Duration = Duration::from_millis(100);
/// A bar that is shorter says nothing.
const SHORTEST_BAR: usize = 8;

/// The lines at the bottom of the terminal.
#[derive(Debug)]
pub(super) struct Live {
    term: Term,
    lines: MultiProgress,
    frame: ProgressBar,
    drawn: Instant,
    picture: Picture,
}

/// What the lines say.
#[derive(Debug)]
struct Picture {
    plan: Plan,
    color: bool,
    epoch: usize,
    /// Steps of the epoch that are done.
    steps: usize,
    validating: bool,
    images_per_s: f64,
    left: Option<Duration>,
    train: Option<Score>,
    val: Option<Score>,
    /// The epoch with the lowest validation loss, and that.
    best: Option<(usize, f64)>,
    losses: Losses,
}

impl Live {
    pub(super) fn new(color: bool, plan: Plan) -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        lines.set_move_cursor(true);
        let style = ProgressStyle::with_template("{msg}").expect("the template is well formed");
        Self {
            term: Term::stderr(),
            frame: lines.add(ProgressBar::no_length().with_style(style)),
            lines,
            drawn: Instant::now(),
            picture: Picture {
                plan,
                color,
                epoch: 1,
                steps: 0,
                validating: false,
                images_per_s: 0.0,
                left: None,
                train: None,
                val: None,
                best: None,
                losses: Losses::default(),
            },
        }
    }

    pub(super) fn resume(&mut self, best: Option<(usize, f64)>) {
        self.picture.best = best;
    }

    pub(super) fn start_epoch(&mut self, epoch: usize, steps: usize) {
        (self.picture.epoch, self.picture.steps) = (epoch, steps);
        self.picture.validating = false;
        self.draw();
    }

    pub(super) fn step(&mut self, steps: usize, step: &Step, pace: &Pace) {
        let picture = &mut self.picture;
        picture.losses.add(step.loss);
        (picture.steps, picture.train) = (steps, Some(step.so_far));
        if self.drawn.elapsed() >= FRAME {
            (picture.images_per_s, picture.left) = (pace.images_per_s(), pace.left());
            self.draw();
        }
    }

    pub(super) fn start_validation(&mut self) {
        self.picture.validating = true;
        self.draw();
    }

    /// A line about the epoch stays above the others.
    pub(super) fn end_epoch(&mut self, train: Score, val: Score, is_best: bool, pace: &Pace) {
        let picture = &mut self.picture;
        (picture.train, picture.val) = (Some(train), Some(val));
        (picture.images_per_s, picture.left) = (pace.images_per_s(), pace.left());
        if is_best {
            picture.best = Some((picture.epoch, val.loss));
        }
        let line = format!(
            "epoch {}  train loss {:.5}  val {}{}",
            count(picture.epoch, picture.plan.epochs),
            train.loss,
            describe(val),
            if is_best { "  best" } else { "" }
        );
        // A terminal that was closed is no reason to fail.
        let _ = self.lines.println(fill(&line, self.width()));
        self.draw();
    }

    /// Takes the lines away.
    pub(super) fn finish(&self) {
        let _ = self.lines.clear();
        self.lines.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn draw(&mut self) {
        self.frame.set_message(self.picture.render(self.width()));
        // The frame has no position that moves, so nothing else draws it.
        self.frame.tick();
        self.drawn = Instant::now();
    }

    /// The columns that may be used: with room for the `^C` that a terminal puts where the cursor stands.
    fn width(&self) -> usize {
        usize::from(self.term.size().1).saturating_sub(3).max(1)
    }
}

impl Picture {
    fn render(&self, width: usize) -> String {
        let epochs = count(self.epoch, self.plan.epochs);
        let steps = count(self.steps, self.plan.steps_per_epoch);
        let digits = epochs.len().max(steps.len());
        let [epochs, steps] = [
            format!("epoch {epochs:>digits$}"),
            format!("step  {steps:>digits$}"),
        ];
        let left = match self.left {
            Some(left) => format!("{} left", in_words(left)),
            None => String::new(),
        };
        let rate = match (self.validating, self.images_per_s) {
            (true, _) => "validating".to_owned(),
            (false, 0.0) => String::new(),
            (false, rate) => format!("{rate:.0} images/s"),
        };
        let texts = left.len().max(rate.len());
        let done = self.steps as f64 / self.plan.steps_per_epoch.max(1) as f64;
        let all = ((self.epoch - 1) as f64 + done) / self.plan.epochs.max(1) as f64;
        let mut lines = vec![
            self.bar(&epochs, all, &format!("{left:>texts$}"), width),
            self.bar(&steps, done, &format!("{rate:>texts$}"), width),
        ];
        lines.push(match self.train {
            Some(train) => format!("train {}", describe(train)),
            None => String::new(),
        });
        let val = self.val.map(|val| format!("val   {}", describe(val)));
        let best = self
            .best
            .map(|(epoch, loss)| format!("best loss {loss:.5} in epoch {epoch}"));
        lines.push(match (val, best) {
            (Some(val), Some(best)) => format!("{val} · {best}"),
            // A resumed run knows the best before it has validated again.
            (val, best) => val.or(best).unwrap_or_default(),
        });
        let curve = sparkline(
            &self.losses.values,
            width.saturating_sub("curve ".len()),
            Scale::Logarithmic,
        );
        lines.push(format!("curve {curve}"));
        let lines: Vec<_> = lines.iter().map(|line| fill(line, width)).collect();
        lines.join("\n")
    }

    /// A bar between two texts; without the right one, or without the bar, where there is no room.
    fn bar(&self, left: &str, share: f64, right: &str, width: usize) -> String {
        let mut room = width.saturating_sub(left.len() + 1 + right.len() + 1);
        let mut right = format!(" {right}");
        if room < SHORTEST_BAR || right == " " {
            right.clear();
            room = width.saturating_sub(left.len() + 1);
        }
        if room < SHORTEST_BAR {
            return left.to_owned();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most the width of a terminal"
        )]
        #[expect(clippy::cast_sign_loss, reason = "a share is positive")]
        let filled = ((share * room as f64) as usize).min(room);
        let mut bar = "━".repeat(filled);
        if filled < room {
            bar.push('╸');
            bar.push_str(&"─".repeat(room - filled - 1));
        }
        if self.color {
            bar = format!("\x1b[36m{bar}\x1b[0m");
        }
        format!("{left} {bar}{right}")
    }
}

/// Cut or filled up to a width.
fn fill(line: &str, width: usize) -> String {
    let cut = truncate_str(line, width, "…");
    pad_str(&cut, width, Alignment::Left, None).into_owned()
}

/// The losses of the steps: all of them at first, then means of two, of four, and so on. Memory stays bounded.
#[derive(Debug, Default)]
struct Losses {
    values: Vec<f64>,
    /// How many steps a value stands for, as a power of two.
    doublings: u32,
    sum: f64,
    n: u32,
}

impl Losses {
    const MOST: usize = 1024;

    fn add(&mut self, loss: f64) {
        self.sum += loss;
        self.n += 1;
        if self.n < 1 << self.doublings {
            return;
        }
        self.values.push(self.sum / f64::from(self.n));
        (self.sum, self.n) = (0.0, 0);
        if self.values.len() == Self::MOST {
            let pairs = self.values.chunks_exact(2);
            self.values = pairs.map(|pair| f64::midpoint(pair[0], pair[1])).collect();
            self.doublings += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn picture() -> Picture {
        let score = |loss, accuracy| Score {
            loss,
            accuracy: Some(accuracy),
            psnr_db: None,
        };
        let mut losses = Losses::default();
        (0..90).for_each(|i| losses.add((-f64::from(i)).exp()));
        Picture {
            plan: Plan {
                epochs: 25,
                steps_per_epoch: 38,
                examples_per_epoch: 1200,
            },
            color: false,
            epoch: 3,
            steps: 19,
            validating: false,
            images_per_s: 8120.4,
            left: Some(Duration::from_secs(161)),
            train: Some(score(0.31007, 0.8732)),
            val: Some(score(0.3521, 0.8625)),
            best: Some((2, 0.34122)),
            losses,
        }
    }

    #[test]
    fn a_frame_has_its_five_lines() {
        expect![[r#"
            epoch  3/25 ━━━━━╸───────────────────────────────────────────────   2m 41s left
            step  19/38 ━━━━━━━━━━━━━━━━━━━━━━━━━━╸────────────────────────── 8120 images/s
            train loss 0.31007  accuracy 0.8732                                            
            val   loss 0.35210  accuracy 0.8625 · best loss 0.34122 in epoch 2             
            curve ██████████▇▇▇▇▇▇▇▇▇▆▆▆▆▆▆▆▆▆▅▅▅▅▅▅▅▅▅▄▄▄▄▄▄▄▄▄▃▃▃▃▃▃▃▃▃▂▂▂▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁"#]]
        .assert_eq(&picture().render(79));
    }

    #[test]
    fn a_narrow_frame_keeps_what_matters() {
        expect![[r#"
            epoch  3/25 ━╸──────────────
            step  19/38 ━━━━━━━━╸───────
            train loss 0.31007  accurac…
            val   loss 0.35210  accurac…
            curve ███▇▇▇▆▆▅▅▅▄▄▄▃▃▂▂▂▁▁▁"#]]
        .assert_eq(&picture().render(28));
    }

    #[test]
    fn every_line_has_the_width_it_is_given() {
        for color in [false, true] {
            let picture = Picture { color, ..picture() };
            for width in 1..200 {
                let frame = picture.render(width);
                assert_eq!(frame.lines().count(), 5);
                for line in frame.lines() {
                    assert_eq!(console::measure_text_width(line), width, "{line:?}");
                }
            }
        }
    }

    #[test]
    fn many_losses_take_no_more_room_and_keep_their_course() {
        let mut losses = Losses::default();
        (0..100_000).for_each(|i| losses.add(f64::from(i)));
        assert!(losses.values.len() < Losses::MOST);
        assert!(losses.values.is_sorted());
        // The mean of the first 128 steps.
        assert_eq!((losses.doublings, losses.values[0]), (7, 63.5));
    }
}
