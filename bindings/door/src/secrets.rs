//! Secrets in private files: one file each, readable by its owner only, replaced atomically.
//!
//! A terminal has no keystore. What protects these files is the account and the disk encryption of
//! the machine; `docs` of the phone bindings name the keystores used there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use liventix_core::sync::{SecretError, SecretStore};
use secrecy::{ExposeSecret, SecretString};

/// Keeps each secret in a file of its own below one folder.
#[derive(Debug)]
pub(crate) struct FileSecrets {
    folder: PathBuf,
}

impl FileSecrets {
    /// Opens the folder, making it (mode 0700) if it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, SecretError> {
        make_private_folder(folder).map_err(|error| failed("open", &folder.display().to_string(), &error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn path(&self, action: &str, name: &str) -> Result<PathBuf, SecretError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
            return Err(SecretError {
                action: format!("{action} {name:?}"),
                detail: "this cannot be the name of a secret".to_owned(),
            });
        }
        Ok(self.folder.join(name))
    }

    fn replace(&self, path: &Path, value: &[u8]) -> io::Result<()> {
        // Of this secret and this process alone: two doors that sync at once must not put one another's
        // draft in place.
        let mut draft = path.as_os_str().to_owned();
        draft.push(format!(".{}.draft", std::process::id()));
        let draft = PathBuf::from(draft);
        // A draft left by a crash is in the way of `create_new`, which alone guarantees the mode.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private_options().open(&draft)?;
        file.write_all(value)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // Without this the rename may be lost with the power.
        File::open(&self.folder)?.sync_all()
    }
}

impl SecretStore for FileSecrets {
    fn put(&self, name: &str, value: &SecretString) -> Result<(), SecretError> {
        let path = self.path("write", name)?;
        self.replace(&path, value.expose_secret().as_bytes()).map_err(|error| failed("write", name, &error))
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, SecretError> {
        match fs::read_to_string(self.path("read", name)?) {
            Ok(text) => Ok(Some(SecretString::from(text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", name, &error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), SecretError> {
        match fs::remove_file(self.path("delete", name)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("delete", name, &error)),
            _ => Ok(()),
        }
    }
}

fn failed(action: &str, name: &str, error: &io::Error) -> SecretError {
    SecretError { action: format!("{action} {name}"), detail: error.to_string() }
}

/// Makes a folder, and those above it, that only its owner can look into.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_replaces_and_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecrets::open(&folder.path().join("a/b")).unwrap();
        assert!(secrets.get("device_token").unwrap().is_none());
        secrets.put("device_token", &"one".into()).unwrap();
        secrets.put("device_token", &"two".into()).unwrap();
        assert_eq!(secrets.get("device_token").unwrap().unwrap().expose_secret(), "two");
        secrets.delete("device_token").unwrap();
        secrets.delete("device_token").unwrap();
        assert!(secrets.get("device_token").unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_them_even_after_a_crash() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecrets::open(&folder.path().join("s")).unwrap();
        let draft = format!("s/token.{}.draft", std::process::id());
        fs::write(folder.path().join(&draft), "left by a crash").unwrap();
        secrets.put("token", &"x".into()).unwrap();
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("s"), mode("s/token")), (0o700, 0o600));
        assert!(!folder.path().join(&draft).exists());
    }

    #[test]
    fn secrets_whose_names_begin_alike_are_written_at_once_and_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecrets::open(folder.path()).unwrap();
        std::thread::scope(|scope| {
            for name in ["event_keys.one", "event_keys.two"] {
                let secrets = &secrets;
                scope.spawn(move || {
                    for _ in 0..50 {
                        secrets.put(name, &name.into()).unwrap();
                        assert_eq!(secrets.get(name).unwrap().unwrap().expose_secret(), name);
                    }
                });
            }
        });
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = FileSecrets::open(folder.path()).unwrap();
        for name in ["", "..", "../x", "a/b", ".hidden", "Ä", "A"] {
            assert!(secrets.put(name, &"x".into()).is_err(), "{name:?}");
        }
    }
}
