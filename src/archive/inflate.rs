//! One step of inflating raw deflate data, for gzip and zip alike.

use flate2::{Decompress, FlushDecompress, Status};

/// What one step did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// How many packed bytes were used.
    pub(super) taken: usize,
    /// How many bytes came out.
    pub(super) given: usize,
    /// Whether the data is over.
    pub(super) ended: bool,
}

/// The data makes no sense, or nothing moves although there is room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

/// Inflates from `packed` into `room`, as far as either lasts.
pub(super) fn step(
    inflate: &mut Decompress,
    packed: &[u8],
    room: &mut [u8],
) -> Result<Step, Broken> {
    let (inward, outward) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(packed, room, FlushDecompress::None).map_err(|_| Broken)?;
    let moved = |after: u64, before: u64| usize::try_from(after - before).map_err(|_| Broken);
    let taken = moved(inflate.total_in(), inward)?;
    let given = moved(inflate.total_out(), outward)?;
    let ended = status == Status::StreamEnd;
    if taken == 0 && given == 0 && !ended { Err(Broken) } else { Ok(Step { taken, given, ended }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_step_moves_on_ends_or_fails() {
        let level = flate2::Compression::default();
        let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
        deflate.write_all(&[5; 1000]).unwrap();
        let packed = deflate.finish().unwrap();
        let (mut inflate, mut rest, mut room, mut out) =
            (Decompress::new(false), &packed[..], [0; 64], Vec::new());
        loop {
            let step = step(&mut inflate, rest, &mut room).unwrap();
            rest = &rest[step.taken..];
            out.extend_from_slice(&room[..step.given]);
            if step.ended {
                break;
            }
        }
        assert_eq!(out, [5; 1000]);
        assert!(rest.is_empty());
        let mut cut = Decompress::new(false);
        assert!(step(&mut cut, &packed[..2], &mut room).is_ok_and(|step| !step.ended));
        assert!(step(&mut cut, &[], &mut room).is_err() || step(&mut cut, &[], &mut room).is_err());
        assert!(step(&mut Decompress::new(false), &[0xff; 9], &mut room).is_err());
    }
}
