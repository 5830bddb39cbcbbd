//! Decoding many files of one size, in parallel, into contiguous memory.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::folder::ReadOptions;
use crate::png::{ColorMode, Header, ImageShape, decode_into, probe};

/// Decodes lists of files into one vector of pixels (N × CHW) each, all of one shape.
///
/// All headers are read first, so that mixed sizes, unreadable files and memory are reported before
/// anything is decoded. The error reported is the first in file order, whatever the number of threads.
pub(crate) fn load(
    dir: &Path,
    lists: &[Vec<PathBuf>],
    options: &ReadOptions,
) -> Result<(ImageShape, Vec<Vec<u8>>)> {
    let files: Vec<&PathBuf> = lists.iter().flatten().collect();
    let headers = files
        .par_iter()
        .map(|file| probe(file, &options.limits))
        .collect::<Vec<Result<Header>>>();
    let headers = headers.into_iter().collect::<Result<Vec<Header>>>()?;
    check_sizes(&files, &headers, options.expected_size)?;

    let color = options.color.unwrap_or_else(|| {
        let all_gray = headers
            .iter()
            .all(|header| header.native == ColorMode::Gray);
        if all_gray {
            ColorMode::Gray
        } else {
            ColorMode::Rgb
        }
    });
    let shape = headers[0].shape(color);
    let needed = u64::try_from(files.len().saturating_mul(shape.len())).unwrap_or(u64::MAX);
    if needed > options.limits.max_folder_bytes {
        return Err(Error::FolderTooLarge {
            path: dir.to_path_buf(),
            needed,
            limit: options.limits.max_folder_bytes,
        });
    }

    let pixels = lists
        .iter()
        .map(|list| {
            let mut pixels = vec![0; list.len() * shape.len()];
            let outcomes: Vec<Result<()>> = pixels
                .par_chunks_mut(shape.len())
                .zip(list)
                .map(|(out, file)| decode_into(file, color, &options.limits, out))
                .collect();
            outcomes.into_iter().collect::<Result<()>>()?;
            Ok(pixels)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((shape, pixels))
}

fn check_sizes(
    files: &[&PathBuf],
    headers: &[Header],
    expected: Option<(usize, usize)>,
) -> Result<()> {
    let size = |header: &Header| (header.height, header.width);
    let first = size(&headers[0]);
    for (file, header) in files.iter().zip(headers) {
        let found = size(header);
        if let Some(expected) = expected
            && found != expected
        {
            return Err(Error::WrongSize {
                path: file.to_path_buf(),
                found,
                expected,
            });
        }
        if found != first {
            return Err(Error::MixedSizes {
                first: files[0].clone(),
                first_size: first,
                other: file.to_path_buf(),
                other_size: found,
            });
        }
    }
    Ok(())
}
