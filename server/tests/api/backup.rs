//! Backup and restore on the command line.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use liventix_server::platform::db::Engine;

use crate::cli::run;
use crate::support::{Organiser, Place, Server, text};

fn admin(place: &Place, command: &str, flag: &str, file: &Path) -> Output {
    run(&["admin", command, flag, file.to_str().unwrap()], place)
}

fn refused(output: &Output, why: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains(why), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_under_load_is_a_whole_server_again() {
    let mut server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup.db");
    if crate::ENGINE == Engine::Postgres {
        return refused(&admin(&server.place, "backup", "--to", &file), "pg_dump --format=custom");
    }
    let organiser = Organiser::create(&server, "Harbour").await;
    let event = organiser.event(&server).await;
    let used = organiser.ticket(&server, &event).await;
    let fresh = organiser.ticket(&server, &event).await;
    event.redeem(&server, &organiser.key, &text(&used["code"])).await;
    let made = tokio::join!(organiser.import(&server, &event, 2_000), async {
        tokio::task::block_in_place(|| admin(&server.place, "backup", "--to", &file))
    });
    assert!(made.1.status.success(), "{made:?}");
    assert!(String::from_utf8_lossy(&made.1.stderr).contains("The root secret is not in it"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    refused(&admin(&server.place, "backup", "--to", &file), "is there already");
    refused(&admin(&server.place, "restore", "--from", &file), "is there already");

    // All is lost; a new machine has the root secret and the backup.
    server.shutdown().await;
    let name = |server: &Server| server.place.dir.path().join("liventix.db");
    for rest in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{rest}", name(&server).display()));
    }
    let restored = admin(&server.place, "restore", "--from", &file);
    assert!(restored.status.success(), "{restored:?}");
    server.start_again().await;
    server.clock.advance(60_000);
    let again = event.redeem(&server, &organiser.key, &text(&used["code"])).await;
    assert_eq!(again["reason"], "already_used");
    assert_eq!(event.redeem(&server, &organiser.key, &text(&fresh["code"])).await["outcome"], "admit");
    // The import is in the backup as a whole, or not at all.
    let counts = server.get(&format!("{}/counts", event.path), &organiser.key).await.expect(200);
    assert!(matches!(counts["tickets"]["valid"].as_i64(), Some(2 | 2_002)), "{counts}");
}

#[tokio::test]
async fn what_is_no_backup_is_not_put_back() {
    if crate::ENGINE == Engine::Postgres {
        return;
    }
    let place = Place::make().await;
    let database = place.dir.path().join("liventix.db");
    let folder = tempfile::tempdir().unwrap();
    let (file, broken) = (folder.path().join("backup.db"), folder.path().join("broken.db"));
    refused(&admin(&place, "backup", "--to", &file), "there is no database");
    refused(&admin(&place, "restore", "--from", &file), "there is no database");
    place.open().await.close().await;
    assert!(admin(&place, "backup", "--to", &file).status.success());
    std::fs::remove_file(&database).unwrap();

    std::fs::write(&broken, "not a database at all").unwrap();
    refused(&admin(&place, "restore", "--from", &broken), "is not a whole database");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    refused(&admin(&place, "restore", "--from", &broken), "is not a whole database");
    std::fs::copy(&file, &broken).unwrap();
    rusqlite::Connection::open(&broken).unwrap().pragma_update(None, "user_version", 999).unwrap();
    refused(&admin(&place, "restore", "--from", &broken), "restore it with the version it is of");
    let wal = place.dir.path().join("liventix.db-wal");
    std::fs::write(&wal, "left over").unwrap();
    refused(&admin(&place, "restore", "--from", &file), "is there already");
    std::fs::remove_file(&wal).unwrap();
    assert!(!database.exists() && std::fs::read_dir(place.dir.path()).unwrap().count() == 0);
    assert!(admin(&place, "restore", "--from", &file).status.success());
    place.open().await.close().await;
}
