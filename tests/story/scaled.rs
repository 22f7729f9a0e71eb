//! Applications of several gears: what is kept of them and brought back, and what is refused, by name
//! and with nothing done.

use super::alone;
use super::scaling::Scene;

/// An application of `many` gears, all of which show the page `second`.
fn at_second(many: &str) -> Scene {
    let scene = Scene::new(1);
    scene.host.must(&["gear", "scale", "app", many]);
    scene.push(&[("page", "second")]).unwrap();
    scene.order();
    scene
}

/// What happened to the framework and the proxy since the snapshot's own data came back.
fn since_restored(order: &str) -> String {
    let lines: Vec<&str> = order.split(", ").collect();
    let from = lines.iter().rposition(|line| line.contains(" post-restore")).unwrap();
    let lines = lines[from + 1..].iter().filter(|line| !line.contains(" side "));
    lines.copied().collect::<Vec<_>>().join(", ")
}

#[test]
fn the_head_is_kept_while_the_others_serve_and_brings_all_of_them_back() {
    let _alone = alone();
    let scene = at_second("3");
    let host = &scene.host;
    let file = host.place("a.tar.gz");
    let proxy = scene.file("app", "app-root/data/proxy.pid");
    host.must(&["gear", "snapshot", "app", "--output", &file]);
    let order = scene.order();
    assert_eq!(order, "?");
    assert_eq!(scene.file("app", "app-root/data/proxy.pid"), proxy, "the proxy ran on");
    assert_eq!(scene.pages(), ["second"; 3]);

    scene.push(&[("page", "third")]).unwrap();
    assert_eq!(scene.pages(), ["third"; 3]);
    scene.order();
    host.must(&["gear", "restore", "app", "--from", &file]);
    let restored = host.last();
    assert_eq!(since_restored(&scene.order()), "?");
    assert_eq!(scene.pages(), ["second"; 3]);
    host.must(&["verify"]);
    // The gears go back together, too.
    host.must(&["undo", &restored]);
    assert_eq!(scene.pages(), ["third"; 3]);
    host.must(&["undo", &host.last()]);
    assert_eq!(scene.pages(), ["second"; 3]);
    host.must(&["verify"]);
    host.must(&["gear", "destroy", "app"]);
}
