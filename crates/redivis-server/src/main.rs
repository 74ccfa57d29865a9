//! `redivis-server`: the arguments, what it says, and when it stops.
//!
//! The first line on standard output is the endpoint and nothing else, so that scripts can read it; everything for
//! people goes to standard error.

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use redivis_server::{Config, Server};
use tracing_subscriber::EnvFilter;

/// A local Redivis: the service's REST API over a directory of files.
///
/// DIR/<owner>/<dataset>/<table>.{parquet,csv,ndjson,arrow} are released tables, and
/// DIR/<owner>/<dataset>/next/<table>/<upload>.… the uploads of the unreleased next version.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The data folder; what the server keeps goes to DIR/.redivis
    #[arg(value_name = "DIR", required_unless_present = "sample")]
    directory: Option<PathBuf>,
    /// Serve the sample data as demo.nycflights13, from a temporary folder if there is no DIR
    #[arg(long)]
    sample: bool,
    /// The address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A JSON file of tokens: [{"token": "…", "user": "alice", "scopes": ["data.data"]}]
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Have a login page that logs in whoever opens it, as USER; without it, clients need a token
    #[arg(long, value_name = "USER")]
    login: Option<String>,
    /// How long read sessions live, as in 6h, 10m or 90s
    #[arg(long, value_name = "TIME", default_value = "6h", value_parser = duration)]
    session_ttl: Duration,
    /// Requests a minute per token, or `off`
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = requests)]
    requests_per_minute: Requests,
}

/// A number of requests, or any number.
#[derive(Debug, Clone, Copy)]
struct Requests(Option<u32>);

fn requests(text: &str) -> Result<Requests, String> {
    if text == "off" {
        return Ok(Requests(None));
    }
    match text.parse() {
        Ok(0) | Err(_) => Err("it is neither a number above 0 nor `off`".to_owned()),
        Ok(number) => Ok(Requests(Some(number))),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    let seconds = match unit {
        "s" | "" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    let total = seconds
        .zip(number.parse::<u64>().ok())
        .and_then(|(seconds, number)| number.checked_mul(seconds))
        // More is no use, and would not fit into a point in time.
        .filter(|total| (1..=3600 * 24 * 365).contains(total));
    total
        .map(Duration::from_secs)
        .ok_or_else(|| "it is not a time such as 6h, 10m or 90s".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("redivis-server: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(run(arguments));
    // A conversion under way need not be waited for: nothing of it is seen until it is complete.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("redivis-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything is announced, so that whoever reads the endpoint may already stop the server.
    let stop = stop_signal()?;
    let login = arguments.login;
    let server = Server::start(Config {
        directory: arguments.directory,
        sample: arguments.sample,
        listen: arguments.listen,
        session_ttl: arguments.session_ttl,
        requests_per_minute: arguments.requests_per_minute.0,
        login: login.clone(),
        tokens: arguments.tokens,
        ..Config::sample()
    })
    .await?;
    announce(&server, login.as_deref())?;
    stop.await;
    eprintln!("stopping");
    server.stop().await;
    Ok(())
}

fn announce(server: &Server, login: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", server.endpoint())?;
    out.flush()?;
    drop(out);

    let endpoint = server.endpoint();
    eprintln!("serving {} at {endpoint}", server.directory().display());
    eprintln!("the Python, R and JavaScript clients and redivis-sql find it with");
    eprintln!("    export REDIVIS_API_ENDPOINT={endpoint}");
    match server.token_file() {
        Some(file) => {
            eprintln!(
                "    export REDIVIS_API_TOKEN=\"$(cat '{}')\"",
                file.display()
            );
        }
        None => eprintln!("    export REDIVIS_API_TOKEN=…   (one of the tokens file)"),
    }
    if let Some(user) = login {
        eprintln!(
            "without a token, Python and R open a page that logs whoever opens it in as {user}"
        );
    }
    Ok(())
}

/// Ends with SIGTERM or Ctrl-C.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        let interrupt = tokio::signal::ctrl_c();
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt => {}
        }
        #[cfg(not(unix))]
        let _ = interrupt.await;
    })
}
