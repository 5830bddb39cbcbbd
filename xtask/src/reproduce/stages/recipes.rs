//! The recipes of the coursework, and those of our own, as data.

use super::AUTOENCODER_EPOCHS;

/// A way to train the classifier, as the coursework names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassifierRecipe {
    pub(crate) name: &'static str,
    pub(crate) shows: &'static str,
    /// Flags of `juggle train`, separated by spaces.
    pub(super) flags: &'static str,
}

pub(crate) const CLASSIFIER_RECIPES: [ClassifierRecipe; 6] = [
    ClassifierRecipe {
        name: "original",
        shows: "tasks 2 and 3: the plain network, overfitted",
        flags: "--optimizer adam --schedule constant --lr 0.001 --weight-decay 0",
    },
    ClassifierRecipe {
        name: "tuned",
        shows: "task 4: batch normalisation and L2 0.001",
        flags: "--optimizer adam --schedule constant --lr 0.001 --weight-decay 0.001 --batch-norm",
    },
    ClassifierRecipe {
        name: "searched",
        shows: "task 4: the weight decay found by a search on the test set",
        flags: "--optimizer adam --schedule constant --lr 0.001 --weight-decay 0.000167 --batch-norm",
    },
    ClassifierRecipe {
        name: "batch-norm",
        shows: "the ablation of task 4: batch normalisation without L2",
        flags: "--optimizer adam --schedule constant --lr 0.001 --weight-decay 0 --batch-norm",
    },
    ClassifierRecipe {
        name: "l2",
        shows: "the ablation of task 4: L2 0.001 without batch normalisation",
        flags: "--optimizer adam --schedule constant --lr 0.001 --weight-decay 0.001",
    },
    ClassifierRecipe {
        name: "robust",
        shows: "our own recipe, chosen on held-out clips of the training images",
        flags: ROBUST,
    },
];

/// `docs/robust-recipe.md` says how it was chosen.
const ROBUST: &str = "--optimizer adamw --schedule cosine --lr 0.001 --weight-decay 0.01 --batch-norm \
                      --label-smoothing 0.05 --ema 0.98 \
                      --augment hflip,vflip,transpose,shift=2,gain=0.2,zoom=0.1";

impl ClassifierRecipe {
    pub(crate) fn has_batch_norm(&self) -> bool {
        self.flags.contains("--batch-norm")
    }
}

/// A way to train the autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AutoencoderRecipe {
    pub(crate) name: &'static str,
    pub(crate) shows: &'static str,
    /// Epochs of a full run. A plan with fewer than the published ones gives every recipe fewer in proportion.
    pub(super) epochs: u64,
    pub(super) settings: Settings,
}

/// Where the settings of an autoencoder come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settings {
    /// Flags of `juggle train`, separated by spaces.
    Flags(&'static str),
    /// The best trial of [`FRAMES_SEARCH`](super::FRAMES_SEARCH).
    Searched,
}

pub(crate) const AUTOENCODER_RECIPES: [AutoencoderRecipe; 4] = [
    AutoencoderRecipe {
        name: "original",
        shows: "task 6: the next frame, with skip connections",
        epochs: AUTOENCODER_EPOCHS,
        settings: Settings::Flags(
            "--batch-size 16 --optimizer adam --schedule constant --lr 0.001 --weight-decay 0.00005",
        ),
    },
    AutoencoderRecipe {
        name: "tuned",
        shows: "task 6: half the learning rate, no decay, batch normalisation",
        epochs: AUTOENCODER_EPOCHS,
        settings: Settings::Flags(
            "--batch-size 16 --optimizer adam --schedule constant --lr 0.0005 --weight-decay 0 --batch-norm",
        ),
    },
    AutoencoderRecipe {
        name: "no-skip",
        shows: "task 5: the original without its skip connections",
        epochs: AUTOENCODER_EPOCHS,
        settings: Settings::Flags(
            "--batch-size 16 --optimizer adam --schedule constant --lr 0.001 --weight-decay 0.00005 --no-skip",
        ),
    },
    AutoencoderRecipe {
        name: "searched",
        shows: "task 6: the settings that a search judged by held-out clips found, for more epochs",
        epochs: SEARCHED_EPOCHS,
        settings: Settings::Searched,
    },
];

/// As many as the time of a full reproduction allows.
pub(super) const SEARCHED_EPOCHS: u64 = 50;

/// The networks whose layers are printed: file name, and arguments of `juggle summary`.
pub(crate) const SUMMARIES: [(&str, &[&str]); 3] = [
    ("classifier", &["classifier"]),
    ("classifier-batch-norm", &["classifier", "--batch-norm"]),
    ("autoencoder", &["autoencoder"]),
];
