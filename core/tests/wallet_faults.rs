//! Every request and every use of the secret store fails once, in every way; the call repeated puts
//! everything right, and nothing is done twice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test panics")]

mod harness;
mod wallet_support;

use harness::Venue;
use liventix_core::wallet::WalletError;
use wallet_support::{Fault, Phone, Plan, World};

/// What an attendee does, each needing what comes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Claim,
    Activate,
    Refresh,
    Transfer,
    CancelTransfer,
    Release,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::Claim, Self::Activate, Self::Refresh, Self::Transfer, Self::CancelTransfer, Self::Release];

    async fn run(self, world: &World, phone: &Phone) -> Result<(), WalletError> {
        let (wallet, id) = (&phone.wallet, world.ticket_id());
        match self {
            Self::Claim => wallet.claim(&world.link(), "Ada's phone").await.map(drop),
            Self::Activate => wallet.activate(id).await.map(drop),
            Self::Refresh => match wallet.refresh().await?.failed.pop() {
                Some(failure) => Err(failure.error),
                None => Ok(()),
            },
            Self::Transfer => wallet.transfer(id).await.map(drop),
            Self::CancelTransfer => wallet.cancel_transfer(id).await.map(drop),
            Self::Release => wallet.release(id).await,
        }
    }

    /// A phone for which everything before this step went well.
    async fn ready(self) -> (World, Phone) {
        let world = World::new(Venue::new());
        let phone = world.phone(1);
        for step in Self::ALL.into_iter().take_while(|step| *step != self) {
            step.run(&world, &phone).await.unwrap();
        }
        world.network.plan(None);
        phone.secrets.break_from(None);
        (world, phone)
    }

    /// What the server has done once this step is through.
    fn done(self) -> Vec<&'static str> {
        let all: [&[&str]; 6] =
            [&["claimed"], &["activated"], &[], &["offered"], &["taken back"], &["released"]];
        let place = Self::ALL.iter().position(|step| *step == self).unwrap();
        all[..=place].concat()
    }

    /// Phone and server agree, and nothing happened twice.
    async fn assert_done(self, world: &World, phone: &mut Phone, what: &str) {
        world.network.plan(None);
        phone.secrets.break_from(None);
        if let Err(error) = self.run(world, phone).await {
            // Released at the server before the answer was lost, and forgotten here: there is nothing left.
            let nothing_left = matches!(error, WalletError::TicketUnknown { .. });
            assert!(self == Self::Release && nothing_left, "{what}: {error:?}");
        }
        assert_eq!(world.server().done, self.done(), "{what}");
        phone.restart();
        if self == Self::Release {
            assert!(phone.wallet.tickets().unwrap().is_empty(), "{what}");
            assert!(phone.secrets.text("wallet.ticket").is_none(), "{what}");
            return;
        }
        let held = phone.held();
        assert!(!held.gone && held.server_url == wallet_support::URL, "{what}");
        let pending = held.ticket.transfer_pending_until.is_some();
        assert_eq!(pending, self == Self::Transfer, "{what}");
        assert_eq!(phone.wallet.live_code(world.ticket_id()).is_ok(), self != Self::Claim, "{what}");
    }

    async fn requests(self) -> usize {
        let (world, phone) = self.ready().await;
        self.run(&world, &phone).await.unwrap();
        world.network.sent().len()
    }
}

