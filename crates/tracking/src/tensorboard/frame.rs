//! `TFRecord`, the frames around the records of a file: the length, a checksum of the length, the bytes, a checksum of the bytes.
//!
//! Lengths and checksums are little-endian. A checksum is a CRC32C, "masked" since a file may itself be a record of a file:
//! `tensorflow/core/lib/io/record_writer.cc` and `core/lib/hash/crc32c.h`.

use std::fs::File;
use std::io::{self, BufReader, Read as _};

/// The length and its checksum.
const HEADER: usize = 12;
/// The checksum of the bytes.
const FOOTER: usize = 4;

/// The record in its frame, to be appended in one write.
pub(super) fn frame(record: &[u8]) -> Vec<u8> {
    let length = (record.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(HEADER + record.len() + FOOTER);
    bytes.extend(length);
    bytes.extend(masked_crc(&length).to_le_bytes());
    bytes.extend(record);
    bytes.extend(masked_crc(record).to_le_bytes());
    bytes
}

/// The records of a file, from its beginning to its end or the first frame that is not whole.
#[derive(Debug)]
pub(super) struct Records {
    file: BufReader<File>,
    file_length: u64,
    /// Where the next frame begins.
    position: u64,
    is_damaged: bool,
}

impl Records {
    /// `file` stands at its beginning.
    pub(super) fn new(file: File) -> io::Result<Self> {
        Ok(Self {
            file_length: file.metadata()?.len(),
            file: BufReader::new(file),
            position: 0,
            is_damaged: false,
        })
    }

    /// The length of the file when it was opened.
    pub(super) fn file_length(&self) -> u64 {
        self.file_length
    }

    /// Where the frame after the last one that was given begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether the records ended at a checksum that is not its bytes', and not at the end of the file or at a frame that it cuts.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The next record; none at the end of the file and at a frame that is torn or does not have its checksums.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let left = self.file_length - self.position;
        if left < (HEADER + FOOTER) as u64 {
            return Ok(None);
        }
        let (mut length, mut crc) = ([0; 8], [0; 4]);
        self.file.read_exact(&mut length)?;
        self.file.read_exact(&mut crc)?;
        let n = u64::from_le_bytes(length);
        // A length that its checksum vouches for and the file has room for: nothing else is worth memory.
        self.is_damaged = u32::from_le_bytes(crc) != masked_crc(&length);
        if self.is_damaged || n > left - (HEADER + FOOTER) as u64 {
            return Ok(None);
        }
        let Ok(n_bytes) = usize::try_from(n) else {
            return Ok(None);
        };
        let mut record = vec![0; n_bytes];
        self.file.read_exact(&mut record)?;
        self.file.read_exact(&mut crc)?;
        self.is_damaged = u32::from_le_bytes(crc) != masked_crc(&record);
        if self.is_damaged {
            return Ok(None);
        }
        self.position += n + (HEADER + FOOTER) as u64;
        Ok(Some(record))
    }
}

fn masked_crc(bytes: &[u8]) -> u32 {
    const MASK_DELTA: u32 = 0xa282_ead8;
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(MASK_DELTA)
}
