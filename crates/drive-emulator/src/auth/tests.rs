use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::*;

const BASE: &str = "http://127.0.0.1:1234";
const DRIVE: &str = "https://www.googleapis.com/auth/drive";
const ROBOT: &str = "robot@project.iam.gserviceaccount.com";
/// Seconds since 1970.
const NOW: i64 = 1_700_000_000;

/// A store with one service account and one person.
fn store() -> Connection {
    let db = Connection::open_in_memory().expect("memory is there");
    db.execute_batch(
        "CREATE TABLE users(email TEXT PRIMARY KEY);
         CREATE TABLE tokens(token TEXT, email TEXT, app TEXT, scopes TEXT, expires INTEGER);
         INSERT INTO users VALUES ('ana@example.com'), ('bea@example.com'), ('robot@project.iam.gserviceaccount.com');",
    )
    .expect("the tables are right");
    db.execute_batch(TABLES).expect("the tables are right");
    service_account_key(&db, ROBOT, BASE).expect("the key is made");
    db
}

fn claims() -> Value {
    json!({"iss": ROBOT, "scope": DRIVE, "aud": format!("{BASE}/token"), "iat": NOW, "exp": NOW + 3600, "sub": null})
}

/// An assertion as yup-oauth2 writes it: padded (9.34).
fn signed(claims: &Value) -> String {
    let header = URL_SAFE.encode(json!({"typ": "JWT", "alg": "RS256"}).to_string());
    let head = format!("{header}.{}", URL_SAFE.encode(claims.to_string()));
    let key = RsaPrivateKey::from_pkcs8_pem(include_str!("test_key.pem")).expect("the key is right");
    let signature = SigningKey::<Sha256>::new(key).sign(head.as_bytes());
    format!("{head}.{}", URL_SAFE.encode(signature.to_bytes()))
}

fn ask(db: &Connection, pairs: &[(&str, &str)]) -> Result<Value, TokenError> {
    let grantor = Grantor { db, now_ms: 5_000, machine_s: NOW, base_urls: vec![BASE.to_owned()] };
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    token(&grantor, &form(body.as_bytes()))
}

fn present(db: &Connection, assertion: &str) -> Result<Value, TokenError> {
    ask(db, &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)])
}

/// The answer to the usual claims with some changed; `null` takes one away.
fn with(db: &Connection, changes: &Value) -> Result<Value, TokenError> {
    let mut claims = claims();
    for (name, value) in changes.as_object().expect("changes are an object") {
        claims[name] = value.clone();
    }
    present(db, &signed(&claims))
}

fn refused(answer: Result<Value, TokenError>) -> (u16, String, String) {
    let error = answer.expect_err("it is refused");
    (error.status.as_u16(), error.error, error.description)
}

