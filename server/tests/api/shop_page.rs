//! The shop's pages, as a browser without a script gets them.

use liventix_stand_ins::stripe::{Card, Fault, Operation, Stripe};
use serde_json::json;

use crate::support::shop::{server_with, trying_out};
use crate::support::{Server, Shop, form, new_id};

/// What a page says, its status and where it sends to.
struct Page {
    status: u16,
    html: String,
    location: String,
    policy: String,
}

async fn send(server: &Server, request: reqwest::RequestBuilder) -> Page {
    let reply = server.send(request).await;
    let text = |name: &str| {
        reply.headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let (location, policy) = (text("location"), text("content-security-policy"));
    Page { status: reply.status, html: String::from_utf8(reply.bytes).unwrap(), location, policy }
}

async fn open(server: &Server, path: &str) -> Page {
    send(server, server.http.get(server.url(path))).await
}

/// Presses a page's button. A client that follows nobody sees where it sends to.
async fn submit(server: &Server, path: &str, fields: &[(&str, &str)]) -> Page {
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.post(server.url(path)).body(form(fields));
    send(server, request.header("content-type", "application/x-www-form-urlencoded")).await
}

/// The fields of an order of so many day tickets.
fn fields<'a>(field: &'a str, quantity: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(field, quantity), ("name", "Ida Berg"), ("email", "ida@example.org"), ("key", key)]
}

#[tokio::test]
async fn pressing_the_button_twice_is_one_order() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(5)).await;
    let path = format!("/shop/{}", shop.event.id);
    let page = open(&server, &path).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("Harbour Lights") && page.html.contains("Trying out"), "{}", page.html);
    assert!(page.policy.contains("default-src 'none'"));
    let key = page.html.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let field = format!("quantity-{}", shop.event.day);
    let first = submit(&server, &path, &fields(&field, "2", &key)).await;
    assert_eq!(first.status, 303);
    let again = submit(&server, &path, &fields(&field, "2", &key)).await;
    assert_eq!(first.location, again.location);
    assert_eq!(shop.stock(&server).await, (2, 0));
    let order = open(&server, &first.location).await;
    assert!(order.html.contains("Pay 83.00 EUR"));
    let given_up = submit(&server, &format!("{}/cancel", first.location), &[]).await;
    assert_eq!(given_up.status, 303);
    assert!(open(&server, &first.location).await.html.contains("This order is cancelled"));
}

#[tokio::test]
async fn what_is_wrong_is_said_where_it_is_typed_and_nothing_is_lost() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(1)).await;
    let (path, field) = (format!("/shop/{}", shop.event.id), format!("quantity-{}", shop.event.day));
    let key = format!("checkout:page:{}", new_id());
    let none = submit(&server, &path, &fields(&field, "0", &key)).await;
    assert_eq!(none.status, 422);
    assert!(none.html.contains("Choose the tickets you want.") && none.html.contains("value=\"Ida Berg\""));
    assert!(!none.html.contains(&key), "what is put right is another order");
    shop.order(&server, 1).await;
    let key = format!("checkout:page:{}", new_id());
    let late = submit(&server, &path, &fields(&field, "1", &key)).await;
    assert_eq!(late.status, 409);
    assert!(late.html.contains("Sold out"), "{}", late.html);
    let nowhere = open(&server, &format!("/shop/{}", new_id())).await;
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.html.contains("There is nothing to buy here"));
    assert_eq!(open(&server, "/shop/elsewhere").await.status, 400);
    let guess = open(&server, "/shop/orders/lxo_00").await;
    assert_eq!(guess.status, 401);
    assert!(guess.html.contains("We cannot find this order"));
}

/// Names are text, whatever stands in them.
#[tokio::test]
async fn nothing_that_is_typed_becomes_a_part_of_the_page() {
    let server = trying_out().await;
    let shop = Shop::open(&server, Some(5)).await;
    let (path, field) = (format!("/shop/{}", shop.event.id), format!("quantity-{}", shop.event.day));
    let key = format!("checkout:page:{}", new_id());
    let mut typed = fields(&field, "1", &key);
    typed[1].1 = "<script>alert(1)</script>\"'";
    let order = submit(&server, &path, &typed).await;
    submit(&server, &format!("{}/test-payment", order.location), &[("outcome", "pay")]).await;
    let page = open(&server, &order.location).await;
    assert!(page.html.contains("You have your tickets"));
    assert!(!page.html.contains("<script>alert"), "{}", page.html);
}

#[tokio::test]
async fn with_stripe_the_page_has_stripes_form_and_says_what_a_timeout_means() {
    let stripe = Stripe::start().await;
    let server = server_with(&stripe).await;
    let shop = Shop::open(&server, Some(5)).await;
    let (path, field) = (format!("/shop/{}", shop.event.id), format!("quantity-{}", shop.event.day));
    let key = format!("checkout:page:{}", new_id());
    stripe.fail(Operation::CreatePayment, Fault::HangAfter);
    let timeout = submit(&server, &path, &fields(&field, "1", &key)).await;
    assert_eq!(timeout.status, 504);
    assert!(timeout.html.contains("Your card has not been charged. Please try again."), "{}", timeout.html);
    assert!(timeout.html.contains(&key), "the same order is tried again");
    let order = submit(&server, &path, &fields(&field, "1", &key)).await;
    let page = open(&server, &order.location).await;
    let [intent] = <[_; 1]>::try_from(stripe.all("payment_intent")).unwrap();
    assert!(page.html.contains(intent["client_secret"].as_str().unwrap()));
    assert!(page.html.contains("https://js.stripe.com/v3/") && page.html.contains("pk_test_liventix"));
    stripe.buyer_pays(intent["id"].as_str().unwrap(), Card::Good).unwrap();
    // As Stripe sends the buyer back.
    let back = format!(
        "{}?payment_intent={}&redirect_status=succeeded",
        order.location,
        intent["id"].as_str().unwrap()
    );
    let paid = open(&server, &back).await;
    assert!(paid.html.contains("You have your tickets"), "{}", paid.html);
    assert!(!paid.html.contains("_secret_"));
    let refund = json!({"all": true, "reason": "rain"});
    let orders = server.get(&format!("{}/orders", shop.event.path), &shop.organiser.key).await.expect(200);
    let path = format!("/v1/orders/{}/refunds", orders["items"][0]["order_id"].as_str().unwrap());
    let request = server.request(reqwest::Method::POST, &path, &shop.organiser.key).json(&refund);
    server.send(request.header("idempotency-key", format!("refund:desk:{}", new_id()))).await.expect(201);
    assert!(open(&server, &order.location).await.html.contains("Your money is on its way back"));
}
