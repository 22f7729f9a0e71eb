//! The list of public cartridges: a line for each, read strictly.

use crate::public::Public;

/// How far a cartridge comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The step that fails, as words with dashes: `gear-start`; in the list also several, parted
    /// by `|`, where it depends on how fast the host is.
    Fails(String),
    /// Every step; nobody listens, or nothing is to be listened to.
    Completes,
    /// Every step, and an endpoint answers after each start.
    Answers,
}

impl Reach {
    /// Whether a cartridge that came so far came as far as this, which was listed.
    pub(crate) fn allows(&self, came: &Self) -> bool {
        match (self, came) {
            (Self::Fails(steps), Self::Fails(step)) => steps.split('|').any(|one| one == step),
            _ => self == came,
        }
    }
}

/// A line of the list.
pub(crate) struct Listed {
    pub(crate) public: Public,
    pub(crate) reach: Reach,
    /// A gear is made of these official cartridges first, and this one is added to it.
    pub(crate) onto: Vec<&'static str>,
    /// Programs, and files by their paths, without which this is not tried.
    pub(crate) needs: Vec<&'static str>,
    /// One of the eight that also have to live for an ordinary user.
    pub(crate) both: bool,
}

/// The lines that `CART_REAL_ONLY` asks for: those with one of its texts, parted by commas.
pub(crate) fn listed() -> Vec<Listed> {
    let lines = include_str!("cartridges.txt").lines();
    let only = std::env::var("CART_REAL_ONLY").unwrap_or_default();
    let is_asked_for = |line: &&str| only.split(',').any(|text| line.contains(text));
    let wanted = lines.filter(|line| !line.starts_with('#')).filter(is_asked_for);
    wanted.filter(|line| !line.trim().is_empty()).map(read).collect()
}

fn read(line: &'static str) -> Listed {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("too short: {line}"));
    let (repository, commit, folder) = (word(), word(), word());
    let folder = if folder == "." { "" } else { folder };
    let reach = match word() {
        "answers" => Reach::Answers,
        "completes" => Reach::Completes,
        "fails" => Reach::Fails(word().to_owned()),
        other => panic!("no such reach: {other}"),
    };
    let public = Public { repository, commit, folder };
    let (onto, needs) = (Vec::new(), Vec::new());
    let mut listed = Listed { public, reach, onto, needs, both: false };
    for word in words {
        match word.split_once('=') {
            Some(("onto", names)) => listed.onto = names.split(',').collect(),
            Some(("needs", names)) => listed.needs = names.split(',').collect(),
            _ if word == "both" => listed.both = true,
            _ => break,
        }
    }
    listed
}