#[test]
fn b7_2_a_signed_assertion_gives_an_hour() {
    let db = store();
    let answer = with(&db, &json!({})).expect("it is granted");
    assert_eq!((&answer["expires_in"], &answer["token_type"]), (&json!(3599), &json!("Bearer")));
    let row: (String, String, String, i64) = db
        .query_row("SELECT email, app, scopes, expires FROM tokens WHERE token = ?1", [answer["access_token"].as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .expect("the token is recorded");
    assert_eq!(row, (ROBOT.into(), "project".into(), DRIVE.into(), 3_605_000));
}

#[test]
fn b9_34_unpadded_segments_are_taken_too() {
    let db = store();
    let padded = signed(&claims());
    assert!(padded.contains('='));
    let (head, signature) = padded.rsplit_once('.').expect("three parts");
    let bare = URL_SAFE_NO_PAD.encode(URL_SAFE.decode(signature).expect("base64"));
    assert!(present(&db, &format!("{head}.{bare}")).is_ok());
}

#[test]
fn b7_3_each_fault_has_its_answer() {
    // b12_9: each row of 7.3.
    let db = store();
    for text in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.!!"] {
        assert_eq!(refused(present(&db, text)), (400, "invalid_request".into(), "Bad Request".into()), "{text}");
    }
    let signature = (400, "invalid_grant".to_owned(), "Invalid JWT Signature.".to_owned());
    let good = signed(&claims());
    let (head, _) = good.rsplit_once('.').expect("three parts");
    assert_eq!(refused(present(&db, &format!("{head}."))), signature);
    assert_eq!(refused(present(&db, &format!("{head}.{}", URL_SAFE.encode([7_u8; 256])))), signature);
    let none = URL_SAFE.encode(json!({"alg": "none"}).to_string());
    assert_eq!(refused(present(&db, &format!("{none}.{}.AAAA", URL_SAFE.encode(claims().to_string())))), signature);

    let grant = |changes: Value| {
        let (status, error, description) = refused(with(&db, &changes));
        assert_eq!((status, error.as_str()), (400, "invalid_grant"), "{changes}");
        description
    };
    assert_eq!(grant(json!({"iss": "who@project.iam.gserviceaccount.com"})), "Invalid grant: account not found");
    assert_eq!(grant(json!({"iat": null})), "Invalid JWT: iat (issued at) is not set.");
    assert_eq!(grant(json!({"exp": null})), "Invalid JWT: exp (expiration time) is not set.");
    let window = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in \
                  the JWT claim.";
    assert_eq!(grant(json!({"iat": NOW - 7_200, "exp": NOW - 3_600})), window);
    assert_eq!(grant(json!({"sub": "ana"})), "Not a valid email");
    assert_eq!(grant(json!({"aud": "http://elsewhere/token"})), "Invalid JWT: Failed audience check.");
    for scope in [json!(""), json!(null), json!("drive")] {
        let (status, error, description) = refused(with(&db, &json!({"scope": scope})));
        assert_eq!((status, error.as_str()), (400, "invalid_scope"), "{scope}");
        assert_eq!(description, "Invalid OAuth scope or ID token audience provided.");
    }
}

#[test]
fn b7_5_the_window_of_times() {
    let db = store();
    let window = |iat: i64, exp: i64| with(&db, &json!({"iat": iat, "exp": exp})).is_ok();
    assert!(window(NOW, NOW + 3600));
    assert!(window(NOW + 300, NOW + 3600));
    assert!(window(NOW - 3599, NOW + 1));
    assert!(!window(NOW + 301, NOW + 3600));
    assert!(!window(NOW, NOW + 3601));
    assert!(!window(NOW - 3600, NOW));
    assert!(!window(NOW - 7200, NOW + 60));
    assert!(!window(NOW + 60, NOW + 30));
    assert!(with(&db, &json!({"iat": NOW.to_string(), "exp": (NOW + 60).to_string()})).is_ok());
}

#[test]
fn b7_4_an_unknown_scope_gives_no_access_token() {
    // b12_9: an id_token and nothing else.
    let db = store();
    let answer = with(&db, &json!({"scope": "https://www.googleapis.com/auth/drove"})).expect("it is a 200");
    assert!(answer.get("id_token").is_some() && answer.get("access_token").is_none(), "{answer}");
    let mixed = with(&db, &json!({"scope": format!("https://www.googleapis.com/auth/drove {DRIVE}")}));
    assert!(mixed.expect("it is a 200").get("access_token").is_some());
}

#[test]
fn b7_6_acting_for_somebody_takes_a_delegation() {
    // b12_9: each row of 7.6.
    let db = store();
    let unauthorized = || {
        let (status, error, description) = refused(with(&db, &json!({"sub": "ana@example.com"})));
        assert_eq!((status, error.as_str()), (401, "unauthorized_client"));
        assert!(description.starts_with("Client is unauthorized to retrieve access tokens using this method"), "{description}");
    };
    unauthorized();
    delegate(&db, ROBOT, "bea@example.com").expect("it is kept");
    unauthorized();
    delegate(&db, ROBOT, "Ana@example.com").expect("it is kept");
    let answer = with(&db, &json!({"sub": "ana@Example.com"})).expect("it is granted");
    let email: String = db
        .query_row("SELECT email FROM tokens WHERE token = ?1", [answer["access_token"].as_str()], |row| row.get(0))
        .expect("the token is recorded");
    assert_eq!(email, "ana@example.com");
    assert_eq!(refused(with(&db, &json!({"sub": "nobody@example.com"}))), (400, "invalid_grant".into(), "Invalid email or User ID".into()));
    undelegate(&db, ROBOT, "ana@example.com").expect("it is taken back");
    unauthorized();
    assert!(with(&db, &json!({"sub": ROBOT})).is_ok(), "acting for itself needs nobody's leave");
}

#[test]
fn a_revoked_key_signs_nothing_and_the_next_one_does() {
    let db = store();
    revoke_keys(&db, ROBOT).expect("it is revoked");
    assert_eq!(refused(with(&db, &json!({}))).2, "Invalid JWT Signature.");
    service_account_key(&db, ROBOT, BASE).expect("a new key is made");
    assert!(with(&db, &json!({})).is_ok());
}

#[test]
fn a_key_file_is_the_same_each_time_and_names_this_endpoint() {
    let db = store();
    let first = service_account_key(&db, ROBOT, BASE).expect("the key is there");
    assert_eq!(first, service_account_key(&db, ROBOT, BASE).expect("the key is there"));
    let file: Value = serde_json::from_str(&first).expect("it is JSON");
    assert_eq!(file["token_uri"], format!("{BASE}/token"));
    assert_eq!(file["client_email"], ROBOT);
    assert_eq!(file["type"], "service_account");
    assert_eq!(service_account_email("Robot"), ROBOT);
    assert_eq!(service_account_email(ROBOT), ROBOT);
}

#[test]
fn b7_9_refresh_tokens() {
    let db = store();
    let file = authorized_user(&db, "ana@example.com", DRIVE, BASE).expect("it is made");
    let text = |name: &str| file[name].as_str().expect("it is there").to_owned();
    let (id, secret, refresh) = (text("client_id"), text("client_secret"), text("refresh_token"));
    let get = |id: &str, secret: &str, refresh: &str| {
        ask(&db, &[("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret), ("refresh_token", refresh)])
    };
    let answer = get(&id, &secret, &refresh).expect("it is granted");
    assert_eq!(answer["scope"], DRIVE);
    assert!(answer["access_token"].is_string() && answer.get("refresh_token").is_none());
    assert_eq!(refused(get(&id, "wrong", &refresh)).0, 401);
    assert_eq!(refused(get(&id, &secret, "1//none")), (400, "invalid_grant".into(), "Bad Request".into()));
    revoke_refresh_tokens(&db, "ana@example.com").expect("it is revoked");
    assert_eq!(refused(get(&id, &secret, &refresh)).2, "Token has been expired or revoked.");
}

#[test]
fn other_grants_are_refused() {
    let db = store();
    assert_eq!(refused(ask(&db, &[("grant_type", "password")])).1, "unsupported_grant_type");
    assert_eq!(refused(ask(&db, &[])).1, "invalid_request");
}
