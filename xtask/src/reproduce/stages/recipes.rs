//! The recipes of the coursework, as data.

/// A way to train the classifier, as the coursework names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClassifierRecipe {
    pub(crate) name: &'static str,
    pub(super) shows: &'static str,
    pub(super) batch_norm: bool,
    pub(super) weight_decay: &'static str,
}

pub(crate) const CLASSIFIER_RECIPES: [ClassifierRecipe; 3] = [
    ClassifierRecipe {
        name: "original",
        shows: "tasks 2 and 3: the plain network, overfitted",
        batch_norm: false,
        weight_decay: "0",
    },
    ClassifierRecipe {
        name: "tuned",
        shows: "task 4: batch normalisation and L2 0.001",
        batch_norm: true,
        weight_decay: "0.001",
    },
    ClassifierRecipe {
        name: "searched",
        shows: "task 4: the weight decay found by a search on the test set",
        batch_norm: true,
        weight_decay: "0.000167",
    },
];

/// A way to train the autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AutoencoderRecipe {
    pub(crate) name: &'static str,
    pub(super) shows: &'static str,
    pub(super) learning_rate: &'static str,
    pub(super) weight_decay: &'static str,
    pub(super) flags: &'static [&'static str],
}

pub(crate) const AUTOENCODER_RECIPES: [AutoencoderRecipe; 3] = [
    AutoencoderRecipe {
        name: "original",
        shows: "task 6: the next frame, with skip connections",
        learning_rate: "0.001",
        weight_decay: "0.00005",
        flags: &[],
    },
    AutoencoderRecipe {
        name: "tuned",
        shows: "task 6: half the learning rate, no decay, batch normalisation",
        learning_rate: "0.0005",
        weight_decay: "0",
        flags: &["--batch-norm"],
    },
    AutoencoderRecipe {
        name: "no-skip",
        shows: "task 5: the original without its skip connections",
        learning_rate: "0.001",
        weight_decay: "0.00005",
        flags: &["--no-skip"],
    },
];

/// The networks whose layers are printed: file name, and arguments of `juggle summary`.
pub(crate) const SUMMARIES: [(&str, &[&str]); 3] = [
    ("classifier", &["classifier"]),
    ("classifier-batch-norm", &["classifier", "--batch-norm"]),
    ("autoencoder", &["autoencoder"]),
];
