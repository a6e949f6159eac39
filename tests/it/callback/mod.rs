//! Deliveries to a real receiver.

use std::io::Read;
use std::time::{Duration, Instant};

use tecnico::callback::{Answer, Client, Delivery, Keys};
use tecnico::domain::clock;

use crate::support::python;
use crate::support::receiver::{Receiver, Reply};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const PAYLOAD: &str = "{\"user_id\":\"42\",\"result\":{\"message\":\"João às 10h\"}}";

fn client(limit: Duration) -> anyhow::Result<Client> {
    Ok(Client::with_keys(limit, Keys::parse(&format!("{OLD}\n{NEW}")))?)
}

async fn deliver(client: &Client, url: &str) -> Answer {
    client.deliver(Delivery { id: "evt_0190", url, payload: PAYLOAD }, clock::now()).await
}

/// A delivery must have failed; gives why and the wait asked for.
fn failed(answer: Answer) -> anyhow::Result<(String, Option<Duration>)> {
    match answer {
        Answer::Failed { error, retry_after } => Ok((error, retry_after)),
        other => anyhow::bail!("{other:?}"),
    }
}

#[tokio::test]
async fn c6_6_the_python_package_verifies_both_keys_and_refuses_a_changed_body() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    let url = format!("{}/api/callbacks/process?token=1", backend.url());
    assert_eq!(deliver(&client(Duration::from_secs(10))?, &url).await, Answer::Delivered { status: 200 });
    let request = backend.wait_for(1).await.remove(0);
    assert_eq!((request.target.as_str(), request.body.as_str()), ("/api/callbacks/process?token=1", PAYLOAD));
    assert_eq!(request.headers.get("content-type").map(String::as_str), Some("application/json"));
    assert_eq!(request.headers.get("webhook-id").map(String::as_str), Some("evt_0190"));
    let verify = "import json,sys\nfrom standardwebhooks.webhooks import Webhook\n\
        print(json.dumps(Webhook(sys.argv[1]).verify(sys.argv[2], json.loads(sys.argv[3]))))";
    let headers = serde_json::to_string(&request.headers)?;
    for key in [OLD, NEW] {
        let read: serde_json::Value = serde_json::from_str(&python::run(verify, &[key, &request.body, &headers])?)?;
        assert_eq!(read, serde_json::from_str::<serde_json::Value>(PAYLOAD)?);
    }
    for (key, body) in [("whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=", PAYLOAD), (OLD, "{\"user_id\":\"43\"}")] {
        let refused = python::run(verify, &[key, body, &headers]).expect_err("it must not verify");
        assert!(refused.to_string().contains("WebhookVerificationError"), "{refused}");
    }
    Ok(())
}

#[tokio::test]
async fn c3_5_only_2xx_is_a_delivery_and_the_id_stays_the_same() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    let client = client(Duration::from_secs(10))?;
    for (status, taken) in [(500, false), (404, false), (401, false), (204, true), (202, true), (304, false)] {
        backend.reply(Reply::status(status));
        let answer = deliver(&client, backend.url()).await;
        assert_eq!(answer == Answer::Delivered { status }, taken, "{status}: {answer:?}");
    }
    let ids: std::collections::BTreeSet<_> = backend.requests().into_iter().filter_map(|r| r.headers.get("webhook-id").cloned()).collect();
    assert_eq!((ids.len(), backend.requests().len()), (1, 6));
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> anyhow::Result<()> {
    let (backend, elsewhere) = (Receiver::start().await?, Receiver::start().await?);
    for status in [301, 302, 307, 308] {
        backend.reply(Reply::With(status, vec![("location", elsewhere.url().to_owned())], String::new()));
        let (error, _) = failed(deliver(&client(Duration::from_secs(10))?, backend.url()).await)?;
        assert!(error.contains(&status.to_string()) && error.contains("redirects are not followed"), "{error}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
    Ok(())
}

#[tokio::test]
async fn the_reason_is_one_short_line_and_retry_after_is_read() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    let body = format!("busy\r\n\u{1b}[31m now {}", "x".repeat(1_000_000));
    backend.reply(Reply::With(503, vec![("retry-after", "90".into())], body));
    let (error, wait) = failed(deliver(&client(Duration::from_secs(10))?, &format!("{}/?token=segredo", backend.url())).await)?;
    assert_eq!(wait, Some(Duration::from_secs(90)));
    assert!(error.contains("answered 503: busy [31m now xxx") && error.len() < 300, "{error}");
    assert!(!error.contains("segredo") && !error.contains('\u{1b}'), "{error}");
    Ok(())
}

#[tokio::test]
async fn gone_stops_the_address() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    backend.reply(Reply::With(410, Vec::new(), "desligado".into()));
    let answer = deliver(&client(Duration::from_secs(10))?, backend.url()).await;
    assert!(matches!(&answer, Answer::Gone { error } if error.contains("desligado")), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_backend_that_hangs_costs_no_more_than_the_limit_and_others_go_on() -> anyhow::Result<()> {
    let (slow, quick) = (Receiver::start().await?, Receiver::start().await?);
    slow.reply(Reply::Hang);
    let client = client(Duration::from_millis(300))?;
    let begun = Instant::now();
    let (stuck, fine) = tokio::join!(deliver(&client, slow.url()), deliver(&client, quick.url()));
    assert_eq!(fine, Answer::Delivered { status: 200 });
    let (error, _) = failed(stuck)?;
    assert!(error.contains("no answer within"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(slow.requests().len(), 1);
    slow.reply(Reply::status(200));
    assert_eq!(deliver(&client, slow.url()).await, Answer::Delivered { status: 200 });
    Ok(())
}

#[tokio::test]
async fn a_cut_after_the_status_is_a_delivery_and_before_it_is_none() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    backend.reply(Reply::CutBody);
    let client = client(Duration::from_secs(10))?;
    assert_eq!(deliver(&client, backend.url()).await, Answer::Delivered { status: 200 });

    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/?token=segredo", listener.local_addr()?);
    let server = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut line, _) = listener.accept()?;
        // Takes the request, then drops the line without a word.
        line.read(&mut [0; 4096]).map(drop)
    });
    let (error, _) = failed(deliver(&client, &url).await)?;
    assert!(error.contains("cut") && !error.contains("segredo"), "{error}");
    server.join().expect("the server does not panic")?;
    // A port of the system's own; one that was free a moment ago may be another test's by now.
    let (error, _) = failed(deliver(&client, "http://127.0.0.1:9/?token=segredo").await)?;
    assert!(error.contains("cannot connect") && !error.contains("segredo"), "{error}");
    Ok(())
}

#[tokio::test]
async fn without_a_key_events_go_out_unsigned() -> anyhow::Result<()> {
    let backend = Receiver::start().await?;
    let client = Client::with_keys(Duration::from_secs(10), None)?;
    assert_eq!(deliver(&client, backend.url()).await, Answer::Delivered { status: 200 });
    let headers = backend.requests().remove(0).headers;
    assert!(headers.contains_key("webhook-timestamp") && !headers.contains_key("webhook-signature"), "{headers:?}");
    Ok(())
}
