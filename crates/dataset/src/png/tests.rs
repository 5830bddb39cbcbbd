//! The conversions, value by value.

use super::decode::{describe, luma, u8_from_u16};

#[test]
fn sixteen_bits_round_to_the_nearest_eighth() {
    for v in 0..=u16::MAX {
        let exact = f64::from(v) / 257.0;
        assert_eq!(f64::from(u8_from_u16(v)), exact.round(), "{v}");
    }
}

#[test]
fn luma_keeps_grays_and_weighs_colours_as_pillow_does() {
    for v in 0..=u8::MAX {
        assert_eq!(luma(&[v, v, v]), v);
    }
    assert_eq!(luma(&[255, 0, 0]), 76);
    assert_eq!(luma(&[0, 255, 0]), 150);
    assert_eq!(luma(&[0, 0, 255]), 29);
}

#[test]
fn the_start_of_a_file_is_described_as_text_or_in_hexadecimal() {
    assert_eq!(describe(b"GIF89a\x01\x00"), "\"GIF89a\"");
    assert_eq!(describe(b"\xff\xd8\xff\xe0"), "bytes ff d8 ff e0");
    assert_eq!(describe(b"ab"), "\"ab\"");
}
