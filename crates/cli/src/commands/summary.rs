//! `juggle summary`: the table of layers.

use anyhow::Result;
use juggle_models::{AutoencoderConfig, CnnConfig};

use crate::args::summary::SummaryCommand;
use crate::output;

pub(crate) fn run(command: &SummaryCommand) -> Result<()> {
    let (network, json) = match command {
        SummaryCommand::Classifier(args) => {
            let config = CnnConfig {
                n_classes: args.classes,
                in_channels: args.shape.channels.channels(),
                height: args.shape.size.height,
                width: args.shape.size.width,
                batch_norm: args.batch_norm,
            };
            (juggle_models::cnn(&config)?, args.json.json)
        }
        SummaryCommand::Autoencoder(args) => {
            let config = AutoencoderConfig {
                input_frames: args.input_frames,
                channels: args.shape.channels.channels(),
                height: args.shape.size.height,
                width: args.shape.size.width,
                widths: args.widths.0.clone(),
                skip: !args.no_skip,
                batch_norm: args.batch_norm,
            };
            (juggle_models::autoencoder(&config)?, args.json.json)
        }
    };
    if json {
        output::print_json(&network.summary())
    } else {
        output::print(network.summary())
    }
}
