//! The registrar's calls to servers.

use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::{PushRegistrar, fingerprint};
use crate::ids::PushMessageId;
use crate::push::error::PushError;
use crate::push::keeper::Waiting;
use crate::push::registration::{AT_ONCE, Registration, Step};
use crate::push::wire::{MAX_RECEIPTS, PushDevice, PushPreferences, Receipt, Receipts, TestSent};
use crate::resilience::AsyncSleeper;
use crate::sync::call::{Call, Caller};
use crate::sync::transport::Connect;
use crate::wallet::WalletError;

const PUSH: &str = "/v1/wallet/push";
const PREFERENCES: &str = "/v1/wallet/push/preferences";
const TEST: &str = "/v1/wallet/push/test";
const RECEIPTS: &str = "/v1/wallet/push/receipts";

impl<C: Connect, S: AsyncSleeper> PushRegistrar<C, S> {
    fn bearer(&self, server_url: &str) -> Result<Option<SecretString>, PushError> {
        let token = self.wallet.identity(server_url)?;
        token.map(Some).ok_or(PushError::Call(WalletError::IdentityLost))
    }

    async fn ask<A: DeserializeOwned + Send>(&self, server_url: &str, call: &Call) -> Result<A, PushError> {
        let transport = self.connector.connect(server_url)?;
        let caller = Caller { transport: &transport, sleeper: &self.sleeper, entropy: &*self.entropy };
        Ok(caller.call_by(&AT_ONCE, call).await?.0)
    }

    /// Tells a server the token, or to forget it.
    pub(super) async fn take(&self, server_url: &str, step: Step) -> Result<(), PushError> {
        let bearer = self.bearer(server_url)?;
        let token = match step {
            Step::Register(token) => token,
            Step::Withdraw => {
                return self.ask(server_url, &Call::delete("push_withdraw", PUSH.to_owned(), bearer)).await;
            }
        };
        // Where another token came in between, there is something else to do: this step is none any more.
        let Some(told) = self.told()?.filter(|told| fingerprint(told) == token) else {
            return Err(PushError::NotRegistered { server_url: server_url.to_owned() });
        };
        let call = Call::put("push_register", PUSH.to_owned(), bearer, &told)?;
        self.ask::<PushDevice>(server_url, &call).await.map(drop)
    }

    /// Which messages somebody wants from a server, and when.
    ///
    /// # Errors
    /// [`PushError::NotRegistered`]; or no network, or no secret store.
    pub async fn preferences(&self, server_url: &str) -> Result<PushPreferences, PushError> {
        let call = Call::get("push_device", PUSH.to_owned(), self.bearer(server_url)?);
        self.about_device(server_url, &call).await
    }

    /// Says which messages somebody wants from a server, and when.
    ///
    /// # Errors
    /// [`PushError::QuietHours`], [`PushError::NotRegistered`]; or no network, or no secret store.
    pub async fn set_preferences(
        &self,
        server_url: &str,
        preferences: PushPreferences,
    ) -> Result<PushPreferences, PushError> {
        if preferences.impossible().is_some() {
            return Err(PushError::QuietHours);
        }
        let bearer = self.bearer(server_url)?;
        let call = Call::put("push_preferences", PREFERENCES.to_owned(), bearer, &preferences)?;
        self.about_device(server_url, &call).await
    }

    async fn about_device(&self, server_url: &str, call: &Call) -> Result<PushPreferences, PushError> {
        let device: PushDevice = self.known(server_url, self.ask(server_url, call).await)?;
        if !device.is_active {
            self.keeper.change_server(server_url, Registration::doubt)?;
        }
        Ok(device.preferences)
    }

    /// Has a server send this phone a message, for people who want to see that it works.
    ///
    /// # Errors
    /// [`PushError::NotRegistered`]; or no network, or no secret store.
    pub async fn send_test(&self, server_url: &str) -> Result<PushMessageId, PushError> {
        let bearer = self.bearer(server_url)?;
        let call = Call::post("push_test", TEST.to_owned(), bearer, &serde_json::json!({}))?;
        let sent: TestSent = self.known(server_url, self.ask(server_url, &call).await)?;
        Ok(sent.message_id)
    }

    /// An answer of a server that may know nothing of this phone: then it is told again.
    fn known<A>(&self, server_url: &str, answer: Result<A, PushError>) -> Result<A, PushError> {
        match answer {
            Err(PushError::Call(WalletError::Refused { code, .. })) if code == "push_device_not_found" => {
                self.keeper.change_server(server_url, Registration::doubt)?;
                Err(PushError::NotRegistered { server_url: server_url.to_owned() })
            }
            answer => answer,
        }
    }

    /// Hands in what waits, at each server as much as one call takes at a time. What a server refuses is given up; what does
    /// not reach it goes on waiting.
    pub(super) async fn hand_in_receipts(&self) -> Result<(), PushError> {
        let mut waiting = self.keeper.receipts()?;
        waiting.sort_by(|one, other| one.server_url.cmp(&other.server_url));
        for of_server in waiting.chunk_by(|one, other| one.server_url == other.server_url) {
            for batch in of_server.chunks(MAX_RECEIPTS) {
                match self.hand_in(batch).await {
                    Ok(()) | Err(PushError::Call(WalletError::Refused { .. })) => {
                        self.keeper.remove_receipts(batch)?;
                    }
                    Err(error) => {
                        tracing::warn!(code = error.code(), %error, "receipts wait on");
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn hand_in(&self, batch: &[Waiting]) -> Result<(), PushError> {
        let Some(server_url) = batch.first().map(|waiting| &waiting.server_url) else { return Ok(()) };
        let now = self.now();
        let receipt = |waiting: &Waiting| Receipt {
            message_id: waiting.message_id,
            kind: waiting.kind,
            age_ms: u64::try_from(now.saturating_sub(waiting.at)).unwrap_or(0),
        };
        let receipts = Receipts { receipts: batch.iter().map(receipt).collect() };
        let bearer = self.bearer(server_url)?;
        self.ask(server_url, &Call::post("push_receipts", RECEIPTS.to_owned(), bearer, &receipts)?).await
    }
}
