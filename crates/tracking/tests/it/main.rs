//! The behaviour of `juggle-tracking`, seen from outside.

mod events; // the log: kinds, torn lines, logs of before
