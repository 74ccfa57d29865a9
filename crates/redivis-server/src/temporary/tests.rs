//! Temp uploads are taken once, by their user, when they are complete.

use futures::stream;

use super::*;

fn uploads(folder: &Path) -> TempUploads {
    let database = Arc::new(Database::open(&folder.join("catalog.sqlite")).unwrap());
    let hour = Duration::from_secs(3600);
    TempUploads::new(database, folder.join("temporary"), hour).unwrap()
}

fn body(text: &'static str) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    stream::iter([Ok(Bytes::from(text))])
}

fn take(uploads: &TempUploads, id: &str, user: &str) -> Result<Received, String> {
    let taken = uploads
        .database
        .write(|change| uploads.take(change, id, user));
    taken.map_err(|error| error.to_string())
}

#[tokio::test]
async fn what_is_complete_is_taken_once_by_its_user() {
    let folder = tempfile::tempdir().unwrap();
    let uploads = uploads(folder.path());
    let new = |is_resumable| NewTempUpload {
        size: 5,
        is_resumable,
    };
    let ids = uploads.create("ann", &[new(false), new(true)]).unwrap();
    let [plain, resumable] = &ids[..] else {
        panic!("{} ids", ids.len())
    };

    for id in &ids {
        let refused = take(&uploads, id, "ann").unwrap_err();
        assert!(refused.contains("0 of 5 bytes"), "{refused}");
    }
    let session = uploads.start(resumable, None).await.unwrap();
    assert!(
        uploads
            .send(&session, None, None, &mut body("12"))
            .await
            .is_err()
    );
    let refused = take(&uploads, resumable, "ann").unwrap_err();
    assert!(refused.contains("2 of 5 bytes"), "{refused}");
    let rest = ContentRange::parse("2-4/5");
    let done = uploads.send(&session, rest, None, &mut body("345")).await;
    assert_eq!(done.unwrap(), Progress::Complete);
    uploads.put(plain, None, &mut body("12345")).await.unwrap();

    for id in &ids {
        let refused = take(&uploads, id, "bob").unwrap_err();
        assert!(refused.contains("does not exist"), "{refused}");
        // A change that is not made takes nothing.
        let undone: Result<(), TempUploadError> = uploads.database.write(|change| {
            uploads.take(change, id, "ann")?;
            Err(TempUploadError::Superseded)
        });
        assert!(matches!(undone, Err(TempUploadError::Superseded)));
        let received = take(&uploads, id, "ann").unwrap();
        assert_eq!(fs::read(&received.path).unwrap(), b"12345");
        assert_eq!(received.size, 5);
        let refused = take(&uploads, id, "ann").unwrap_err();
        assert!(refused.contains("used already"), "{refused}");
        uploads.remove(id);
        assert!(!received.path.exists());
        assert!(take(&uploads, id, "ann").is_err());
    }
}

#[tokio::test]
async fn what_is_taken_stays_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let uploads = uploads(folder.path());
    let files = || fs::read_dir(&uploads.folder).unwrap().count();
    let refused = uploads.store(&mut body("12345"), 4).await;
    assert!(matches!(
        refused,
        Err(TempUploadError::TooLarge { limit: 4 })
    ));
    drop(uploads.store(&mut body("forgotten"), 9).await.unwrap());
    assert_eq!(files(), 0);

    let inline = uploads.store(&mut body("12345"), 5).await.unwrap();
    let adopted = uploads
        .database
        .write(|change| uploads.adopt(change, &inline, "ann"));
    let id = adopted.unwrap();
    inline.keep().unwrap();
    let refused = take(&uploads, &id, "ann").unwrap_err();
    assert!(refused.contains("used already"), "{refused}");
    // It is past its time already.
    uploads.purge().unwrap();
    uploads.sweep().unwrap();
    assert_eq!(fs::read(uploads.taken(&id).unwrap()).unwrap(), b"12345");
    uploads.remove(&id);
    assert_eq!(files(), 0);
}
