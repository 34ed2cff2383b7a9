//! `stations.yaml`: other names that customers use for stations.

use super::entities::stations::Alias;
use super::pack::PackError;
use super::yaml;
use std::path::Path;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AliasFile {
    pub aliases: Vec<Alias>,
    /// Towns that customers name, served or not.
    pub known: Vec<Alias>,
    /// Stations whose names are everyday words too ("die", "nice", "us").
    pub ordinary: Vec<String>,
}

impl AliasFile {
    /// Reads `stations.yaml`; a file that is not there says nothing.
    ///
    /// # Errors
    /// All mistakes of the file, with their lines.
    pub fn load(path: &Path) -> Result<Self, Vec<PackError>> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        let base = path.file_name().unwrap_or_default();
        let name = Path::new(folder).join(base).display().to_string();
        let document = yaml::read(path, &name).map_err(|error| vec![error])?;
        let mut read = Self::default();
        let mut errors = Vec::new();
        let mut complain = |line: usize, what: String, cure: &str| {
            errors.push(PackError { file: name.clone(), line, what, cure: cure.to_owned() });
        };
        for (key, node) in document.root.as_map().unwrap_or_default() {
            match key.name.as_str() {
                "ordinary" => {
                    let words = node.as_text().unwrap_or_default();
                    read.ordinary =
                        words.lines().map(str::trim).filter(|w| !w.is_empty()).map(String::from).collect();
                }
                "known" => read.known = known(&node.as_text().unwrap_or_default()),
                "aliases" => {
                    for item in node.as_list().unwrap_or_default() {
                        match alias(item) {
                            Some(alias) => read.aliases.push(alias),
                            None => complain(
                                item.line,
                                "an alias lacks its `name`, or has another key than `also`".to_owned(),
                                "write `- name: Paris Gare de Lyon` and below it `also: [pgl, paris lyon]`",
                            ),
                        }
                    }
                }
                other => {
                    complain(key.line, format!("unknown key '{other}'"), "use aliases, known or ordinary")
                }
            }
        }
        if errors.is_empty() { Ok(read) } else { Err(errors) }
    }
}

fn alias(item: &yaml::Node) -> Option<Alias> {
    let mut name = None;
    let mut also = Vec::new();
    for (key, node) in item.as_map()? {
        match key.name.as_str() {
            "name" => name = node.as_text(),
            "also" => also = node.as_list()?.iter().map(yaml::Node::as_text).collect::<Option<Vec<_>>>()?,
            _ => return None,
        }
    }
    Some(Alias { name: name.filter(|name| !name.trim().is_empty())?, also })
}

/// `Vitré, Guingamp = ggp` by commas and lines; a line that begins with `#` is a heading.
fn known(text: &str) -> Vec<Alias> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let entries = lines.flat_map(|line| line.split(','));
    let names = |entry: &str| -> Vec<String> {
        entry.split('=').map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect()
    };
    let alias =
        |mut names: Vec<String>| (!names.is_empty()).then(|| Alias { name: names.remove(0), also: names });
    entries.map(names).filter_map(alias).collect()
}
