//! Waits until something listens where a started gear should. Many start scripts end well although
//! nothing runs (corpus, 0.1), so an exit status alone proves nothing.
//!
//! A silent gear is a warning, not a failure: of the real cartridges whose `start` succeeds, two in
//! five declare endpoints on which nothing listens until an application is pushed, a database is
//! made or a peer joins (corpus, 1). The warning shows what the gear's log says.

use super::sandboxed;
use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::gear::logs;
use crate::sys::{interrupt, net};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// How long a program may take until it listens; a Java server takes its time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a gear without any process may still come to life.
const STILLNESS: Duration = Duration::from_secs(1);
/// How many of the last lines of its log are shown.
const TAIL: usize = 8;
const GLANCE: Duration = Duration::from_millis(20);

/// Where a gear should be listening by now.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AwaitEndpoints {
    /// The gear.
    pub gear: Identity,
    /// The addresses and ports of its endpoints.
    pub endpoints: Vec<(Ipv4Addr, u16)>,
    /// What it means when it does not.
    #[serde(default)]
    pub silence: Silence,
}

/// What it means that a gear does not listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// It may be what it is made for.
    #[default]
    IsWarning,
    /// It listened there before, on every one of its endpoints.
    IsFailure,
}

impl AwaitEndpoints {
    fn silence(&self, cx: &Cx<'_>, waited: Duration) -> Result<Said, Failure> {
        let name = &self.gear.name;
        let at: Vec<_> = self.endpoints.iter().map(|(at, port)| format!("{at}:{port}")).collect();
        let alive = match sandboxed::living(cx.layout, &self.gear)?.len() {
            0 => "and none of its processes is left",
            _ => "although its processes run",
        };
        let mut warning = format!(
            "the gear `{name}` was started, but nothing listens on {} after {} seconds, {alive}",
            at.join(", "),
            waited.as_secs(),
        );
        let home = cx.state.dir(self.gear.home())?;
        match logs::latest(&home, TAIL)? {
            Some((log, lines)) => {
                let end = [format!("; the end of `{log}`:")].into_iter().chain(lines);
                warning.push_str(&end.collect::<Vec<_>>().join("\n    "));
            }
            None => warning.push_str("; its logs say nothing"),
        }
        if self.silence == Silence::IsFailure {
            return Err(Failure::new(Exit::Failed, warning).hint(
                "it listened there before: `--on-failure hold` keeps it so, to be looked at",
            ));
        }
        Ok(Said { warnings: vec![warning], ..Said::default() })
    }
}

impl Step for AwaitEndpoints {
    type Undo = ();

    fn describe(&self) -> String {
        format!("wait until the gear `{}` listens", self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Something that listens on one endpoint is enough where silence is no failure: not every port
    /// is served from the start.
    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let began = Instant::now();
        let listens = |(at, port): &(Ipv4Addr, u16)| net::listens((*at).into(), *port);
        let mut looked = false;
        let answers = || match self.silence {
            Silence::IsWarning => self.endpoints.iter().any(listens),
            Silence::IsFailure => self.endpoints.iter().all(listens),
        };
        while !answers() {
            interrupt::check()?;
            let still = began.elapsed() >= STILLNESS && !std::mem::replace(&mut looked, true);
            let dead = still && sandboxed::living(cx.layout, &self.gear)?.is_empty();
            if dead || began.elapsed() >= PATIENCE {
                return self.silence(cx, began.elapsed());
            }
            std::thread::sleep(GLANCE);
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> AwaitEndpoints {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It listens for as long as the tests run.
    std::mem::forget(listener);
    let endpoints = vec![(Ipv4Addr::LOCALHOST, port)];
    AwaitEndpoints { gear: world.gear(), endpoints, silence: Silence::IsFailure }
}
