//! Finding the boundary in bytes that arrive in pieces.

/// A line feed and the boundary line's beginning, with a table to search for it quickly even in
/// an unoptimised build (Horspool's method).
#[derive(Debug)]
pub(super) struct Boundary {
    needle: Vec<u8>,
    skip: [usize; 256],
}

impl Boundary {
    pub(super) fn new(boundary: &str) -> Self {
        let needle = format!("\n--{boundary}").into_bytes();
        let mut skip = [needle.len(); 256];
        for (at, byte) in needle[..needle.len() - 1].iter().enumerate() {
            skip[usize::from(*byte)] = needle.len() - 1 - at;
        }
        Self { needle, skip }
    }

    /// Where the line feed before the boundary is.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(window) = bytes.get(at..at + self.needle.len()) {
            if window == self.needle {
                return Some(at);
            }
            at += self.skip[usize::from(window[window.len() - 1])];
        }
        None
    }

    /// The boundary line's beginning, without the line feed before it.
    pub(super) fn line(&self) -> &[u8] {
        &self.needle[1..]
    }

    /// Length of what is searched for.
    pub(super) fn len(&self) -> usize {
        self.needle.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_boundary_is_found_wherever_it_stands() {
        let boundary = Boundary::new("abab");
        assert_eq!(boundary.find(b"\n--abab"), Some(0));
        assert_eq!(boundary.find(b"x\r\n--aba\n--ababab"), Some(8));
        assert_eq!(boundary.find(b"--abab"), None);
        assert_eq!(boundary.find(b"\n--aba"), None);
        assert_eq!(boundary.find(b""), None);
        for before in 0..40 {
            let text = format!("{}\n--abab--", "\n-a".repeat(before));
            assert_eq!(boundary.find(text.as_bytes()), Some(before * 3));
        }
    }
}
