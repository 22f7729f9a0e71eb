//! The laws of variables as files.

use super::{
    MOST_OF_DOMAIN, Place, SECRET, Taken, VariableError, check_domain, check_platform, check_user,
    list, obstacle, read, remove, write,
};
use crate::error::{Exit, Explain};
use crate::package::ident::EnvName;
use crate::sys::fs::Dir;
use std::collections::BTreeSet;
use std::ffi::OsString;

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn user(wanted: &[(&str, &str)], users: &[&str], limit: usize) -> Result<(), VariableError> {
    let wanted: Vec<_> =
        wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let platform = set(&["OPENSHIFT_DATA_DIR", SECRET, "SHARED"]);
    check_user(&wanted, Taken { users: &set(users), platform: &platform, limit })
}

#[test]
fn reserved_names_cannot_be_overridden_but_the_secret_can() {
    for name in [
        "OPENSHIFT_PRIMARY_CARTRIDGE_DIR",
        "OPENSHIFT_NAMESPACE",
        "PATH",
        "IFS",
        "USER",
        "SHELL",
        "HOSTNAME",
        "LOGNAME",
        "OPENSHIFT_MOCK_IDENT",
        "OPENSHIFT_DATA_DIR",
        "SHARED",
    ] {
        let error = user(&[(name, "x")], &[], 50).unwrap_err();
        assert_eq!(error.to_string(), format!("`{name}` cannot be overridden"));
        assert_eq!(error.exit(), Exit::Refused);
    }
    user(&[(SECRET, "x"), ("MOCK_IDENT", "y")], &[], 50).unwrap();
}

#[test]
fn limits_are_to_the_byte() {
    let (long, longer) = ("v".repeat(512), "v".repeat(513));
    user(&[("A", &long)], &[], 50).unwrap();
    assert!(matches!(user(&[("A", &longer)], &[], 50), Err(VariableError::LongValue { .. })));
    // Two bytes each.
    assert!(user(&[("A", &"ß".repeat(257))], &[], 50).is_err());
    let (name, longer) = ("N".repeat(128), "N".repeat(129));
    user(&[(&name, "")], &[], 50).unwrap();
    assert!(matches!(user(&[(&longer, "")], &[], 50), Err(VariableError::LongName(_))));
    assert!(matches!(user(&[("A", "a\0b")], &[], 50), Err(VariableError::Nul(_))));
}

#[test]
fn the_fiftieth_can_be_changed_and_a_fifty_first_cannot_come() {
    let names: Vec<String> = (0..50).map(|number| format!("V{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    user(&[("V49", "new")], &names, 50).unwrap();
    let error = user(&[("V49", "new"), ("NEW", "x")], &names, 50).unwrap_err();
    assert!(matches!(&error, VariableError::TooMany { name, limit: 50 } if name == "NEW"));
    user(&[("V50", "x"), ("V50", "y")], &names[..49], 50).unwrap();
}

#[test]
fn checks_come_in_the_originals_order() {
    let (bad_value, bad_name) = ("v".repeat(513), "N".repeat(129));
    let mut wanted = vec![("A\0", "a\0"), ("PATH", "x"), (&*bad_name, "x"), ("B", &*bad_value)];
    let told = |wanted: &[(&str, &str)], limit| user(wanted, &[], limit).unwrap_err();
    assert!(matches!(told(&wanted, 3), VariableError::TooMany { .. }));
    assert!(matches!(told(&wanted, 4), VariableError::Reserved(_)));
    wanted.remove(1);
    wanted.remove(0);
    assert!(matches!(told(&wanted, 4), VariableError::LongName(_)));
    wanted.remove(0);
    assert!(matches!(told(&wanted, 4), VariableError::LongValue { .. }));
    for odd in ["", "1A", "A-B", "a/b", "../x", "A B", "A\n"] {
        assert!(matches!(told(&[(odd, "x")], 4), VariableError::Name(_)), "{odd:?}");
    }
}

#[test]
fn the_domain_has_no_name_by_which_one_gear_could_steer_another() {
    for name in ["PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "HOME", "CART_ROOT", "IFS"] {
        assert!(matches!(check_domain(name, "x"), Err(VariableError::Reserved(_))), "{name}");
    }
    check_domain("JENKINS_URL", "http://x/?a=b").unwrap();
    assert!(check_domain("A", &"x".repeat(MOST_OF_DOMAIN)).is_err());
    check_platform("PATH", "anything").unwrap();
    assert!(check_platform("../PATH", "x").is_err());
}

#[test]
fn a_users_file_is_read_only_and_keeps_every_byte() {
    let temp = tempfile::tempdir().unwrap();
    let home = Dir::open(temp.path()).unwrap();
    home.make_dirs(".env/user_vars", 0o770).unwrap();
    let name = EnvName::parse("COLOUR").unwrap();
    let value = OsString::from("blue = \"sky\"\n\n");
    for _ in 0..2 {
        write(&home, Place::User, &name, &value).unwrap();
        assert_eq!(read(&home, Place::User, &name).unwrap(), Some(value.clone()));
    }
    assert_eq!(home.meta(".env/user_vars/COLOUR").unwrap().unwrap().mode, 0o440);
    write(&home, Place::Platform, &name, &"x".into()).unwrap();
    assert_eq!(home.meta(".env/COLOUR").unwrap().unwrap().mode, 0o644);
    home.make_link(".env/user_vars/LINK", "/etc/passwd").unwrap();
    let names: Vec<_> = list(&home, Place::User).unwrap().into_keys().collect();
    assert_eq!(names, std::slice::from_ref(&name));
    assert_eq!(list(&home, Place::Platform).unwrap().len(), 1, "folders are no variables");
    assert_eq!(obstacle(&home, Place::User, &name).unwrap(), None);
    remove(&home, Place::User, &name).unwrap();
    remove(&home, Place::User, &name).unwrap();
    assert_eq!(read(&home, Place::User, &name).unwrap(), None);
    for path in [".env/user_vars/COLOUR.cart-new", ".env/user_vars/COLOUR"] {
        home.make_dir(path, 0o755).unwrap();
        assert_eq!(obstacle(&home, Place::User, &name).unwrap().as_deref(), Some(path));
        remove(&home, Place::User, &name).unwrap();
    }
}
