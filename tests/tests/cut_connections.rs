//! The connection is cut after every so many bytes of a sync, in either direction, wherever that may
//! be: in a header, in a request body, in a gzip stream, between answer and acknowledgement. Whatever
//! the cut hit, the next sync must bring door and server together, with nothing lost or counted twice.

use std::sync::Arc;

use liventix_core::rules::Outcome;
use liventix_tests::{CuttingProxy, Door, Stage};

/// How many places of one sync are cut.
const CUTS: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_cut_anywhere_resumes_without_loss_or_double_counting() {
    let stage = Stage::new().await;
    let proxy = CuttingProxy::start(stage.address()).await;
    let mut bytes_of_a_sync = None;
    let mut admitted = 0;
    let mut cuts = 0;
    for round in 0..=CUTS {
        // Every round works on a new door with news in both directions.
        let door = new_door(&stage, &proxy, round).await;
        door.sync().await.expect("the first sync is not cut");
        let (here, elsewhere) = (stage.issue().await, stage.issue().await);
        let verdicts = [door.scan(&here), door.scan(&here)];
        assert_eq!(verdicts.map(|verdict| verdict.decision.outcome), [Outcome::Admit, Outcome::Refuse]);
        admitted += 1;

        match bytes_of_a_sync {
            // The first round measures.
            None => {
                let before = proxy.relayed();
                door.sync().await.expect("nothing is cut");
                bytes_of_a_sync = Some(proxy.relayed() - before);
            }
            Some(total) => {
                proxy.cut_after(total * round / (CUTS + 1));
                let cut = door.sync().await;
                cuts += u64::from(cut.is_err());
                proxy.heal();
                door.sync().await.expect("a healed network");
            }
        }
        assert_eq!(door.ledger().unsent_summary().unwrap().count, 0, "round {round}");
        assert_eq!(door.scan(&elsewhere).decision.outcome, Outcome::Admit, "round {round}");
        admitted += 1;
        door.sync().await.expect("a healed network");
        assert!(door.ledger().verify_chain().unwrap().first_break().is_none());
        let counts = stage.get(&stage.of_event("counts")).await;
        assert_eq!(counts["admitted"], admitted, "round {round}: {counts}");
        assert_eq!(counts["scans"], (round + 1) * 3, "round {round}: {counts}");
    }
    assert!(cuts > CUTS * 9 / 10, "only {cuts} of {CUTS} cuts broke a sync: the test has lost its teeth");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_download_cut_anywhere_goes_on_where_it_was() {
    const TICKETS: usize = 6_000;
    let stage = Stage::new().await;
    stage.import(TICKETS).await;
    let proxy = CuttingProxy::start(stage.address()).await;
    let whole = new_door(&stage, &proxy, 0).await;
    let before = proxy.relayed();
    whole.sync().await.expect("nothing is cut");
    let total = proxy.relayed() - before;
    let mut resumed = 0;
    for round in 1..=20 {
        let door = new_door(&stage, &proxy, round).await;
        proxy.cut_after(total * round / 21);
        door.sync().await.expect_err("a cut sync fails");
        resumed += u64::from(door.ledger().cursor(stage.event_id).unwrap_or(0) > 0);
        proxy.heal();
        door.sync().await.expect("a healed network");
        assert_eq!(door.ledger().counts(stage.event_id).unwrap().tickets, TICKETS as u64, "round {round}");
    }
    assert!(resumed > 0, "no cut fell between two pages: the test has lost its teeth");
}

async fn new_door(stage: &Stage, proxy: &CuttingProxy, number: u64) -> Door {
    let code = stage.enrolment(&proxy.url()).await;
    let ledger = stage.folder().join(format!("door-{number}.ledger"));
    Door::enrol(&code, &ledger, Arc::clone(&stage.clock), stage.event_id, stage.gates[0]).await
}
