//! The master key file: read, made when it is missing, and given one more line by a rotation.

use crate::config::ENVIRONMENT_MASTER_KEY;
use anyhow::{Context, Result, bail};
use refundry_service::random::Random;
use refundry_service::seal::{MasterKeys, new_master_key_line};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

const OWNER_ONLY: u32 = 0o600;
const ADVICE: &str = "# Refundry master keys, one `id:base64` per line; the last one is current.\n\
                      # Keep a copy apart from the backups: without it no sealed secret opens again.\n";

/// The keys of `environment` (the value of `REFUNDRY_MASTER_KEY`) or else of the file, which is made with a fresh key
/// when it is missing. The caller must make sure that no database sealed under a lost key exists yet.
pub fn open_or_create(path: &Path, environment: Option<&str>, random: &dyn Random) -> Result<MasterKeys> {
    if let Some(text) = environment {
        return MasterKeys::parse(text).with_context(|| format!("{ENVIRONMENT_MASTER_KEY} cannot be used / 无法使用"));
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => create(path, random)?,
        Err(error) => return Err(error).with_context(|| unreadable(path)),
    };
    warn_when_shared(path);
    let keys =
        MasterKeys::parse(&text).with_context(|| format!("the master key file {} cannot be used / 主密钥文件无法使用", path.display()))?;
    let path = path.to_owned();
    Ok(keys.rereading(Box::new(move || fs::read_to_string(&path).ok().map(Zeroizing::new))))
}

/// Appends a fresh key, which becomes current; the older ones stay until everything is sealed again. Returns all keys.
pub fn rotate(path: &Path, environment: Option<&str>, random: &dyn Random) -> Result<MasterKeys> {
    if environment.is_some() {
        bail!(
            "the master key comes from {ENVIRONMENT_MASTER_KEY}: append a line made by `openssl rand -base64 32` there, \
             as `newid:<base64>`, restart, and run this with --finish / 主密钥来自环境变量 {ENVIRONMENT_MASTER_KEY}：请在其中追加一行新密钥，重启后用 --finish 执行"
        );
    }
    let old = Zeroizing::new(fs::read_to_string(path).with_context(|| unreadable(path))?);
    MasterKeys::parse(&old).with_context(|| format!("the master key file {} cannot be used / 主密钥文件无法使用", path.display()))?;
    let line = new_master_key_line(random);
    let new = Zeroizing::new(format!("{}\n{}\n", old.trim_end(), *line));
    let keys = MasterKeys::parse(&new).context("the rotated master keys cannot be used")?;
    replace(path, &new)?;
    Ok(keys)
}

fn create(path: &Path, random: &dyn Random) -> Result<Zeroizing<String>> {
    let line = new_master_key_line(random);
    let text = Zeroizing::new(format!("{ADVICE}{}\n", *line));
    write_new(path, &text).with_context(|| format!("the master key file {} cannot be written / 主密钥文件无法写入", path.display()))?;
    tracing::info!(path = %path.display(), "made a fresh master key; keep a copy apart from the backups");
    Ok(text)
}

/// A crash leaves either the old or the new file, never half of one.
fn replace(path: &Path, text: &str) -> Result<()> {
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be removed", beside.display())),
    }
    write_new(&beside, text).with_context(|| format!("{} cannot be written", beside.display()))?;
    fs::rename(&beside, path).with_context(|| format!("{} cannot be replaced", path.display()))?;
    sync_folder(path).with_context(|| format!("the folder of {} cannot be synced", path.display()))
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn warn_when_shared(path: &Path) {
    let mode = fs::metadata(path).map(|file| file.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "others may read the master key: chmod 600");
    }
}

fn unreadable(path: &Path) -> String {
    format!(
        "the master key file {} cannot be read; check secrets.master_key_file and the file's owner / 无法读取主密钥文件，请检查配置与文件所有者",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use refundry_service::random::SystemRandom;

    #[test]
    fn a_missing_file_is_made_for_the_owner_alone_and_then_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets/master.key");
        let first = open_or_create(&path, None, &SystemRandom).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        let sealed = first.seal("p", b"secret", &SystemRandom);
        let again = open_or_create(&path, None, &SystemRandom).unwrap();
        assert_eq!(again.open("p", &sealed).unwrap().as_slice(), b"secret");
    }

    #[test]
    fn rotation_adds_a_current_key_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let old = open_or_create(&path, None, &SystemRandom).unwrap();
        fs::write(path.with_extension("new"), "left by a crash").unwrap();
        let sealed = old.seal("p", b"secret", &SystemRandom);
        let rotated = rotate(&path, None, &SystemRandom).unwrap();
        assert_ne!(rotated.current_id(), old.current_id());
        let resealed = rotated.reseal("p", &sealed, &SystemRandom).unwrap().expect("the key is new");
        assert_eq!(old.open("p", &resealed).unwrap().as_slice(), b"secret", "a process that was running follows");
        let read = open_or_create(&path, None, &SystemRandom).unwrap();
        assert_eq!(read.current_id(), rotated.current_id());
        assert!(read.reseal("p", &sealed, &SystemRandom).unwrap().is_some());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    }

    #[test]
    fn the_environment_wins_and_errors_name_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let line = new_master_key_line(&SystemRandom);
        let keys = open_or_create(&path, Some(&line), &SystemRandom).unwrap();
        assert!(line.starts_with(&keys.current_id()));
        assert!(!path.exists());
        for (error, expected) in [
            (open_or_create(&path, Some("nonsense"), &SystemRandom).unwrap_err(), "REFUNDRY_MASTER_KEY cannot be used"),
            (rotate(&path, Some(&line), &SystemRandom).unwrap_err(), "comes from REFUNDRY_MASTER_KEY"),
            (rotate(&path, None, &SystemRandom).unwrap_err(), "cannot be read"),
            (open_or_create(folder.path(), None, &SystemRandom).unwrap_err(), "cannot be read"),
        ] {
            assert!(format!("{error:#}").contains(expected), "{error:#}");
        }
    }
}
