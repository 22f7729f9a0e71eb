//! Who is told how far long work has come. The lower layers know this trait alone; the bars and
//! lines are the business of `ui::progress`.

/// Somebody who watches one piece of long work: a download, an unpacking.
pub trait Watch: Send + Sync {
    /// A new phase begins, with the number of bytes to come where it is known.
    fn phase(&self, name: &str, total: Option<u64>);
    /// So many more bytes are done.
    fn advance(&self, bytes: u64);
    /// Something that the user may want to know now, such as a retry.
    fn note(&self, text: &str);
    /// The work is over, well or not.
    fn finish(&self);
}

/// Somebody who hears what scripts print, while they run.
pub trait Listen: std::fmt::Debug {
    /// A script has printed this line.
    fn hear(&self, line: &str);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Watch for Nobody {
    fn phase(&self, _name: &str, _total: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn note(&self, _text: &str) {}
    fn finish(&self) {}
}
