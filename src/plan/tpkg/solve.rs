//! Which packages come together: a complete search by pubgrub, with an explanation where there is
//! no answer. Pure: what there is goes in, what is chosen comes out.
//!
//! The versions of this format have an order of their own, and bounds that no range can express
//! (patterns, packaging releases). So a version is the number of a candidate here, the best one
//! last, and a set of versions is a finite set of such numbers or all but those.

use crate::facts::tpkg::Candidate;
use crate::package::tpkg::{Requirement, RequirementKind, version};
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree, External,
    PackageResolutionStatistics, PubGrubError, VersionSet, resolve,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;

/// A package that can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What it is.
    pub candidate: Candidate,
    /// What it needs.
    pub needs: Vec<Requirement>,
    /// What is in its way.
    pub clashes: Vec<Requirement>,
    /// How special it is: of two with the same version the one for fewer systems is better.
    pub systems: usize,
}

/// What is to be solved.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// What can be had, installed or not.
    pub offers: &'a [Offer],
    /// What must come of it.
    pub wanted: &'a [Requirement],
    /// The names whose installed release is no better than any other.
    pub fresh: &'a BTreeSet<String>,
}

/// The number that says that a package is not there.
const ABSENT: usize = 0;

/// A finite set of numbers, or all but those.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Numbers {
    These(BTreeSet<usize>),
    AllBut(BTreeSet<usize>),
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl VersionSet for Numbers {
    type V = usize;

    fn empty() -> Self {
        Self::These(BTreeSet::new())
    }

    fn singleton(number: usize) -> Self {
        Self::These(BTreeSet::from([number]))
    }

    fn complement(&self) -> Self {
        match self.clone() {
            Self::These(numbers) => Self::AllBut(numbers),
            Self::AllBut(numbers) => Self::These(numbers),
        }
    }

    fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::These(a), Self::These(b)) => Self::These(a & b),
            (Self::These(a), Self::AllBut(b)) | (Self::AllBut(b), Self::These(a)) => {
                Self::These(a - b)
            }
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a | b),
        }
    }

    fn contains(&self, number: &usize) -> bool {
        match self {
            Self::These(numbers) => numbers.contains(number),
            Self::AllBut(numbers) => !numbers.contains(number),
        }
    }
}

/// A name of one kind; the request itself has an empty one.
type Named = String;

fn named(name: &str, kind: RequirementKind) -> Named {
    match kind {
        RequirementKind::Tpkg => format!("t {name}"),
        RequirementKind::Native => format!("n {name}"),
    }
}

struct Provider<'a> {
    problem: Problem<'a>,
    /// Of each name the offers, the worst first; a number is a place here plus one.
    ranked: BTreeMap<Named, Vec<&'a Offer>>,
}

impl<'a> Provider<'a> {
    fn new(problem: Problem<'a>) -> Self {
        let mut ranked: BTreeMap<Named, Vec<&Offer>> = BTreeMap::new();
        for offer in problem.offers {
            let name = named(&offer.candidate.name, offer.candidate.kind);
            ranked.entry(name).or_default().push(offer);
        }
        for offers in ranked.values_mut() {
            offers.sort_by(|a, b| better(a, b, problem.fresh));
        }
        Self { problem, ranked }
    }

    /// The numbers of those that `requirement` means.
    fn meant(&self, requirement: &Requirement) -> BTreeSet<usize> {
        let offers = self.ranked.get(&named(&requirement.name, requirement.kind));
        let numbered = (1..).zip(offers.into_iter().flatten());
        numbered.filter(|(_, one)| one.candidate.meets(requirement)).map(|(at, _)| at).collect()
    }

    fn offer(&self, name: &str, number: usize) -> Option<&'a Offer> {
        self.ranked.get(name)?.get(number.checked_sub(1)?).copied()
    }

    fn constraints(
        &self,
        needs: &[Requirement],
        clashes: &[Requirement],
        own: &str,
    ) -> DependencyConstraints<Named, Numbers> {
        let mut found: DependencyConstraints<Named, Numbers> = DependencyConstraints::default();
        let mut add = |name: Named, set: Numbers| {
            let both = found.get(&name).map_or_else(|| set.clone(), |had| had.intersection(&set));
            found.insert(name, both);
        };
        for need in needs {
            add(named(&need.name, need.kind), Numbers::These(self.meant(need)));
        }
        for clash in clashes {
            let name = named(&clash.name, clash.kind);
            if name != own {
                add(name, Numbers::AllBut(self.meant(clash)));
            }
        }
        found
    }

    /// Why there is no answer, in words.
    fn explain(&self, tree: &DerivationTree<Named, Numbers, String>) -> Vec<String> {
        let mut lines = Vec::new();
        self.leaves(tree, &mut lines);
        let mut seen = BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        lines
    }

    fn leaves(&self, tree: &DerivationTree<Named, Numbers, String>, lines: &mut Vec<String>) {
        match tree {
            DerivationTree::Derived(derived) => {
                self.leaves(&derived.cause1, lines);
                self.leaves(&derived.cause2, lines);
            }
            DerivationTree::External(External::FromDependencyOf(name, numbers, other, _)) => {
                lines.extend(self.why(name, numbers, other));
            }
            DerivationTree::External(_) => {}
        }
    }

    /// The sentences of which one constraint was made.
    fn why(&self, name: &str, numbers: &Numbers, other: &str) -> Vec<String> {
        let speaks = |one: &&Requirement| named(&one.name, one.kind) == other;
        let none = |need: &Requirement| {
            if self.meant(need).is_empty() { ", which is nowhere to be had" } else { "" }
        };
        if name.is_empty() {
            let wanted = self.problem.wanted.iter().filter(speaks);
            return wanted.map(|need| format!("{need} is wanted{}", none(need))).collect();
        }
        let offers = (1..).zip(self.ranked.get(name).into_iter().flatten());
        let mut lines = Vec::new();
        for (_, offer) in offers.filter(|(at, _)| numbers.contains(at)) {
            let title = title(&offer.candidate);
            for need in offer.needs.iter().filter(speaks) {
                lines.push(format!("`{title}` needs {need}{}", none(need)));
            }
            for clash in offer.clashes.iter().filter(speaks) {
                lines.push(format!("`{title}` cannot be beside {clash}"));
            }
        }
        lines
    }
}

