//! A request for a page that fails.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::layout;
use crate::platform::db::DbError;
use crate::platform::problem::{ApiError, Code};
use crate::platform::request_id;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What a service refused, or what broke.
    Api(ApiError),
    /// Nobody is signed in: they are asked to, and come back here afterwards.
    SignIn {
        /// Where to.
        location: String,
    },
    /// A form that did not come from a page of ours, or from one that is too old.
    NotOurForm,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Api(error.into())
    }
}

/// What stands there instead.
#[derive(Serialize)]
struct Notice {
    title: &'static str,
    text: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn { location } => layout::see_other(&location),
            Self::NotOurForm => {
                let text = "The page was open for too long, or another site sent you here. Nothing was done. \
                            Open the page again and repeat it.";
                let notice = Notice { title: "That did not come from this page", text: text.to_owned() };
                with_body(StatusCode::FORBIDDEN.into_response(), &notice)
            }
            Self::Api(error) => {
                let notice = notice(&error);
                // It has the status, the headers, and has been logged.
                with_body(error.into_response(), &notice)
            }
        }
    }
}

/// A request that could not be read.
pub(super) fn unreadable(response: Response) -> Response {
    let text = "The address is not one of ours as it stands. Go back, or begin at the start.".to_owned();
    with_body(response, &Notice { title: "That cannot be read", text })
}

fn with_body(mut response: Response, notice: &Notice) -> Response {
    let plain = format!("{}. {}", notice.title, notice.text);
    *response.body_mut() = Body::from(layout::notice(notice).unwrap_or(plain));
    layout::as_html(response)
}

fn notice(error: &ApiError) -> Notice {
    let (title, text) = match error.code().status() {
        StatusCode::NOT_FOUND => (
            "There is nothing here",
            "It may have been removed, or you may not belong to whoever it is of. Check the address."
                .to_owned(),
        ),
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT => {
            let id = request_id::current().unwrap_or_default();
            let text = format!("The server failed. Try again in a moment. If it stays so, quote {id}.");
            ("Something went wrong here", text)
        }
        _ => (error.code().title(), error.detail().to_owned()),
    };
    match error.code() {
        Code::InvitationUnknown
        | Code::InvitationEnded
        | Code::LinkUnknown
        | Code::LinkUsed
        | Code::LinkExpired => Notice { title: error.code().title(), text: error.detail().to_owned() },
        _ => Notice { title, text },
    }
}
