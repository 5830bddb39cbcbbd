//! Random numbers, the start of a clip, and one frame of motion.

/// Side of the square world and of its images, pixels.
pub const SIDE: usize = 32;

/// [`SIDE`] as a length.
const W: f64 = 32.0;

/// Sub-steps a frame.
const SUB_STEPS: usize = 8;

/// Placements of one ball that may fail before the clip starts over.
const MAX_PLACEMENTS: usize = 1000;

/// The SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014), in wrapping 64-bit arithmetic:
///
/// ```text
/// state += 0x9E3779B97F4A7C15;  z = state
/// z = (z ^ (z >> 30)) · 0xBF58476D1CE4E5B9
/// z = (z ^ (z >> 27)) · 0x94D049BB133111EB
/// return z ^ (z >> 31)
/// ```
///
/// ```
/// let mut rng = juggle_dataset::synth::SplitMix64::new(0);
/// assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
/// ```
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator with the given state.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1): the upper 53 bits times 2⁻⁵³.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits fit an f64 exactly, and 2^53 is a power of two"
    )]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in [lo, hi): `lo + (hi − lo) · unit`. One draw is used even when `lo = hi`.
    pub fn uniform(&mut self, (lo, hi): (f64, f64)) -> f64 {
        lo + (hi - lo) * self.unit()
    }

    /// `next mod n`, in 0..n; its bias is below n / 2⁶⁴.
    ///
    /// # Panics
    ///
    /// When `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next_u64() % n as u64).expect("a remainder is below n")
    }
}

/// What a stream is for; part of its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Clips whose frames become training and validation images.
    Pool = 1,
    /// Clips that give one test image each.
    Test = 2,
    /// Training sequences.
    SequenceTrain = 3,
    /// Validation sequences.
    SequenceVal = 4,
    /// The division of the pool into training and validation.
    Shuffle = 5,
    /// Images that are no part of the data set; see [`super::Fresh`].
    Fresh = 6,
}

/// The random stream of one clip: a [`SplitMix64`] whose seed is the first output of another one, seeded
/// with `seed + kind · 1,000,000 + class · 10,000 + clip`. The class is the number of balls.
pub fn stream(seed: u64, kind: StreamKind, class: usize, clip: usize) -> SplitMix64 {
    let tag = kind as u64 * 1_000_000 + class as u64 * 10_000 + clip as u64;
    SplitMix64::new(SplitMix64::new(seed.wrapping_add(tag)).next_u64())
}

/// A ball; lengths in pixels, velocities in pixels a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    /// Centre, from the left edge.
    pub x: f64,
    /// Centre, from the top edge.
    pub y: f64,
    /// Velocity to the right.
    pub vx: f64,
    /// Velocity downwards.
    pub vy: f64,
    /// Radius.
    pub radius: f64,
    /// Brightness, 0 to 1.
    pub brightness: f64,
}

/// Whether balls bounce off each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collisions {
    /// Elastic collisions of equal masses.
    Bounce,
    /// Balls pass through each other.
    PassThrough,
}

/// How the clips of one part of the data are drawn: uniform ranges and rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Range of the radius of each ball.
    pub radius: (f64, f64),
    /// Range of the brightness of each ball.
    pub brightness: (f64, f64),
    /// Least distance of two centres at the start, in sums of their radii.
    pub gap: f64,
    /// Range of the speed of each ball, pixels a frame.
    pub speed: (f64, f64),
    /// What happens when balls meet.
    pub collisions: Collisions,
}

/// Training and validation images.
pub const POOL: Recipe = Recipe {
    radius: (2.6, 3.4),
    brightness: (0.75, 1.00),
    gap: 1.0,
    speed: (0.8, 1.6),
    collisions: Collisions::Bounce,
};

/// Test images: smaller balls, which may overlap a little.
pub const TEST: Recipe = Recipe {
    radius: (2.35, 3.2),
    brightness: (0.75, 1.00),
    gap: 0.8,
    speed: (0.8, 1.6),
    collisions: Collisions::Bounce,
};

/// Sequences for predicting the next frame.
pub const SEQUENCES: Recipe = Recipe {
    radius: (3.2, 3.2),
    brightness: (0.87, 1.0),
    gap: 1.0,
    speed: (1.5, 2.4),
    collisions: Collisions::PassThrough,
};

