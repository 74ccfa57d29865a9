//! The Python client keeps files of any kind: adds, lists, reads in parts and downloads them.

use redivis_tests::python::PythonClient;
use redivis_tests::server::Server;
use tempfile::TempDir;

use crate::{NEWEST, SESSIONS_ONLY};

#[test]
fn python_keeps_files() {
    let folder = TempDir::new().unwrap();
    let server = Server::directory(folder.path());
    for version in [NEWEST, SESSIONS_ONLY] {
        let client = PythonClient::version(version);
        client.run(
            "keep_files.py",
            &[version],
            server.endpoint(),
            server.token(),
        );
    }
    // What can be used to send bytes is not logged.
    let narration = server.narration();
    for what in ["/api/v1/tempUploads/", "/api/v1/uploadSessions/"] {
        let mut logged = narration.split(what).skip(1).peekable();
        assert!(logged.peek().is_some(), "{what} is not logged");
        assert!(logged.all(|rest| rest.chars().nth(6) == Some('…')));
    }
}