fn title(candidate: &Candidate) -> String {
    let packaging = candidate.package_version.as_deref().map(|text| format!("-{text}"));
    let (name, version) = (candidate.name.escape_debug(), &candidate.version);
    format!("{name}-{version}{}", packaging.unwrap_or_default())
}

/// Which of two offers of one name is better (tpkg specification, 5): what is installed, then the
/// newer one, then the one for fewer systems.
fn better(a: &Offer, b: &Offer, fresh: &BTreeSet<String>) -> Ordering {
    let stays = |one: &Offer| one.candidate.id.is_some() && !fresh.contains(&one.candidate.name);
    let packaging = |one: &'_ Offer| one.candidate.package_version.clone().unwrap_or_default();
    let systems = |one: &Offer| if one.systems == 0 { usize::MAX } else { one.systems };
    stays(a)
        .cmp(&stays(b))
        .then_with(|| version::compare(&a.candidate.version, &b.candidate.version))
        .then_with(|| version::compare(&packaging(a), &packaging(b)))
        .then_with(|| systems(b).cmp(&systems(a)))
        .then_with(|| a.candidate.id.is_some().cmp(&b.candidate.id.is_some()))
}

impl DependencyProvider for Provider<'_> {
    type P = Named;
    type V = usize;
    type VS = Numbers;
    type Priority = (u32, std::cmp::Reverse<usize>);
    type M = String;
    type Err = Infallible;

    fn prioritize(
        &self,
        package: &Named,
        range: &Numbers,
        conflicts: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let count = self
            .ranked
            .get(package)
            .map_or(0, |offers| (1..=offers.len()).filter(|number| range.contains(number)).count());
        (conflicts.conflict_count(), std::cmp::Reverse(count))
    }

    fn choose_version(
        &self,
        package: &Named,
        range: &Numbers,
    ) -> Result<Option<usize>, Infallible> {
        if package.is_empty() || range.contains(&ABSENT) {
            // Whom nobody needs, nobody gets.
            return Ok(Some(ABSENT).filter(|absent| range.contains(absent)));
        }
        let count = self.ranked.get(package).map_or(0, Vec::len);
        Ok((1..=count).rev().find(|number| range.contains(number)))
    }

    fn get_dependencies(
        &self,
        package: &Named,
        number: &usize,
    ) -> Result<Dependencies<Named, Numbers, String>, Infallible> {
        let found = if package.is_empty() {
            self.constraints(self.problem.wanted, &[], "")
        } else if let Some(offer) = self.offer(package, *number) {
            self.constraints(&offer.needs, &offer.clashes, package)
        } else {
            DependencyConstraints::default()
        };
        Ok(Dependencies::Available(found))
    }
}

