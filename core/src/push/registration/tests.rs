//! What happens to a registration, step by step and in any order.

use proptest::prelude::*;

use super::*;
use crate::entropy::FixedEntropy;

const NOW: i64 = 1_785_500_000_000;

fn token(number: u8) -> TokenFingerprint {
    TokenFingerprint::from_bytes([number; 32])
}

fn fail(registration: &mut Registration, verdict: Retry, now: i64) {
    let step = registration.step(now).unwrap();
    registration.failed(step, verdict, ("offline", "no network"), (now, &FixedEntropy::new(1)));
}

#[test]
fn it_goes_from_nothing_to_registered_and_back() {
    let mut it = Registration::default();
    assert_eq!((it.state(NOW), it.step(NOW)), (RegistrationState::Unregistered, None));
    it.want(token(1));
    assert_eq!((it.state(NOW), it.step(NOW)), (RegistrationState::Pending, Some(Step::Register(token(1)))));
    it.took(token(1), NOW);
    assert_eq!((it.state(NOW), it.step(NOW), it.due_at(NOW)), (RegistrationState::Registered, None, None));
    it.want(token(1));
    assert_eq!(it.step(NOW), None, "told again at every start");
    it.want(token(2));
    assert_eq!(
        (it.state(NOW), it.step(NOW)),
        (RegistrationState::RefreshNeeded, Some(Step::Register(token(2))))
    );
    it.took(token(2), NOW);
    it.unwant();
    assert_eq!((it.state(NOW), it.step(NOW)), (RegistrationState::Unregistered, Some(Step::Withdraw)));
    it.let_go();
    assert_eq!(it, Registration::default());
}

#[test]
fn a_week_later_or_where_the_server_doubts_it_is_told_again() {
    let mut it = Registration::default();
    it.want(token(1));
    it.took(token(1), NOW);
    assert_eq!(it.state(NOW + REFRESH_MS - 1), RegistrationState::Registered);
    assert_eq!(it.state(NOW + REFRESH_MS), RegistrationState::RefreshNeeded);
    assert_eq!(it.state(NOW - CLOCK_SLACK_MS), RegistrationState::Registered);
    assert_eq!(
        it.state(NOW - CLOCK_SLACK_MS - 1),
        RegistrationState::RefreshNeeded,
        "that was another clock"
    );
    it.doubt();
    assert_eq!(
        (it.state(NOW), it.step(NOW)),
        (RegistrationState::RefreshNeeded, Some(Step::Register(token(1))))
    );
}

#[test]
fn it_is_patient_and_the_network_shortens_its_wait() {
    let mut it = Registration::default();
    it.want(token(1));
    let mut now = NOW;
    for minutes in [1, 5, 30, 120, 720, 1_440, 1_440] {
        fail(&mut it, Retry::Backoff, now);
        assert_eq!((it.state(now), it.step(now)), (RegistrationState::Failed, None));
        let wait = it.due_at(now).unwrap() - now;
        assert!((minutes * 60_000..=minutes * 72_000).contains(&wait), "{minutes}: {wait}");
        now += wait;
    }
    fail(&mut it, Retry::Backoff, now);
    it.network_is_back();
    assert!(it.step(now).is_some());
    // As after a restart.
    let text = serde_json::to_string(&it).unwrap();
    assert_eq!(serde_json::from_str::<Registration>(&text).unwrap(), it);
    // A server that asked to be left alone is.
    fail(&mut it, Retry::After(60 * 60_000), now);
    it.network_is_back();
    let wait = it.due_at(now).unwrap() - now;
    assert!((86_400_000..=86_400_000 * 6 / 5).contains(&wait), "{wait}");
    // For as long as it asked, where that is longer than its turn; and for a day at most.
    for (hours, most) in [(1, 1), (23, 23), (24 * 365, 24)] {
        let mut it = Registration::default();
        it.want(token(1));
        fail(&mut it, Retry::After(hours * 3_600_000), now);
        it.network_is_back();
        assert!(!it.is_given_up());
        let wait = it.due_at(now).unwrap() - now;
        assert!((most * 3_600_000..=most * 3_600_000 * 6 / 5).contains(&wait), "{hours}: {wait}");
    }
}