#[tokio::test]
async fn any_request_may_fail_once_in_any_way() {
    for step in Step::ALL {
        for fault in Fault::ALL {
            for number in 0..step.requests().await {
                let what = format!("{step:?}: {fault:?} at request {number}");
                let (world, mut phone) = step.ready().await;
                world.network.plan(Some(Plan { from: number, until: number + 1, fault }));
                // Some faults are cured by a retry, some end the call; both are fine.
                let _ = step.run(&world, &phone).await;
                step.assert_done(&world, &mut phone, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn the_network_may_stay_broken_from_any_request_on() {
    for step in Step::ALL {
        for fault in [Fault::CutBeforeSend, Fault::CutAfterSend, Fault::Status500, Fault::SignInPage] {
            for number in 0..step.requests().await {
                let what = format!("{step:?}: {fault:?} from request {number} on");
                let (world, mut phone) = step.ready().await;
                world.network.plan(Some(Plan { from: number, until: usize::MAX, fault }));
                let error = step.run(&world, &phone).await.expect_err(&what);
                assert!(error.is_passing(), "{what}: {error:?}");
                if step != Step::Claim {
                    let held = phone.held();
                    assert!(!held.gone, "{what}: a ticket on the phone stays");
                }
                step.assert_done(&world, &mut phone, &what).await;
            }
        }
    }
}

#[tokio::test]
async fn the_secret_store_may_fail_from_any_use_on() {
    for step in Step::ALL {
        let (world, phone) = step.ready().await;
        step.run(&world, &phone).await.unwrap();
        let uses = phone.secrets.calls();
        assert!(uses >= 3, "{step:?} uses the store {uses} times");
        for number in 0..uses {
            let what = format!("{step:?}: the store fails from use {number} on");
            let (world, mut phone) = step.ready().await;
            phone.secrets.break_from(Some(number));
            if let Err(error) = step.run(&world, &phone).await {
                assert_eq!(error.code(), "secrets", "{what}");
            }
            step.assert_done(&world, &mut phone, &what).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_identity_is_kept() {
    let (world, phone) = Step::Claim.ready().await;
    phone.secrets.break_from(Some(2));
    let error = Step::Claim.run(&world, &phone).await.unwrap_err();
    assert_eq!(error.code(), "secrets");
    assert!(world.network.sent().is_empty(), "{:?}", world.network.sent());
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_the_turn_to_the_next() {
    let (world, phone) = Step::Activate.ready().await;
    let id = world.ticket_id();
    for polls in 0..12 {
        let mut call = Box::pin(phone.wallet.activate(id));
        for _ in 0..polls {
            tokio::select! {
                biased;
                _ = &mut call => break,
                () = tokio::task::yield_now() => {}
            }
        }
        drop(call);
    }
    let (one, other) = tokio::join!(phone.wallet.activate(id), phone.wallet.refresh());
    assert!(one.is_ok() && other.unwrap().failed.is_empty());
    assert_eq!(world.server().done, Step::Activate.done());
}

#[tokio::test]
async fn a_damaged_value_is_an_error_until_the_next_refresh_mends_it() {
    for text in [Some(""), Some("{}"), Some("not json"), Some("null"), None] {
        let (world, phone) = Step::Refresh.ready().await;
        phone.secrets.damage("wallet.ticket", text);
        let id = world.ticket_id();
        for result in [phone.wallet.ticket(id).map(drop), phone.wallet.live_code(id).map(drop)] {
            assert!(matches!(result, Err(WalletError::TicketDamaged { .. })), "{text:?}: {result:?}");
        }
        assert!(phone.wallet.tickets().unwrap().is_empty());
        assert_eq!(phone.wallet.refresh().await.unwrap().updated, [id], "{text:?}");
        assert!(phone.wallet.live_code(id).is_ok());
    }
}

#[tokio::test]
async fn a_damaged_ticket_s_server_is_not_forgotten_with_another_ticket() {
    let (world, phone) = Step::Refresh.ready().await;
    phone.secrets.damage("wallet.ticket", Some("{"));
    let other = world.other.server.lock().unwrap().link();
    let other = liventix_core::wallet::ClaimLink::parse(&other, false).unwrap();
    phone.wallet.claim(&other, "Ada's phone").await.unwrap();
    phone.wallet.forget(other.ticket_id()).unwrap();
    let report = phone.wallet.refresh().await.unwrap();
    assert!(report.updated.contains(&world.ticket_id()), "{report:?}");
    phone.wallet.forget(other.ticket_id()).unwrap();
    assert!(phone.secrets.text("wallet.times").unwrap().contains(wallet_support::URL));
    assert!(!phone.secrets.text("wallet.times").unwrap().contains(wallet_support::OTHER_URL));
}

#[tokio::test]
async fn a_damaged_list_or_clock_loses_no_ticket() {
    for name in ["wallet.index", "wallet.times"] {
        for text in [Some("{"), Some("7"), None] {
            let (world, mut phone) = Step::Refresh.ready().await;
            phone.secrets.damage(name, text);
            if name == "wallet.times" {
                phone.restart();
            }
            let id = world.ticket_id();
            assert!(phone.wallet.live_code(id).is_ok(), "{name} {text:?}");
            let report = phone.wallet.refresh().await.unwrap();
            assert!(report.failed.is_empty() && report.gone.is_empty(), "{name} {text:?}: {report:?}");
            assert_eq!(phone.held().ticket.ticket_id, id, "{name} {text:?}");
        }
    }
}

#[tokio::test]
async fn a_lost_identity_leaves_the_tickets_good_and_says_what_to_do() {
    for text in [Some(""), Some("lxw_00_00"), None] {
        let (world, phone) = Step::Refresh.ready().await;
        let id = world.ticket_id();
        phone.secrets.damage("wallet.identity", text);
        assert!(phone.wallet.live_code(id).is_ok());
        let report = phone.wallet.refresh().await.unwrap();
        assert_eq!(report.failed[0].error.code(), "identity_lost");
        assert_eq!(phone.wallet.activate(id).await.unwrap_err().code(), "identity_lost");
        assert!(!phone.held().gone);
        // With a new identity it is another phone to the server, until the organiser frees the ticket.
        let again = phone.wallet.claim(&world.link(), "Ada's phone").await;
        assert_eq!(again.unwrap_err().code(), "already_claimed");
        world.server().holders.clear();
        phone.wallet.claim(&world.link(), "Ada's phone").await.unwrap();
    }
}
