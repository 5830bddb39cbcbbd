//! What a record says: scalars, pictures, histograms, texts and hyper-parameters, each under its tag.

use std::time::SystemTime;

use super::histogram::Histogram;
use super::hparams::{Experiment, HParam, Outcome, SESSION_END};
use super::proto::{
    DATA_CLASS_TENSOR, DT_STRING, Datum, Image, PluginData, Summary as SummaryProto,
    SummaryMetadata, TensorProto, TensorShapeProto, Value,
};
use super::{hparams, unix_seconds};
use crate::{Error, Result};

/// The values of one step, written as one record: a reader sees all of them or none.
///
/// Tags are paths: TensorBoard groups the charts by what stands before the first `/`.
///
/// ```
/// use juggle_tracking::tensorboard::{Histogram, Summary};
///
/// let weights = [0.1, -0.2, 0.3];
/// let summary = Summary::new()
///     .scalar("loss/val", 0.25)
///     .histogram("weights/0.weight", &Histogram::of(&weights, 64))
///     .text("config", "```toml\nseed = 0\n```");
/// assert!(!summary.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    values: Vec<Value>,
}

impl Summary {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a point of a curve. TensorBoard's points are `f32`: the nearest one is written.
    #[must_use]
    pub fn scalar(self, tag: &str, value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the format has f32 only")]
        let nearest = value as f32;
        self.with(tag, None, Datum::SimpleValue(nearest))
    }

    /// Adds a picture, given as the bytes of a PNG file. Its size and colours are read from them.
    ///
    /// # Errors
    ///
    /// [`Error::NotPng`] when the bytes do not begin as a PNG file does.
    pub fn image(self, tag: &str, png: &[u8]) -> Result<Self> {
        let image = png_image(png).ok_or_else(|| Error::NotPng {
            tag: tag.to_owned(),
            n_bytes: png.len(),
        })?;
        Ok(self.with(tag, None, Datum::Image(image)))
    }

    /// Adds a histogram.
    #[must_use]
    pub fn histogram(self, tag: &str, histogram: &Histogram) -> Self {
        self.with(tag, None, Datum::Histo(histogram.to_proto()))
    }

    /// Adds a text, which TensorBoard shows as Markdown.
    #[must_use]
    pub fn text(self, tag: &str, markdown: &str) -> Self {
        let metadata = SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: "text".to_owned(),
                content: vec![],
            }),
            data_class: DATA_CLASS_TENSOR,
        };
        let tensor = TensorProto {
            dtype: DT_STRING,
            // No dimensions: one string.
            tensor_shape: Some(TensorShapeProto::default()),
            string_val: vec![markdown.as_bytes().to_vec()],
        };
        self.with(tag, Some(metadata), Datum::Tensor(tensor))
    }

    /// Adds the columns of the HParams page. TensorBoard takes those of one run for all the runs it shows, so runs that are to be
    /// shown together say the same.
    #[must_use]
    pub fn experiment(mut self, experiment: &Experiment) -> Self {
        self.values.push(hparams::experiment(experiment));
        self
    }

    /// Adds the hyper-parameters of this run, its row of the HParams page.
    #[must_use]
    pub fn session_start<'a>(
        mut self,
        hparams: impl IntoIterator<Item = (&'a str, HParam)>,
        started: SystemTime,
    ) -> Self {
        let seconds = unix_seconds(started);
        self.values.push(hparams::session_start(hparams, seconds));
        self
    }

    /// Adds how the run ended. [`Writer::resume`](super::Writer::resume) takes it away again, for the run goes on.
    #[must_use]
    pub fn session_end(mut self, outcome: Outcome, ended: SystemTime) -> Self {
        let seconds = unix_seconds(ended);
        self.values.push(hparams::session_end(outcome, seconds));
        self
    }

    pub(super) fn into_proto(self) -> SummaryProto {
        SummaryProto { value: self.values }
    }

    fn with(mut self, tag: &str, metadata: Option<SummaryMetadata>, value: Datum) -> Self {
        self.values.push(Value {
            tag: tag.to_owned(),
            metadata,
            value: Some(value),
        });
        self
    }
}

/// Whether a record says that the run ended.
pub(super) fn ends_the_session(summary: &SummaryProto) -> bool {
    summary.value.iter().any(|value| value.tag == SESSION_END)
}

/// The picture with what the header of the PNG file says, which is its first chunk.
fn png_image(png: &[u8]) -> Option<Image> {
    const BEGINNING: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    let header = png.strip_prefix(BEGINNING)?;
    let (width, header) = header.split_first_chunk()?;
    let (height, header) = header.split_first_chunk()?;
    let &[_bit_depth, color_type] = header.first_chunk()?;
    let colorspace = match color_type {
        0 => 1,
        4 => 2,
        // Palettes hold RGB.
        2 | 3 => 3,
        6 => 4,
        _ => return None,
    };
    Some(Image {
        height: i32::from_be_bytes(*height),
        width: i32::from_be_bytes(*width),
        colorspace,
        encoded_image_string: png.to_vec(),
    })
}
