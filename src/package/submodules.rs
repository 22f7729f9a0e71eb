//! What `.gitmodules` says.

use std::collections::BTreeMap;

/// The addresses of submodules by their paths, from the settings of `.gitmodules` as git lists them
/// (`config --null --list`). Neither is checked.
pub fn addresses(list: &str) -> BTreeMap<String, String> {
    let (mut paths, mut urls) = (BTreeMap::new(), BTreeMap::new());
    for entry in list.split('\0') {
        let Some((key, value)) = entry.split_once('\n') else { continue };
        let Some(rest) = key.strip_prefix("submodule.") else { continue };
        match rest.rsplit_once('.') {
            Some((name, "path")) => drop(paths.insert(name.to_owned(), value.to_owned())),
            Some((name, "url")) => drop(urls.insert(name.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    paths.into_iter().filter_map(|(name, path)| Some((path, urls.remove(&name)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_path_and_an_address_is_one() {
        let list = "submodule.a.path\nx/y\0submodule.a.url\n../a.git\0submodule.b.c.url\nz\0\
                    submodule.b.c.path\nb\0submodule.d.path\nd\0submodule.e.url\ne\0core.x\ny\0odd\0";
        let expected = [("b", "z"), ("x/y", "../a.git")];
        let found = addresses(list);
        let found: Vec<_> = found.iter().map(|(path, url)| (path.as_str(), url.as_str())).collect();
        assert_eq!(found, expected);
    }
}
