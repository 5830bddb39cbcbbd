//! The two distributions that intervals and tests are made of, in full double precision.

pub(crate) mod beta;
pub(crate) mod normal;
