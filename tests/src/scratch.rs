//! Folders under the target folder that outlive a run, for what is slow to install.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::binaries;

/// The folder `name`, prepared by `install` once for each content of `requirements`.
///
/// A folder whose requirements changed, or whose installation did not finish, is made anew. Other processes wait.
pub fn installed(name: &str, requirements: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let parent = binaries::target_folder().join("redivis-tests");
    fs::create_dir_all(&parent).expect("the target folder is writable");
    let lock =
        File::create(parent.join(format!("{name}.lock"))).expect("the target folder is writable");
    lock.lock().expect("the file system locks files");

    let folder = parent.join(name);
    let marker = folder.join("installed.txt");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == requirements) {
        return folder;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an outdated installation can be removed");
    }
    fs::create_dir_all(&folder).expect("the target folder is writable");
    install(&folder);
    fs::write(marker, requirements).expect("the target folder is writable");
    folder
}