#[test]
fn what_is_refused_for_good_is_not_tried_again_until_there_is_another_token() {
    let mut it = Registration::default();
    it.want(token(1));
    fail(&mut it, Retry::No, NOW);
    assert!(it.is_given_up());
    it.network_is_back();
    it.want(token(1));
    assert_eq!((it.step(NOW + REFRESH_MS), it.due_at(NOW)), (None, None));
    it.want(token(2));
    assert_eq!((it.state(NOW), it.step(NOW)), (RegistrationState::Pending, Some(Step::Register(token(2)))));
    // Whoever is not known at the server is signed out.
    it.took(token(2), NOW);
    it.unwant();
    fail(&mut it, Retry::No, NOW);
    assert_eq!(it, Registration::default());
}

#[test]
fn an_answer_about_an_earlier_token_settles_nothing() {
    let mut it = Registration::default();
    it.want(token(1));
    let step = it.step(NOW).unwrap();
    it.want(token(2));
    it.failed(step, Retry::No, ("push_token_shape", "another shape"), (NOW, &FixedEntropy::new(1)));
    assert_eq!(it.trouble(), None);
    it.took(token(1), NOW);
    assert_eq!(
        (it.state(NOW), it.step(NOW)),
        (RegistrationState::RefreshNeeded, Some(Step::Register(token(2))))
    );
    // Signed out while it was under way: the server is told to forget it.
    it.unwant();
    it.took(token(2), NOW);
    assert_eq!(it.step(NOW), Some(Step::Withdraw));
}

#[test]
fn whoever_signs_out_while_an_answer_is_lost_is_forgotten_all_the_same() {
    let mut it = Registration::default();
    it.want(token(1));
    it.begin(it.step(NOW).unwrap());
    fail(&mut it, Retry::Backoff, NOW);
    it.unwant();
    assert_eq!(it.step(NOW), Some(Step::Withdraw));
    it.let_go();
    assert_eq!(it, Registration::default());
}

#[test]
fn a_wait_from_a_clock_that_was_wrong_is_over() {
    let mut it = Registration::default();
    it.want(token(1));
    fail(&mut it, Retry::Backoff, NOW + 10 * REFRESH_MS);
    assert_eq!(it.due_at(NOW), Some(NOW));
}

#[derive(Debug, Clone)]
enum Event {
    Want(u8),
    Unwant,
    /// The step is taken, and ends so.
    Run(Retry, bool),
    Network,
    Doubt,
    Wait(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let verdict = prop_oneof![Just(Retry::No), Just(Retry::Backoff), (0_u64..400_000).prop_map(Retry::After)];
    prop_oneof![
        (0_u8..3).prop_map(Event::Want),
        Just(Event::Unwant),
        (verdict, any::<bool>()).prop_map(|(verdict, is_lost)| Event::Run(verdict, is_lost)),
        Just(Event::Network),
        Just(Event::Doubt),
        (0_i64..3 * 86_400_000).prop_map(Event::Wait),
    ]
}

proptest! {
    /// Whatever happens, once everything works again the server ends up with what is wanted, and with nothing else.
    #[test]
    fn in_the_end_the_server_has_what_is_wanted(events in prop::collection::vec(event(), 0..40)) {
        let (mut it, mut server, mut now, mut wanted) = (Registration::default(), None, NOW, None);
        let entropy = FixedEntropy::new(7);
        for event in events {
            match event {
                Event::Want(number) => { it.want(token(number)); wanted = Some(token(number)); }
                Event::Unwant => { it.unwant(); wanted = None; }
                Event::Network => it.network_is_back(),
                Event::Doubt => it.doubt(),
                Event::Wait(ms) => now += ms,
                Event::Run(verdict, is_lost) => if let Some(step) = it.step(now) {
                    it.begin(step);
                    // The answer may get lost after the server did it. It refuses nothing that is right.
                    if is_lost && verdict != Retry::No {
                        server = match step { Step::Register(token) => Some(token), Step::Withdraw => None };
                    }
                    if verdict != Retry::No {
                        it.failed(step, verdict, ("offline", "no network"), (now, &entropy));
                    }
                },
            }
            prop_assert_eq!(it.state(now) == RegistrationState::Unregistered, wanted.is_none());
            prop_assert!(it.state(now) != RegistrationState::Failed || it.due_at(now).is_some());
            prop_assert!(it.due_at(now).is_none_or(|at| at - now <= LONGEST_WAIT_MS));
        }
        while let Some(at) = it.due_at(now) {
            now = at;
            match it.step(now).unwrap() {
                Step::Register(token) => { server = Some(token); it.took(token, now); }
                Step::Withdraw => { server = None; it.let_go(); }
            }
        }
        prop_assert_eq!(server, wanted);
        if wanted.is_some() {
            prop_assert_eq!(it.state(now), RegistrationState::Registered);
        }
    }
}
