use super::*;

const RELATED: &str = "multipart/related; boundary=b0";

/// Reads an upload whose body arrives in pieces of `step` bytes.
async fn read_in(content_type: &str, body: &[u8], step: usize) -> ApiResult<(Part, Option<String>, Vec<u8>)> {
    let pieces: Vec<_> = body.chunks(step).map(|piece| Ok::<_, std::convert::Infallible>(Bytes::copy_from_slice(piece))).collect();
    let mut upload = upload(content_type, stream::iter(pieces)).await?;
    let kind = upload.media_type().map(str::to_owned);
    let mut media = Vec::new();
    while let Some(bytes) = upload.media.next().await {
        media.extend_from_slice(&bytes?);
    }
    Ok((upload.metadata, kind, media))
}

/// Reads it in all piece sizes, which must agree.
async fn read(content_type: &str, body: &[u8]) -> (Part, Option<String>, Vec<u8>) {
    let whole = read_in(content_type, body, body.len()).await.expect("the body is right");
    for step in 1..=body.len().min(64) {
        let (_, kind, media) = read_in(content_type, body, step).await.expect("the body is right");
        assert_eq!((&kind, &media), (&whole.1, &whole.2), "in pieces of {step}");
    }
    whole
}

#[tokio::test]
async fn b1_21_metadata_and_media() {
    let body = b"--b0\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{\"name\":\"a\"}\r\n\
        --b0\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello\r\n--b0--\r\n";
    let (metadata, kind, media) = read(RELATED, body).await;
    assert_eq!(&metadata.body[..], b"{\"name\":\"a\"}");
    assert_eq!(kind.as_deref(), Some("text/plain"));
    assert_eq!(media, b"hello");
}

#[tokio::test]
async fn b1_22_bare_line_feeds_keep_a_carriage_return_of_the_media() {
    let body = b"--b0\ncontent-type: application/json\n\n{}\n--b0\ncontent-type: a/b\n\nhello\r\n--b0--";
    let (metadata, kind, media) = read("multipart/related; boundary=\"b0\"", body).await;
    assert_eq!(&metadata.body[..], b"{}");
    assert_eq!(kind.as_deref(), Some("a/b"));
    assert_eq!(media, b"hello\r");
}

#[tokio::test]
async fn b1_22_a_line_before_the_first_boundary_is_skipped() {
    let body = b"\r\n--b0\r\nContent-Type: application/json\r\n\r\n{}\r\n--b0\r\n\r\nx\r\n--b0--\r\nafter";
    let (_, kind, media) = read(RELATED, body).await;
    assert_eq!(kind, None);
    assert_eq!(media, b"x");
}

#[tokio::test]
async fn b1_23_an_empty_second_part_is_an_empty_file() {
    for tail in ["\r\n\r\n--b0--\r\n", "\r\n--b0--"] {
        let body = format!("--b0\r\n\r\n{{}}\r\n--b0\r\nContent-Type: application/vnd.google-apps.folder\r\n{tail}");
        let (_, kind, media) = read(RELATED, body.as_bytes()).await;
        assert_eq!(kind.as_deref(), Some("application/vnd.google-apps.folder"), "{tail:?}");
        assert_eq!(media, b"", "{tail:?}");
    }
}

#[tokio::test]
async fn media_may_hold_what_looks_like_a_boundary() {
    let inside = b"\r\n--b\r\n--b01\r\n\n--b0x --b0--\r\r\n";
    let mut body = b"--b0\r\n\r\n{}\r\n--b0\r\n\r\n".to_vec();
    body.extend_from_slice(inside);
    body.extend_from_slice(b"\r\n--b0--");
    let (_, _, media) = read(RELATED, &body).await;
    assert_eq!(media, inside);
}

#[tokio::test]
async fn base64_media_is_decoded() {
    let body = b"--b0\r\n\r\n{}\r\n--b0\r\nContent-Transfer-Encoding: base64\r\n\r\naGVs\r\nbG8=\r\n--b0--";
    assert_eq!(read(RELATED, body).await.2, b"hello");
    let broken = b"--b0\r\n\r\n{}\r\n--b0\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--b0--";
    assert!(read_in(RELATED, broken, 7).await.is_err());
}

#[tokio::test]
async fn a_body_that_is_cut_or_has_other_than_two_parts_is_refused() {
    let whole = b"--b0\r\n\r\n{}\r\n--b0\r\n\r\nhello\r\n--b0--";
    for end in 0..whole.len() {
        let error = read_in(RELATED, &whole[..end], 5).await.expect_err("a cut body is no upload");
        assert_eq!(error.code().as_u16(), 400, "cut at {end}");
    }
    let three = b"--b0\r\n\r\n{}\r\n--b0\r\n\r\nhello\r\n--b0\r\n\r\nmore\r\n--b0--";
    assert!(read_in(RELATED, three, 100).await.is_err());
    assert!(read_in("multipart/related", whole, 100).await.is_err());
    assert!(read_in("multipart/related; boundary=\"\"", whole, 100).await.is_err());
    assert!(read_in("multipart/related; boundary=other", whole, 100).await.is_err());
}

#[tokio::test]
async fn b8_6_the_parts_of_a_batch() {
    let body = "--batch\nContent-Type: application/http\nMIME-Version: 1.0\nContent-ID: <id + 1>\n\n\
        GET /drive/v3/about?fields=* HTTP/1.1\nHost: x\n\n\n--batch\ncontent-type: application/http\n\nDELETE /x HTTP/1.1\n\n--batch--";
    let parts = parts("multipart/mixed; boundary=batch", Bytes::from(body)).await.expect("the batch is right");
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].headers["content-id"], "<id + 1>");
    assert!(parts[0].body.starts_with(b"GET /drive/v3/about"));
    assert_eq!(&parts[1].body[..], b"DELETE /x HTTP/1.1\n");
}

#[test]
fn parameters_of_a_content_type() {
    assert_eq!(parameter("multipart/mixed; boundary=a", "boundary").as_deref(), Some("a"));
    assert_eq!(parameter("multipart/mixed;Boundary=\"a;b=c\"; x=y", "boundary").as_deref(), Some("a;b=c"));
    assert_eq!(parameter("m/m; charset=\"q;boundary=no\"; boundary= yes ; z=1", "boundary").as_deref(), Some("yes"));
    assert_eq!(parameter("multipart/mixed", "boundary"), None);
    assert_eq!(parameter("multipart/mixed; boundary=\"open", "boundary"), None);
}
