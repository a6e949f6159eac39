//! Keys and tokens, as a client uses them (`drive-v3-behaviour` 7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use drive_emulator::DriveEmulator;
use drive_emulator::control::{Effect, Fault, Quota, Status, When};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::{Value, json};

use crate::support::refresh;

const SCOPE: &str = "https://www.googleapis.com/auth/drive";

/// Asks for a token with a key file, for `subject` if one is named.
async fn token(key: &str, subject: Option<&str>) -> (u16, Value) {
    token_for(key, subject, SCOPE).await
}

/// The same with other scopes.
async fn token_for(key: &str, subject: Option<&str>, scope: &str) -> (u16, Value) {
    let key: Value = serde_json::from_str(key).expect("the key file is JSON");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970").as_secs();
    let claims = json!({
        "iss": key["client_email"], "scope": scope, "aud": key["token_uri"],
        "iat": now, "exp": now + 3600, "sub": subject,
    });
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let head = format!("{}.{}", URL_SAFE.encode(header.to_string()), URL_SAFE.encode(claims.to_string()));
    let private = key["private_key"].as_str().expect("a key");
    let private = RsaPrivateKey::from_pkcs8_pem(private).expect("a key in PEM");
    let signature = SigningKey::<Sha256>::new(private).sign(head.as_bytes()).to_bytes();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("assertion", format!("{head}.{}", URL_SAFE.encode(signature))),
    ];
    post(key["token_uri"].as_str().expect("an address"), &form).await
}

async fn post(url: &str, form: &[(&str, String)]) -> (u16, Value) {
    let response = reqwest::Client::new().post(url).form(form).send().await.expect("it answers");
    (response.status().as_u16(), response.json().await.expect("it answers in JSON"))
}

/// Status and address of the caller, as Drive sees them.
async fn whoami(drive: &DriveEmulator, token: &Value) -> (u16, Value) {
    let url = format!("{}/drive/v3/about?fields=user/emailAddress", drive.url());
    let token = token["access_token"].as_str().expect("a token");
    let response = reqwest::Client::new().get(url).bearer_auth(token).send().await.expect("it answers");
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("it answers in JSON");
    (status, body["user"]["emailAddress"].clone())
}

#[tokio::test]
async fn b7_1_a_service_account_signs_itself_in() {
    // b12_9: with padded segments and a sub that is null.
    let drive = DriveEmulator::start().await;
    let key = drive.control().service_account("robot").expect("it is made");
    let (status, answer) = token(&key, None).await;
    assert_eq!(status, 200, "{answer}");
    let robot = json!("robot@project.iam.gserviceaccount.com");
    assert_eq!(whoami(&drive, &answer).await, (200, robot));
    drive.control().clock_advance(std::time::Duration::from_secs(3_601)).expect("time passes");
    assert_eq!(whoami(&drive, &answer).await.0, 401, "a token lives an hour of the emulated clock");
    let (status, renewed) = token(&key, None).await;
    assert_eq!((status, whoami(&drive, &renewed).await.0), (200, 200));
}

#[tokio::test]
async fn b7_6_delegation_makes_the_user_the_actor() {
    let drive = DriveEmulator::start().await;
    let control = drive.control();
    let key = control.service_account("robot").expect("it is made");
    let (status, answer) = token(&key, Some("ana@example.com")).await;
    assert_eq!((status, &answer["error"]), (401, &json!("unauthorized_client")));
    control.grant_delegation("robot@project.iam.gserviceaccount.com", "ana@example.com").expect("it is granted");
    let (status, answer) = token(&key, Some("ana@example.com")).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(whoami(&drive, &answer).await, (200, json!("ana@example.com")));
}

#[tokio::test]
async fn b7_3_a_revoked_key_gets_no_token_and_a_revoked_token_no_answer() {
    let drive = DriveEmulator::start().await;
    let control = drive.control();
    let key = control.service_account("robot").expect("it is made");
    let (_, answer) = token(&key, None).await;
    control.revoke_keys("robot").expect("it is revoked");
    let (status, refusal) = token(&key, None).await;
    assert_eq!((status, &refusal["error_description"]), (400, &json!("Invalid JWT Signature.")));
    assert_eq!(whoami(&drive, &answer).await.0, 200, "tokens outlive their key");
    control.revoke_tokens("robot@project.iam.gserviceaccount.com").expect("they are revoked");
    assert_eq!(whoami(&drive, &answer).await.0, 401);
}

#[tokio::test]
async fn b7_9_a_person_refreshes() {
    let drive = DriveEmulator::start().await;
    let file = drive.control().authorized_user("ana@example.com").expect("it is made");
    let file: Value = serde_json::from_str(&file).expect("JSON");
    let (url, form) = refresh(&file);
    let (status, answer) = post(&url, &form).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(whoami(&drive, &answer).await, (200, json!("ana@example.com")));
}

#[tokio::test]
async fn b7_7_the_token_endpoint_has_its_own_shape() {
    let drive = DriveEmulator::start().await;
    let (status, answer) = post(&format!("{}/token", drive.url()), &[("grant_type", "password".to_owned())]).await;
    assert_eq!((status, &answer["error"]), (400, &json!("unsupported_grant_type")));
    assert!(answer["error_description"].is_string());
}

