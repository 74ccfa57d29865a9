//! Connections that break at any byte of any request of an upload: what arrives in the end is what was sent.

use std::{cell::Cell, net::SocketAddr};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{announced, drafting, pattern, started, stored};

/// What the client does in one request.
#[derive(Debug, Clone)]
struct Step {
    /// Bytes before the confirmed position that are sent again.
    again: usize,
    /// Bytes to announce; the rest of the file when 0.
    announced: usize,
    /// Where the connection breaks: that many thousandths into what is to be sent. Not at all from 1000 on.
    cut: usize,
    /// Whether the connection is reset rather than closed.
    reset: bool,
    /// Bytes in a write.
    write: usize,
}

fn step() -> impl Strategy<Value = Step> {
    (
        0..3usize,
        0..4usize,
        0..1400usize,
        any::<bool>(),
        1..40_000usize,
    )
        .prop_map(|(again, announced, cut, reset, write)| Step {
            again: again * 70_001,
            announced: announced * (256 << 10),
            cut,
            reset,
            write,
        })
}

/// The answer's status, and how many bytes it says are there.
async fn answer(connection: &mut TcpStream) -> Option<(u16, usize)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return None,
        }
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let there = head
        .split("\r\n")
        .find_map(|line| line.strip_prefix("range: bytes=0-"));
    Some((
        status,
        there.map_or(0, |last| last.parse::<usize>().unwrap() + 1),
    ))
}

/// How far it came. A request on a connection that is gone may reach the server after a newer one, which is refused then.
async fn ask(address: SocketAddr, path: &str) -> (u16, usize) {
    loop {
        let (status, there) = probe(address, path).await;
        if status != 409 {
            return (status, there);
        }
    }
}

async fn probe(address: SocketAddr, path: &str) -> (u16, usize) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "PUT {path} HTTP/1.1\r\nhost: h\r\ncontent-range: bytes */*\r\ncontent-length: 0\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    answer(&mut connection).await.unwrap()
}

/// Sends part of the file; what is told, if the connection lives that long.
async fn send(
    address: SocketAddr,
    path: &str,
    file: &[u8],
    there: usize,
    step: &Step,
) -> Option<(u16, usize)> {
    let start = there.saturating_sub(step.again);
    let end = match step.announced {
        0 => file.len(),
        // Of what is there, any multiple may be sent again.
        announced => (start + announced).min(file.len()),
    };
    let mut request = format!(
        "PUT {path} HTTP/1.1\r\nhost: h\r\ncontent-range: bytes {start}-{}/{}\r\ncontent-length: {}\r\n\r\n",
        end - 1,
        file.len(),
        end - start
    )
    .into_bytes();
    request.extend_from_slice(&file[start..end]);
    let cut = request.len() * step.cut / 1000;
    let mut connection = TcpStream::connect(address).await.unwrap();
    for piece in request[..cut.min(request.len())].chunks(step.write) {
        if connection.write_all(piece).await.is_err() {
            return None;
        }
    }
    if cut >= request.len() {
        return answer(&mut connection).await;
    }
    if step.reset {
        connection.set_zero_linger().unwrap();
    }
    None
}

#[test]
fn whatever_breaks_the_bytes_are_those_that_were_sent() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let local = runtime.block_on(drafting(|_| ()));
    let file = pattern(987_654);
    let cuts = Cell::new(0);
    let cases = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(cases).run(&prop::collection::vec(step(), 1..12), |steps| {
        runtime.block_on(async {
            let url = announced(&local, file.len(), true).await;
            let session = started(&url, file.len()).await;
            let path = session.split_once("/api/").unwrap().1;
            let path = format!("/api/{path}");
            let address = local.server.address();
            let mut there = 0;
            let finish = Step {
                again: 0,
                announced: 0,
                cut: 1000,
                reset: false,
                write: 1 << 20,
            };
            for step in steps.iter().chain(std::iter::repeat_n(&finish, 20)) {
                match send(address, &path, &file, there, step).await {
                    Some((status, _)) => assert!([200, 308, 409].contains(&status), "{status}"),
                    None => cuts.set(cuts.get() + 1),
                }
                let (status, told) = ask(address, &path).await;
                if status == 200 {
                    there = file.len();
                    break;
                }
                // What was confirmed stays.
                assert!(
                    status == 308 && told >= there,
                    "{status}: {told} after {there}"
                );
                there = told;
            }
            assert_eq!(there, file.len());
        });
        let mut files = stored(local.folder.path());
        let same = files.len() == 1 && files.pop().as_ref() == Some(&file);
        for entry in std::fs::read_dir(local.folder.path().join(".redivis/temporary")).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        prop_assert!(same, "the bytes are others");
        Ok(())
    });
    outcome.unwrap();
    assert!(cuts.get() > 200, "{} connections were cut", cuts.get());
}
