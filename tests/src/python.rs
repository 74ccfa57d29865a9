//! The official Python client, unmodified from the Python Package Index, in an environment of its own.
//!
//! What the client depends on is pinned in `python/requirements.txt` and installed once; each version of the client lies
//! in a folder beside it. Only what its import and the tested calls need is installed: the client also declares
//! geopandas, folium, dask and others, several hundred megabytes that it imports when they are first used.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{process, scratch, server};

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
pub(crate) const RUN_LIMIT: Duration = Duration::from_secs(240);

/// A version of the official Python client, ready to run.
#[derive(Debug)]
pub struct PythonClient {
    interpreter: PathBuf,
    client: PathBuf,
}

impl PythonClient {
    /// The client in `version`, installed if it is not.
    pub fn version(version: &str) -> PythonClient {
        let environment = environment("python", REQUIREMENTS);
        let requirement = format!("redivis=={version}");
        let client = scratch::installed(
            &format!("python-redivis-{version}"),
            &requirement,
            |folder| {
                let mut client = pip(&environment);
                client
                    .args(["--no-deps", "--target"])
                    .arg(folder)
                    .arg(&requirement);
                install(client);
            },
        );
        PythonClient {
            interpreter: interpreter(&environment),
            client,
        }
    }

    /// Runs a script of the folder `python` against `endpoint`, signed in if there is a token, and returns what it
    /// printed.
    #[track_caller]
    pub fn run(
        &self,
        script: &str,
        arguments: &[&str],
        endpoint: &str,
        token: Option<&str>,
    ) -> String {
        // The home folder holds cached credentials: the client must see none.
        let home = tempfile::tempdir().expect("a temporary folder");
        let command = self.command(script, arguments, endpoint, token, home.path());
        process::run(command, RUN_LIMIT).success()
    }

    /// The command that [`run`](Self::run) runs, with a home folder for the client's own files.
    pub fn command(
        &self,
        script: &str,
        arguments: &[&str],
        endpoint: &str,
        token: Option<&str>,
        home: &Path,
    ) -> Command {
        let mut command = self.script(script, arguments);
        command.env("HOME", home);
        server::configure(&mut command, endpoint, token);
        command.env("REDIVIS_TMPDIR", home);
        command
    }

    /// Runs a script of the folder `python` that needs no server, and returns what it printed.
    #[track_caller]
    pub fn run_offline(&self, script: &str, arguments: &[&str]) -> String {
        process::run(self.script(script, arguments), RUN_LIMIT).success()
    }

    fn script(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.interpreter);
        command
            .arg(
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("python")
                    .join(script),
            )
            .args(arguments)
            .env("PYTHONPATH", &self.client)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

/// A virtual environment with these requirements, by the folder that it lies in; made once.
pub(crate) fn environment(name: &str, requirements: &str) -> PathBuf {
    scratch::installed(name, requirements, |folder| {
        let mut create = Command::new("python3");
        create.args(["-m", "venv"]).arg(folder.join("environment"));
        install(create);
        let file = folder.join("requirements.txt");
        fs::write(&file, requirements).expect("the target folder is writable");
        let mut requirements = pip(folder);
        requirements.arg("--requirement").arg(file);
        install(requirements);
    })
}

/// The folder of an environment's programs.
pub(crate) fn programs(environment: &Path) -> PathBuf {
    environment.join("environment/bin")
}

fn interpreter(environment: &Path) -> PathBuf {
    programs(environment).join("python")
}

fn pip(environment: &Path) -> Command {
    let mut command = Command::new(interpreter(environment));
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    command
}

fn install(command: Command) {
    let described = format!("{command:?}");
    let finished = process::run(command, INSTALL_LIMIT);
    assert!(
        finished.status.success(),
        "The tests with the official clients need python3 (3.11 or newer) with venv, and the Python Package Index.\n\
         {described} failed:\n{}{}",
        finished.stdout,
        finished.stderr
    );
}
