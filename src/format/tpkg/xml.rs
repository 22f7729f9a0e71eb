//! `tpkg.xml`, the older form of the metadata, made into the tree that `tpkg.yml` would have been.
//!
//! One reader then does for both. XML has no types, so every text counts as quoted. Declared
//! entities are refused: they serve bombs, and no real file has any.

use super::super::error::Fault;
use super::super::place::Place;
use super::super::yaml::{Node as Value, Pair, Value as Kind};
use roxmltree::{Document, Node, ParsingOptions};

/// The most nodes of one file, texts between elements included.
const MOST_NODES: u32 = 200_000;

/// Elements of a dependency or conflict that are texts.
const BOUNDS: [&str; 6] = [
    "name",
    "minimum_version",
    "maximum_version",
    "minimum_package_version",
    "maximum_package_version",
    "allowed_versions",
];
/// Elements at the top that are texts.
const TEXTS: [&str; 7] = [
    "name",
    "version",
    "package_version",
    "maintainer",
    "description",
    "bugreporting",
    "tpkg_version",
];
const LISTS: [&str; 2] = ["operatingsystem", "architecture"];

/// Reads `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let fault = |place, text: String| Fault { place, text };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        fault(Place::of(bytes, error.valid_up_to()), "is not UTF-8: save the file as UTF-8".into())
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    if let Some(at) = text.find("<!ENTITY") {
        let place = Place::of(text.as_bytes(), at);
        return Err(fault(place, "declares an entity: write its text where it is used".into()));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..Default::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let pos = error.pos();
        let place = Place { line: pos.row as usize, column: pos.col as usize };
        let said: String = error.to_string().chars().take(200).collect();
        fault(place, format!("is no valid XML: {}", said.escape_debug()))
    })?;
    let reader = Reader { document: &document, text };
    let root = document.root_element();
    if !root.has_tag_name("tpkg") {
        let place = reader.place(&root);
        return Err(fault(place, "has no `tpkg` as its outermost element".into()));
    }
    Ok(reader.root(&root))
}

struct Reader<'a, 'input> {
    document: &'a Document<'input>,
    text: &'input str,
}

impl Reader<'_, '_> {
    fn place(&self, node: &Node<'_, '_>) -> Place {
        let pos = self.document.text_pos_at(node.range().start);
        Place { line: pos.row as usize, column: pos.col as usize }
    }

    fn value(&self, node: &Node<'_, '_>, value: Kind) -> Value {
        Value { value, place: self.place(node) }
    }

    fn quoted(&self, node: &Node<'_, '_>, text: &str) -> Value {
        self.value(node, Kind::Quoted(text.to_owned()))
    }

    fn pair(&self, key: &str, node: &Node<'_, '_>, value: Value) -> Pair {
        Pair { key: key.to_owned(), place: self.place(node), value }
    }

    /// The pairs of those elements of `names` that `node` has, each a text.
    fn texts(&self, node: &Node<'_, '_>, names: &[&str]) -> Vec<Pair> {
        let found = names.iter().filter_map(|name| {
            let child = child(node, name)?;
            Some(self.pair(name, &child, self.quoted(&child, child.text().unwrap_or_default())))
        });
        found.collect()
    }

    fn root(&self, root: &Node<'_, '_>) -> Value {
        let mut pairs = self.texts(root, &TEXTS);
        if let Some(name) = root.attribute("filename") {
            pairs.push(self.pair("filename", root, self.quoted(root, name)));
        }
        for name in LISTS {
            pairs.extend(self.list(root, name));
        }
        for (name, item) in [("dependencies", "dependency"), ("conflicts", "conflict")] {
            let requirement = |node: &Node<'_, '_>| self.requirement(node);
            pairs.extend(self.items(root, (name, item), &requirement));
        }
        pairs.extend(self.items(root, ("externals", "external"), &|node| self.external(node)));
        if let Some(files) = child(root, "files") {
            pairs.push(self.pair("files", &files, self.files(&files)));
        }
        pairs.extend(self.others(root, &["dependencies", "conflicts", "externals", "files"]));
        self.value(root, Kind::Mapping(pairs))
    }

    /// What nobody knows, so that it is said; the first of each name.
    fn others(&self, root: &Node<'_, '_>, sections: &[&str]) -> Vec<Pair> {
        let known =
            |name: &str| TEXTS.contains(&name) || LISTS.contains(&name) || sections.contains(&name);
        let mut found: Vec<Pair> = Vec::new();
        for node in root.children().filter(Node::is_element) {
            let name = node.tag_name().name();
            if !known(name) && found.len() < 100 && found.iter().all(|pair| pair.key != name) {
                let text = node.text().unwrap_or_default();
                found.push(self.pair(name, &node, self.quoted(&node, text)));
            }
        }
        found
    }

