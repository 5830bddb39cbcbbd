//! Balls to pixels.

use super::simulator::{Ball, SIDE};

/// Draws the balls as a 32×32 gray image, row by row.
///
/// The pixel in column `i` of row `j` has its centre at `(i + ½, j + ½)`. A ball of radius `r` and
/// brightness `b` at distance `d` covers it by `clamp(r + ½ − d, 0, 1)`. The value is the largest
/// `b · coverage` over the balls, at least the background's 0; the byte is `⌊255 · value + ½⌋`.
pub fn render(balls: &[Ball]) -> Vec<u8> {
    let mut values = vec![0.0_f64; SIDE * SIDE];
    for ball in balls {
        let mut cy = 0.5;
        for row in values.chunks_exact_mut(SIDE) {
            let mut cx = 0.5;
            for value in row {
                let (dx, dy) = (cx - ball.x, cy - ball.y);
                let distance = (dx * dx + dy * dy).sqrt();
                let coverage = (ball.radius + 0.5 - distance).clamp(0.0, 1.0);
                *value = value.max(ball.brightness * coverage);
                cx += 1.0;
            }
            cy += 1.0;
        }
    }
    values.into_iter().map(byte).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a value in [0, 1] gives 0.5 to 255.5, whose floor is a byte"
)]
fn byte(value: f64) -> u8 {
    (255.0 * value + 0.5).floor() as u8
}