/// The balls of a clip at its first frame.
///
/// For one ball after another, in this order of draws: radius `r`; brightness; pairs `x, y` in
/// `[r, 32 − r)` until `(x − xⱼ)² + (y − yⱼ)² ≥ (gap · (r + rⱼ))²` for every earlier ball `j` (after
/// 1000 failures the clip starts over on the same stream); pairs `u, v` in `[−1, 1)` until
/// `0.01 < s = u² + v² < 1`; a speed. The velocity is `(u · k, v · k)` with `k = speed / √s`.
pub fn start(rng: &mut SplitMix64, n_balls: usize, recipe: &Recipe) -> Vec<Ball> {
    loop {
        let mut balls = Vec::with_capacity(n_balls);
        while balls.len() < n_balls {
            match place(rng, &balls, recipe) {
                Some(ball) => balls.push(ball),
                None => break,
            }
        }
        if balls.len() == n_balls {
            return balls;
        }
    }
}

fn place(rng: &mut SplitMix64, earlier: &[Ball], recipe: &Recipe) -> Option<Ball> {
    let radius = rng.uniform(recipe.radius);
    let brightness = rng.uniform(recipe.brightness);
    let (x, y) = (0..MAX_PLACEMENTS).find_map(|_| {
        let x = rng.uniform((radius, W - radius));
        let y = rng.uniform((radius, W - radius));
        let free = |other: &Ball| {
            let reach = recipe.gap * (radius + other.radius);
            square(x - other.x) + square(y - other.y) >= square(reach)
        };
        earlier.iter().all(free).then_some((x, y))
    })?;
    let (u, v, s) = loop {
        let u = rng.uniform((-1.0, 1.0));
        let v = rng.uniform((-1.0, 1.0));
        let s = u * u + v * v;
        if 0.01 < s && s < 1.0 {
            break (u, v, s);
        }
    };
    let k = rng.uniform(recipe.speed) / s.sqrt();
    Some(Ball {
        x,
        y,
        vx: u * k,
        vy: v * k,
        radius,
        brightness,
    })
}

/// Moves the balls by one frame: 8 sub-steps of `dt = 1/8`.
///
/// In each, every ball moves along x, then y: `p = pos + vel · dt`; beyond the near wall (`p < r`) it is
/// mirrored to `2r − p` with velocity `|vel|`, beyond the far one (`p > 32 − r`) to `2(32 − r) − p` with
/// velocity `−|vel|`. Then, where balls bounce, for each pair `i < j` in order, with `d = pⱼ − pᵢ` and
/// `0 < d² < (rᵢ + rⱼ)²`: `c = ((vⱼ − vᵢ) · d) / d²`; if `c < 0`, `vᵢ += c·d` and `vⱼ −= c·d`. Later
/// pairs see the new velocities.
pub fn step(balls: &mut [Ball], collisions: Collisions) {
    for _ in 0..SUB_STEPS {
        for ball in balls.iter_mut() {
            (ball.x, ball.vx) = advance(ball.x, ball.vx, ball.radius);
            (ball.y, ball.vy) = advance(ball.y, ball.vy, ball.radius);
        }
        if collisions == Collisions::Bounce {
            for i in 0..balls.len() {
                let (first, rest) = balls[i..].split_at_mut(1);
                for other in rest {
                    collide(&mut first[0], other);
                }
            }
        }
    }
}

/// One coordinate over one sub-step: the new position and velocity.
fn advance(position: f64, velocity: f64, radius: f64) -> (f64, f64) {
    let dt = 1.0 / 8.0;
    let p = position + velocity * dt;
    if p < radius {
        (2.0 * radius - p, velocity.abs())
    } else if p > W - radius {
        (2.0 * (W - radius) - p, -velocity.abs())
    } else {
        (p, velocity)
    }
}

fn collide(a: &mut Ball, b: &mut Ball) {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let d2 = dx * dx + dy * dy;
    let reach = a.radius + b.radius;
    if d2 > 0.0 && d2 < reach * reach {
        let c = ((b.vx - a.vx) * dx + (b.vy - a.vy) * dy) / d2;
        if c < 0.0 {
            a.vx += c * dx;
            a.vy += c * dy;
            b.vx -= c * dx;
            b.vy -= c * dy;
        }
    }
}

fn square(x: f64) -> f64 {
    x * x
}
