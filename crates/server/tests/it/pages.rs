//! Pages for people and machines beside the API.

use axum::body::Body;
use http::Method;

use crate::app::TestApp;

#[tokio::test]
async fn problems_have_pages_in_both_languages_and_as_json() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    let list = String::from_utf8(stranger.get("/problems").await.bytes.to_vec()).unwrap();
    for code in refundry_engine::Refusal::CODES {
        assert!(list.contains(&format!("/problems/{code}")), "{code}");
    }
    let path = "/problems/exceeds_refundable";
    let english = String::from_utf8(stranger.get(path).await.bytes.to_vec()).unwrap();
    assert!(english.contains("More than is left") && english.contains("lang=\"en\""));
    let seen = stranger.send(Method::GET, path, &[("accept-language", "zh")], Body::empty()).await;
    assert!(String::from_utf8(seen.bytes.to_vec()).unwrap().contains("超过可退金额"));
    let seen = stranger.send(Method::GET, path, &[("accept", "application/json")], Body::empty()).await;
    assert_eq!((seen.text("/status").as_str(), seen.text("/title/en").as_str()), ("422", "More than is left"));
    assert_eq!(stranger.get("/problems/nothing").await.status, 404);
}

#[tokio::test]
async fn a_click_on_the_other_language_wins_over_the_browser() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    for path in ["/docs", "/problems", "/problems/exceeds_refundable"] {
        for (wish, query, spoken, link) in [
            ("en", "", "en", "<a href=\"?lang=zh\" lang=\"zh\" hreflang=\"zh\" rel=\"alternate\">中文</a>"),
            ("zh", "", "zh", "<a href=\"?lang=en\" lang=\"en\" hreflang=\"en\" rel=\"alternate\">English</a>"),
            ("en", "?lang=zh", "zh", "English</a>"),
            ("zh-CN", "?a=b&lang=en", "en", "中文</a>"),
            ("zh", "?lang=fr", "zh", "English</a>"),
            ("zh", "?slang=en", "zh", "English</a>"),
        ] {
            let seen = stranger.send(Method::GET, &format!("{path}{query}"), &[("accept-language", wish)], Body::empty()).await;
            assert_eq!((seen.status, seen.header("content-language")), (200, Some(spoken)), "{path}{query} {wish}");
            let html = String::from_utf8(seen.bytes.to_vec()).unwrap();
            assert!(html.contains(&format!("<html lang=\"{spoken}\"")) && html.contains(link), "{path}{query} {wish}");
            for href in html.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(
                    href.ends_with(&format!("?lang={spoken}")) || href == "api/v1/openapi.json",
                    "{path}{query}: {href} forgets the language"
                );
            }
        }
    }
}

#[tokio::test]
async fn machines_learn_how_the_process_is() {
    let app = TestApp::start().await;
    let stranger = app.stranger();
    assert_eq!((stranger.get("/healthz").await.status, stranger.get("/readyz").await.status), (200, 200));
    stranger.get("/api/v1/refunds").await;
    let figures = String::from_utf8(stranger.get("/metrics").await.bytes.to_vec()).unwrap();
    assert!(figures.contains("refundry_") && figures.ends_with("# EOF\n"), "{figures}");
    let seen = stranger.get("/nothing").await;
    assert_eq!((seen.status, seen.bytes.as_ref()), (404, b"not found\n".as_slice()));
}

#[test]
fn the_guide_lists_every_problem_in_both_languages() {
    let guides = [include_str!("../../../../docs/native-api.md"), include_str!("../../../../docs/native-api.zh.md")];
    for (language, guide) in guides.iter().enumerate() {
        for kind in refundry_server::problem::kinds::ALL {
            let row = format!("| `{}` | {} | {} | {} |", kind.code, kind.status, kind.meaning[language], kind.cure[language]);
            assert!(guide.contains(&row), "missing in the guide: {row}");
        }
    }
}
