//! Walking folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// All files below `folder`, sorted, but for those in folders called as in `without`.
pub(crate) fn below(folder: &Path, without: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let complain = |error: std::io::Error| format!("{} could not be read: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(complain)? {
            let path = entry.map_err(complain)?.path();
            let skipped = path.file_name().is_some_and(|name| without.iter().any(|skip| name == *skip));
            match path.is_dir() {
                true if !skipped => folders.push(path),
                false => files.push(path),
                true => {}
            }
        }
    }
    files.sort();
    Ok(files)
}