    /// A list in one element, with commas, or in several.
    fn list(&self, root: &Node<'_, '_>, name: &str) -> Option<Pair> {
        let all: Vec<Node<'_, '_>> = children(root, name).collect();
        let first = all.first()?;
        let texts = |node: &Node<'_, '_>| -> Vec<Value> {
            let items = node.text().unwrap_or_default().split(',').map(str::trim);
            items.filter(|item| !item.is_empty()).map(|item| self.quoted(node, item)).collect()
        };
        let items = all.iter().flat_map(texts).collect();
        Some(self.pair(name, first, self.value(first, Kind::Sequence(items))))
    }

    fn items(
        &self,
        root: &Node<'_, '_>,
        (name, item): (&str, &str),
        read: &dyn Fn(&Node<'_, '_>) -> Value,
    ) -> Option<Pair> {
        let list = child(root, name)?;
        let items = children(&list, item).map(|node| read(&node)).collect();
        Some(self.pair(name, &list, self.value(&list, Kind::Sequence(items))))
    }

    fn requirement(&self, node: &Node<'_, '_>) -> Value {
        let mut pairs = self.texts(node, &BOUNDS);
        let native = child(node, "native").is_some();
        let kind = if native { "native" } else { "tpkg" };
        pairs.push(self.pair("type", node, self.quoted(node, kind)));
        self.value(node, Kind::Mapping(pairs))
    }

    fn external(&self, node: &Node<'_, '_>) -> Value {
        let mut pairs = self.texts(node, &["name"]);
        if let Some(data) = child(node, "data") {
            pairs.push(self.pair("data", &data, self.quoted(&data, &self.raw(&data))));
        } else {
            pairs.extend(self.texts(node, &["datafile", "datascript"]).into_iter().take(1));
        }
        self.value(node, Kind::Mapping(pairs))
    }

    /// What stands inside `node`, as it stands there: it may be XML that is meant for the external.
    /// Only a `CDATA` section at its top loses its frame, as in the original.
    fn raw(&self, node: &Node<'_, '_>) -> String {
        let source = self.text.get(node.range()).unwrap_or_default();
        let (Some(begin), Some(end)) = (end_of_tag(source), source.rfind("</")) else {
            return String::new();
        };
        let (mut at, end) = (node.range().start + begin, node.range().start + end);
        let mut raw = String::new();
        let between = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        for child in node.children().filter(|child| !child.is_text()) {
            let range = child.range();
            raw.push_str(&without_cdata(between(at, range.start)));
            raw.push_str(between(range.start, range.end));
            at = range.end;
        }
        raw.push_str(&without_cdata(between(at, end)));
        raw
    }

    fn files(&self, files: &Node<'_, '_>) -> Value {
        let mut pairs = Vec::new();
        for name in ["file_defaults", "dir_defaults"] {
            if let Some(defaults) = child(files, name) {
                let posix = self.posix(&defaults).into_iter().collect();
                pairs.push(self.pair(name, &defaults, self.value(&defaults, Kind::Mapping(posix))));
            }
        }
        let listed: Vec<Value> = children(files, "file").map(|file| self.file(&file)).collect();
        if !listed.is_empty() {
            pairs.push(self.pair("files", files, self.value(files, Kind::Sequence(listed))));
        }
        self.value(files, Kind::Mapping(pairs))
    }

    fn posix(&self, node: &Node<'_, '_>) -> Option<Pair> {
        let posix = child(node, "posix")?;
        let pairs = self.texts(&posix, &["owner", "group", "perms"]);
        Some(self.pair("posix", &posix, self.value(&posix, Kind::Mapping(pairs))))
    }

