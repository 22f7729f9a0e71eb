//! Tells the web proxy of a scaled application which gears there are, and writes it down in the
//! registry that the proxy's scripts read.

use super::{Cx, Said, Step, proxy};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::gear::registry::{self, Registry};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;

/// The gears that there are from now on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UpdateCluster {
    /// The gear with the proxy.
    pub gear: Identity,
    /// The proxy's folder.
    pub dir: String,
    /// The gears.
    pub becomes: Registry,
}

impl UpdateCluster {
    fn write(&self, home: &Dir, registry: Option<&Registry>) -> Result<(), Failure> {
        Ok(registry::write(home, registry, self.gear.owner.map(|(_, gid)| gid))?)
    }

    fn tell(&self, cx: &Cx<'_>, home: &Dir, registry: &Registry) -> Result<Said, Failure> {
        let words = registry.words();
        proxy::tell(cx, home, (&self.gear, &self.dir), (Action::UpdateCluster, &words))
    }
}

impl Step for UpdateCluster {
    /// What was written down before.
    type Undo = Option<Registry>;

    fn describe(&self) -> String {
        let (dir, gear, many) = (&self.dir, &self.gear.name, self.becomes.web.len());
        let noun = if many == 1 { "gear" } else { "gears" };
        format!("tell `{dir}` of the gear `{gear}` of {many} {noun}")
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Option<Registry>, Failure> {
        Ok(registry::read(&cx.state.dir(self.gear.home())?)?)
    }

    fn apply(&self, _before: &Option<Registry>, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        self.write(&home, Some(&self.becomes))?;
        checkpoint("update_cluster: before the proxy is told");
        let said = self.tell(cx, &home, &self.becomes)?;
        checkpoint("update_cluster: the proxy was told");
        Ok(said)
    }

    fn revert(&self, before: &Option<Registry>, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        self.write(&home, before.as_ref())?;
        checkpoint("update_cluster: the registry is as it was");
        let Some(before) = before else { return Ok(()) };
        if let Err(failure) = self.tell(cx, &home, before) {
            proxy::was_not_told(cx, (&self.gear, &self.dir), &failure);
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> UpdateCluster {
    let gear = world.gear();
    // What the proxy is told is what it knows.
    let text = "#!/bin/bash\nshift\necho \"$*\" >\"$OPENSHIFT_DATA_DIR/told\"\n";
    world.script("gears/blog/mock/bin/control", text);
    let home = world.state.dir("gears/blog").unwrap();
    let entry = |host: u8| registry::Entry {
        namespace: "local".into(),
        dns: format!("g{host}-local.localhost"),
        proxy_hostname: [127, 0, 1, host].into(),
        proxy_port: 8080,
        platform: "linux".into(),
    };
    let one = Registry { web: [("g1".into(), entry(1))].into(), proxy: [].into() };
    registry::write(&home, Some(&one), None).unwrap();
    let told = format!("{}\n", one.words().join(" "));
    home.put_file("app-root/data/told", told.as_bytes(), 0o644).unwrap();
    let mut becomes = one;
    becomes.web.insert("g2".into(), entry(2));
    UpdateCluster { gear, dir: "mock".into(), becomes }
}