/// Chooses of what can be had what is wanted, with everything that it needs; gives the places of
/// the chosen ones in `problem.offers`, or why there is no choice.
pub fn solve(problem: Problem<'_>) -> Result<Vec<usize>, Vec<String>> {
    let provider = Provider::new(problem);
    match resolve(&provider, Named::new(), ABSENT) {
        Ok(chosen) => {
            let mut places = Vec::new();
            for (name, number) in &chosen {
                let Some(offer) = provider.offer(name, *number) else { continue };
                places.extend(problem.offers.iter().position(|one| std::ptr::eq(one, offer)));
            }
            places.sort_unstable();
            Ok(places)
        }
        Err(PubGrubError::NoSolution(mut tree)) => {
            tree.collapse_no_versions();
            Err(provider.explain(&tree))
        }
        Err(error) => Err(vec![error.to_string()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(name: &str, minimum: Option<&str>, maximum: Option<&str>) -> Requirement {
        Requirement {
            name: name.into(),
            kind: RequirementKind::Tpkg,
            minimum_version: minimum.map(str::to_owned),
            maximum_version: maximum.map(str::to_owned),
            minimum_package_version: None,
            maximum_package_version: None,
            allowed_versions: None,
        }
    }

    fn offer(title: &str, needs: &[Requirement]) -> Offer {
        let (name, version) = title.split_once('-').unwrap();
        let candidate = Candidate {
            id: None,
            name: name.into(),
            kind: RequirementKind::Tpkg,
            version: version.into(),
            package_version: None,
        };
        Offer { candidate, needs: needs.to_vec(), clashes: Vec::new(), systems: 0 }
    }

    fn solved(offers: &[Offer], wanted: &[Requirement]) -> Result<Vec<String>, Vec<String>> {
        let fresh = BTreeSet::new();
        let places = solve(Problem { offers, wanted, fresh: &fresh })?;
        Ok(places.iter().map(|at| title(&offers[*at].candidate)).collect())
    }

    #[test]
    fn the_newest_that_fits_is_chosen_with_all_it_needs() {
        let offers = [
            offer("a-1", &[]),
            offer("a-2", &[need("b", None, Some("1.5"))]),
            offer("b-1", &[]),
            offer("b-1.10", &[]),
            offer("b-1.9", &[]),
        ];
        assert_eq!(solved(&offers, &[need("a", None, None)]).unwrap(), ["a-2", "b-1"]);
        assert_eq!(solved(&offers, &[need("b", None, None)]).unwrap(), ["b-1.10"]);
    }

    #[test]
    fn what_is_installed_is_kept_unless_another_is_asked_for() {
        let mut offers = [offer("a-1", &[]), offer("a-2", &[])];
        offers[0].candidate.id = Some(1);
        assert_eq!(solved(&offers, &[need("a", None, None)]).unwrap(), ["a-1"]);
        let fresh = BTreeSet::from(["a".to_owned()]);
        let wanted = [need("a", None, None)];
        let problem = Problem { offers: &offers, wanted: &wanted, fresh: &fresh };
        assert_eq!(solve(problem).unwrap(), [1]);
    }

    #[test]
    fn one_for_fewer_systems_is_better() {
        let mut offers = [offer("a-1", &[]), offer("a-1", &[])];
        offers[0].systems = 1;
        let (fresh, wanted) = (BTreeSet::new(), [need("a", None, None)]);
        assert_eq!(solve(Problem { offers: &offers, wanted: &wanted, fresh: &fresh }), Ok(vec![0]));
    }

    #[test]
    fn a_native_package_and_one_of_tpkg_of_one_name_are_two() {
        let mut native = offer("a-5", &[]);
        native.candidate.kind = RequirementKind::Native;
        let both = Requirement { kind: RequirementKind::Native, ..need("a", None, None) };
        let offers = [native, offer("a-1", &[both])];
        assert_eq!(solved(&offers, &[need("a", None, None)]).unwrap(), ["a-5", "a-1"]);
    }

    #[test]
    fn what_cannot_be_is_explained() {
        let offers = [
            offer("a-1", &[need("c", None, Some("1"))]),
            offer("b-1", &[need("c", Some("2"), None)]),
            offer("c-1", &[]),
            offer("c-2", &[]),
        ];
        let why = solved(&offers, &[need("a", None, None), need("b", None, None)]).unwrap_err();
        let why = why.join("\n");
        assert!(why.contains("`a-1` needs `c` (at most 1)"), "{why}");
        assert!(why.contains("`b-1` needs `c` (at least 2)"), "{why}");
        let why = solved(&offers, &[need("nobody", None, None)]).unwrap_err();
        assert_eq!(why, ["`nobody` is wanted, which is nowhere to be had"]);
    }

    #[test]
    fn what_is_in_the_way_is_not_chosen() {
        let mut offers = [offer("a-2", &[]), offer("a-1", &[]), offer("b-1", &[])];
        offers[0].clashes = vec![need("b", None, None)];
        let wanted = [need("a", None, None), need("b", None, None)];
        assert_eq!(solved(&offers, &wanted).unwrap(), ["a-1", "b-1"]);
    }

    #[test]
    fn a_circle_is_one_answer() {
        let offers =
            [offer("a-1", &[need("b", None, None)]), offer("b-1", &[need("a", None, None)])];
        assert_eq!(solved(&offers, &[need("a", None, None)]).unwrap(), ["a-1", "b-1"]);
    }

    /// The original gives up after ten thousand combinations, and seconds.
    #[test]
    fn many_libraries_without_an_answer_are_no_matter() {
        let mut offers = Vec::new();
        for library in 0..8 {
            for version in 1..=3 {
                let needs = [need("base", Some("9"), None)];
                offers.push(offer(&format!("l{library}-{version}"), &needs));
            }
        }
        offers.push(offer("base-1", &[]));
        let wanted: Vec<_> = (0..8).map(|at| need(&format!("l{at}"), None, None)).collect();
        assert!(solved(&offers, &wanted).is_err());
    }
}