    fn file(&self, file: &Node<'_, '_>) -> Value {
        let mut pairs = self.texts(file, &["path"]);
        let plain = |node: &Node<'_, '_>, text: &str| self.value(node, Kind::Plain(text.into()));
        if let Some(config) = child(file, "config") {
            pairs.push(self.pair("config", &config, plain(&config, "true")));
        }
        if let Some(encrypt) = child(file, "encrypt") {
            let mut inside = Vec::new();
            if encrypt.attribute("precrypt") == Some("true") {
                inside.push(self.pair("precrypt", &encrypt, plain(&encrypt, "true")));
            }
            if let Some(algorithm) = encrypt.attribute("algorithm") {
                inside.push(self.pair("algorithm", &encrypt, self.quoted(&encrypt, algorithm)));
            }
            pairs.push(self.pair("encrypt", &encrypt, self.value(&encrypt, Kind::Mapping(inside))));
        }
        if let Some(init) = child(file, "init") {
            pairs.push(self.pair("init", &init, self.init(&init)));
        }
        if let Some(crontab) = child(file, "crontab") {
            let user = self.texts(&crontab, &["user"]);
            pairs.push(self.pair("crontab", &crontab, self.value(&crontab, Kind::Mapping(user))));
        }
        pairs.extend(self.posix(file));
        self.value(file, Kind::Mapping(pairs))
    }

    fn init(&self, init: &Node<'_, '_>) -> Value {
        let mut pairs = self.texts(init, &["start"]);
        if let Some(levels) = child(init, "levels") {
            // `234` are three levels, and nothing is none.
            let each = levels.text().unwrap_or_default().trim().chars();
            let items = each.map(|level| self.quoted(&levels, &level.to_string())).collect();
            pairs.push(self.pair("levels", &levels, self.value(&levels, Kind::Sequence(items))));
        }
        self.value(init, Kind::Mapping(pairs))
    }
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn children<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    let name = name.to_owned();
    node.children().filter(move |child| child.has_tag_name(name.as_str()))
}

/// Where the tag that begins `source` is over.
fn end_of_tag(source: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in source.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '>' => return Some(at + 1),
            Some(_) | None => {}
        }
    }
    None
}

fn without_cdata(source: &str) -> String {
    let mut plain = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("<![CDATA[") {
        let (inside, after) = after.split_once("]]>").unwrap_or((after, ""));
        plain.push_str(before);
        plain.push_str(inside);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_an_external_is_what_stands_there() {
        let xml = "<tpkg><externals><external><name>e</name><data>\n <one a=\"1\">x &amp; y</one>\n\
                   <![CDATA[a < b]]></data></external></externals></tpkg>";
        let root = parse(xml.as_bytes()).unwrap();
        let Kind::Sequence(items) = &root.get("externals").unwrap().value else { panic!() };
        let data = items[0].get("data").unwrap().text().unwrap().to_owned();
        assert_eq!(data, "\n <one a=\"1\">x &amp; y</one>\na < b");
        for (xml, data) in [
            ("<data/>", ""),
            ("<data></data>", ""),
            ("<data><![CDATA[<a>]]></data>", "<a>"),
            (
                "<data a=\">\">x<!-- c --><b><![CDATA[y]]></b> </data >",
                "x<!-- c --><b><![CDATA[y]]></b> ",
            ),
            ("<data>é<a/>ü</data>", "é<a/>ü"),
        ] {
            let xml = format!(
                "<tpkg><externals><external><name>e</name>{xml}</external></externals></tpkg>"
            );
            let root = parse(xml.as_bytes()).unwrap();
            let Kind::Sequence(items) = &root.get("externals").unwrap().value else { panic!() };
            assert_eq!(items[0].get("data").unwrap().text(), Some(data), "{xml}");
        }
    }

    #[test]
    fn a_document_type_is_passed_over_and_an_entity_is_not() {
        let fine = "<?xml version=\"1.0\"?>\n<!DOCTYPE tpkg SYSTEM \"http://x.invalid/t.dtd\">\n\
                    <tpkg><name>a</name><levels/></tpkg>";
        assert_eq!(parse(fine.as_bytes()).unwrap().get("name").unwrap().text(), Some("a"));
        let bomb = "<!DOCTYPE tpkg [<!ENTITY a \"b\">]><tpkg><name>&a;</name></tpkg>";
        let fault = parse(bomb.as_bytes()).unwrap_err();
        assert!(fault.text.contains("entity"), "{}", fault.text);
    }

    #[test]
    fn what_is_no_package_or_attacks_is_refused() {
        let deep = "<tpkg>".to_owned() + &"<a>".repeat(100_000);
        let many = format!("<tpkg>{}</tpkg>", "<a/>".repeat(250_000));
        for xml in ["<other/>", "<tpkg>", "", "<tpkg>&x;</tpkg>", &deep, &many] {
            assert!(parse(xml.as_bytes()).is_err());
        }
        assert!(parse(b"<tpkg>\xff</tpkg>").is_err());
    }
}
