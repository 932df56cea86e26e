//! Something that a provider is asked for until it is certain what became of it: a payment, a refund, a payout.
//!
//! It is written down before each call that it is made, and after it what came of it. Where nobody answered, the same
//! call is made again with the same key, so that the provider gives what it gave before. Where it gives the same
//! failure again and again, or may have forgotten the key, what it has is looked up instead.

use liventix_core::ids::EventId;

use super::calls::{Call, Subject};
use super::failure::{CallFailure, Outcome};
use super::jobs;
use super::provider::Provider;
use super::stripe::Answered;
use crate::app::AppState;
use crate::platform::breaker::{self, Permit};
use crate::platform::db::Tx;
use crate::platform::ids::CallId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::platform::telemetry::context;

/// What is to be done next, as it stands under the lock before the call.
#[derive(Debug)]
pub(super) enum Plan<W> {
    /// Nothing: it is known.
    Nothing,
    /// Nothing yet: somebody else is asking.
    Wait,
    /// Ask for it, with this key.
    Create(W, String),
    /// Look whether the provider has it.
    LookUp(W),
}

/// What came of a call.
#[derive(Debug)]
pub(super) enum Answer<E> {
    /// It is known.
    Known,
    /// It is not known yet.
    NotKnown(CallFailure),
    /// It is known, and something else is to be asked for in its place.
    Instead(E),
}

/// What came of a call, and the event whose doors have to learn of it.
#[derive(Debug)]
pub(super) struct Told<E> {
    pub(super) answer: Answer<E>,
    pub(super) doors: Option<EventId>,
}

impl<E> Told<E> {
    /// Nothing that doors have to learn of.
    pub(super) const fn quietly(answer: Answer<E>) -> Self {
        Self { answer, doors: None }
    }
}

/// Something that a provider is asked for.
pub(super) trait Errand: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// What is asked for, as it was read under the lock.
    type Wish: Send + Sync + 'static;
    /// What the provider has of it.
    type Object: Send + Sync + 'static;
    /// What the calls are named on record.
    const CREATE: &'static str;
    /// See [`CREATE`](Self::CREATE).
    const LOOK_UP: &'static str;

    /// Who is asked; nobody, if it is known.
    fn provider(
        self,
        app: &AppState,
    ) -> impl Future<Output = ApiResult<Result<Option<Provider>, Failure>>> + Send;

    /// Takes the lock, and writes down what is about to be done.
    fn plan(
        self,
        tx: &mut Tx,
        app: &AppState,
        by_look_up: bool,
    ) -> impl Future<Output = ApiResult<Plan<Self::Wish>>> + Send;

    /// Whom a call goes to, and what it is about.
    fn subject(wish: &Self::Wish) -> Subject;

    /// The call that asks for it.
    fn create(
        provider: &Provider,
        wish: &Self::Wish,
    ) -> impl Future<Output = Result<Answered<Self::Object>, CallFailure>> + Send;

    /// The call that looks whether the provider has it.
    fn look_up(
        provider: &Provider,
        wish: &Self::Wish,
    ) -> impl Future<Output = Result<Answered<Vec<Self::Object>>, CallFailure>> + Send;

    /// Takes in what came of asking.
    fn created(
        self,
        tx: &mut Tx,
        app: &AppState,
        wish: Self::Wish,
        result: Result<Self::Object, CallFailure>,
    ) -> impl Future<Output = ApiResult<Told<Self>>> + Send;

    /// Takes in what the provider has; `call` is new for each look.
    fn looked_up(
        self,
        tx: &mut Tx,
        app: &AppState,
        wish: Self::Wish,
        found: (Vec<Self::Object>, CallId),
    ) -> impl Future<Output = ApiResult<Told<Self>>> + Send;
}

/// What is known once nobody asks any more.
#[derive(Debug)]
pub(super) enum Asked<E> {
    /// As far as it can be: with what was asked for in the end.
    Known(E),
    /// It is not known yet.
    NotKnown(CallFailure),
}

/// The job: asks until it is known.
///
/// # Errors
/// While it is not: then it is tried again.
pub(super) async fn find_out<E: Errand>(app: &AppState, errand: E) -> Result<(), Failure> {
    match ask(app, errand).await? {
        Asked::Known(_) => Ok(()),
        Asked::NotKnown(failure) => Err(failure.into()),
    }
}