#[tokio::test]
async fn b7_10_a_refresh_token_that_ended() {
    let drive = DriveEmulator::start().await;
    let file: Value = serde_json::from_str(&drive.control().authorized_user("ana@example.com").expect("it is made")).expect("JSON");
    let (url, good) = refresh(&file);
    let with = |field: &str, other: &str| good.clone().map(|(name, value)| (name, if name == field { other.to_owned() } else { value }));
    let (status, answer) = post(&url, &with("refresh_token", "ended")).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let (status, answer) = post(&url, &with("client_secret", "wrong")).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    // b7_8: a token that was good is good for an hour.
    let (_, answer) = post(&url, &good).await;
    assert!(answer["expires_in"].as_i64().is_some_and(|seconds| (3_500..=3_600).contains(&seconds)), "{answer}");
    drive.control().clock_advance(std::time::Duration::from_mins(61)).expect("time passes");
    assert_eq!(whoami(&drive, &answer).await.0, 401);
}

#[tokio::test]
async fn b7_12_key_files_name_the_emulators_token_endpoint_and_b7_22_their_account() {
    let drive = DriveEmulator::start().await;
    let key: Value = serde_json::from_str(&drive.control().service_account("robot").expect("it is made")).expect("JSON");
    assert_eq!(key["type"], "service_account");
    assert_eq!(key["token_uri"], format!("{}/token", drive.url()));
    assert_eq!(key["client_email"], "robot@project.iam.gserviceaccount.com");
}

#[tokio::test]
async fn b7_7_the_token_endpoint_fails_for_a_while() {
    // b12_9: 5xx.
    let drive = DriveEmulator::start().await;
    let key = drive.control().service_account("robot").expect("it is made");
    let failure = Effect::Status(Status::new(503, "internal_failure"));
    drive.control().fault(Fault::new(failure).op("token").when(When::Next { next: 1 })).expect("a rule that can strike");
    let (status, answer) = token(&key, None).await;
    assert_eq!((status, &answer["error"]), (503, &json!("internal_failure")));
    assert_eq!(token(&key, None).await.0, 200);
}

#[tokio::test]
async fn b6_6_a_token_of_too_small_a_scope() {
    let drive = DriveEmulator::start().await;
    let key = drive.control().service_account("robot").expect("it is made");
    let (_, answer) = token_for(&key, None, "https://www.googleapis.com/auth/drive.readonly").await;
    let token = answer["access_token"].as_str().expect("a token");
    let request = reqwest::Client::new().post(format!("{}/drive/v3/files", drive.url())).bearer_auth(token).json(&json!({}));
    let response = request.send().await.expect("it answers");
    let header = response.headers()["www-authenticate"].to_str().expect("text").to_owned();
    assert!(header.starts_with("Bearer ") && header.contains("insufficient_scope"), "{header}");
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["error"]["errors"][0]["reason"], "insufficientPermissions");
    assert_eq!(body["error"]["details"][0]["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
}

#[tokio::test]
async fn b6_27_a_service_account_is_one_user_and_b7_21_acting_for_a_person_it_is_that_person() {
    let drive = DriveEmulator::start().await;
    let control = drive.control();
    let key = control.service_account("robot").expect("it is made");
    control.user("ana@example.com").expect("she is made");
    control.grant_delegation("robot@project.iam.gserviceaccount.com", "ana@example.com").expect("it is granted");
    let tokens = [token(&key, None).await.1, token(&key, None).await.1, token(&key, Some("ana@example.com")).await.1];
    control.set_quota(Quota { calls_per_minute: Some(1), ..Quota::default() });
    assert_eq!(whoami(&drive, &tokens[0]).await.0, 200);
    assert_eq!(whoami(&drive, &tokens[1]).await.0, 403, "another token, the same user");
    assert_eq!(whoami(&drive, &tokens[2]).await, (200, json!("ana@example.com")), "whose quota is her own");
    control.set_quota(Quota::default());
    let create = |token: &Value| {
        let token = token["access_token"].as_str().expect("a token").to_owned();
        reqwest::Client::new().post(format!("{}/drive/v3/files?fields=id,ownedByMe", drive.url())).bearer_auth(token).json(&json!({}))
    };
    assert_eq!(create(&tokens[2]).send().await.expect("it answers").status(), 200, "a person owns what is made for them");
    assert_eq!(create(&tokens[0]).send().await.expect("it answers").status(), 403, "b7_15: the account itself has no storage");
}

/// b12_9: what happens to accounts and grants at Google is told by rules: suspended people, consent withdrawn, trouble.
#[tokio::test]
async fn b12_9_a_rule_answers_as_the_token_endpoint_does() {
    let drive = DriveEmulator::start().await;
    let key = drive.control().service_account("robot").expect("it is made");
    for (code, error, description) in [
        (400, "invalid_grant", "The account has been deleted"),
        (400, "invalid_grant", "Token has been expired or revoked."),
        (400, "invalid_grant", "reauth related error (invalid_rapt)"),
        (400, "invalid_request", "Invalid impersonation prn email address."),
        (401, "invalid_client", "The OAuth client was not found."),
        (403, "access_denied", "Requested client not authorized."),
        (500, "internal_failure", "Backend Error"),
        (503, "internal_failure", "Backend Error"),
    ] {
        drive.control().clear_faults();
        let status = Status { message: Some(description.to_owned()), ..Status::new(code, error) };
        drive.control().fault(Fault::new(Effect::Status(status)).op("token")).expect("a rule that can strike");
        let refused = json!({"error": error, "error_description": description});
        assert_eq!(token(&key, None).await, (code, refused));
    }
    let told: Vec<_> = drive.control().requests().into_iter().filter_map(|request| request.reason).collect();
    assert_eq!((told.len(), told[5].as_str()), (8, "access_denied"));
}
