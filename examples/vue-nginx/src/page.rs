//! The Vue page, as Vite has built it, inside the program.

/// A file of the page.
pub(crate) struct File {
    path: &'static str,
    media_type: &'static str,
    pub(crate) content: &'static [u8],
}

macro_rules! files {
    ($($path:literal $media_type:literal)*) => {
        [$(File {
            path: concat!("/", $path),
            media_type: $media_type,
            content: include_bytes!(concat!("../web/dist/", $path)),
        },)*]
    };
}

/// The page's own file, and those that it asks for. Vite gives them names without hashes.
static INDEX: &File = &FILES[0];
static FILES: [File; 4] = files! {
    "index.html" "text/html; charset=utf-8"
    "favicon.svg" "image/svg+xml"
    "assets/index.js" "text/javascript; charset=utf-8"
    "assets/index.css" "text/css; charset=utf-8"
};

/// A file of the page; the page itself for every path that its own router may know.
pub(crate) fn at(path: &str) -> Option<&'static File> {
    let file = FILES.iter().find(|file| file.path == path);
    file.or_else(|| (!path.starts_with("/assets/") && !path.starts_with("/app/")).then_some(INDEX))
}

impl File {
    /// What a browser is told about it.
    pub(crate) fn headers(&self) -> [(&'static str, &'static str); 3] {
        [
            ("content-type", self.media_type),
            // Asked again each time, so that nobody sees the page who has signed out.
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_file_that_vite_has_built_is_served() {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist");
        let names = |folder: &str| -> Vec<String> {
            let entries =
                fs::read_dir(built.join(folder.trim_start_matches('/'))).unwrap().map(|entry| entry.unwrap());
            let files = entries.filter(|entry| entry.path().is_file());
            files.map(|file| format!("{folder}/{}", file.file_name().to_string_lossy())).collect()
        };
        for name in names("").into_iter().chain(names("/assets")) {
            assert!(FILES.iter().any(|file| file.path == name), "{name} is not served");
        }
    }
}