/// Asks once; and once more in another way, where the first way leads nowhere.
///
/// # Errors
/// When the database fails.
pub(super) async fn ask<E: Errand>(app: &AppState, errand: E) -> ApiResult<Asked<E>> {
    let mut answer = once(app, errand, false).await?;
    if matches!(&answer, Answer::NotKnown(failure) if failure.is_replayed) {
        // The same failure will come for ever.
        answer = once(app, errand, true).await?;
    }
    match answer {
        Answer::Known => Ok(Asked::Known(errand)),
        Answer::NotKnown(failure) => Ok(Asked::NotKnown(failure)),
        Answer::Instead(other) => match once(app, other, false).await? {
            Answer::NotKnown(failure) => Ok(Asked::NotKnown(failure)),
            Answer::Known | Answer::Instead(_) => Ok(Asked::Known(other)),
        },
    }
}

async fn once<E: Errand>(app: &AppState, errand: E, by_look_up: bool) -> ApiResult<Answer<E>> {
    let not_called = |why: String| Ok(Answer::NotKnown(CallFailure::new(Outcome::NotCalled, why)));
    let provider = match errand.provider(app).await? {
        Ok(Some(provider)) => provider,
        Ok(None) => return Ok(Answer::Known),
        Err(failure) => return not_called(failure.detail),
    };
    let name = provider.kind().code();
    let Permit::Call { had_failures } = breaker::ask(app.db(), name, app.now()).await? else {
        return not_called("It has failed too often of late.".to_owned());
    };
    let app_in = app.clone();
    let planned = app.db().write(move |tx| {
        Box::pin(async move {
            let plan = errand.plan(tx, &app_in, by_look_up).await?;
            let (wish, operation) = match &plan {
                Plan::Create(wish, key) => (wish, (E::CREATE, Some(key.as_str()))),
                Plan::LookUp(wish) => (wish, (E::LOOK_UP, None)),
                Plan::Nothing | Plan::Wait => return Ok((plan, None)),
            };
            let call = Call::before(tx, &app_in, E::subject(wish), operation, had_failures).await?;
            Ok::<_, ApiError>((plan, Some(call)))
        })
    });
    match planned.await? {
        (Plan::Create(wish, _), Some(call)) => {
            let result = context::provider(name, E::CREATE, E::create(&provider, &wish)).await;
            created(app, errand, (call, wish), result).await
        }
        (Plan::LookUp(wish), Some(call)) => {
            let result = context::provider(name, E::LOOK_UP, E::look_up(&provider, &wish)).await;
            looked_up(app, errand, (call, wish), result).await
        }
        (Plan::Wait, _) => {
            Ok(Answer::NotKnown(CallFailure::new(Outcome::InProgress, "It is being asked for.")))
        }
        _ => Ok(Answer::Known),
    }
}

async fn created<E: Errand>(
    app: &AppState,
    errand: E,
    (call, wish): (Call, E::Wish),
    result: Result<Answered<E::Object>, CallFailure>,
) -> ApiResult<Answer<E>> {
    let app_in = app.clone();
    let told = app.db().write(move |tx| {
        Box::pin(async move {
            call.after(tx, &app_in, &result).await?;
            errand.created(tx, &app_in, wish, result.map(|answered| answered.value)).await
        })
    });
    Ok(tell(app, told.await?))
}

async fn looked_up<E: Errand>(
    app: &AppState,
    errand: E,
    (call, wish): (Call, E::Wish),
    result: Result<Answered<Vec<E::Object>>, CallFailure>,
) -> ApiResult<Answer<E>> {
    let app_in = app.clone();
    let told = app.db().write(move |tx| {
        Box::pin(async move {
            call.after(tx, &app_in, &result).await?;
            match result {
                Ok(answered) => errand.looked_up(tx, &app_in, wish, (answered.value, call.id)).await,
                Err(failure) => Ok(Told::quietly(Answer::NotKnown(failure))),
            }
        })
    });
    Ok(tell(app, told.await?))
}

fn tell<E>(app: &AppState, told: Told<E>) -> Answer<E> {
    told.doors.into_iter().for_each(|event| app.ring(event));
    jobs::wake(app);
    told.answer
}
