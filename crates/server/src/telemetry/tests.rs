use super::metrics::{CountingObserver, Metrics};
use super::*;
use refundry_engine::task::TaskKind;
use refundry_engine::verdict::Changes;
use refundry_store::{CommitObserver, TaskFigures};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;
use tracing::subscriber::with_default;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, level: &str, say: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = Log { format, level: level.to_owned() };
    with_default(subscriber(&log, None, move || writer.clone()).unwrap(), say);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn say_things() {
    tracing::info!(refund_id = 7, "a fault");
    tracing::debug!("a detail");
    let request = http::Request::get("/x").body(()).unwrap();
    assert!(traces::request_span(&request).is_disabled(), "nobody listens to request spans");
}

#[test]
fn logs_are_text_or_json_of_the_wanted_level() {
    let text = logged(LogFormat::Text, "info", say_things);
    assert!(text.contains("INFO") && text.contains("a fault refund_id=7"), "{text}");
    assert!(!text.contains("a detail"), "{text}");
    assert!(logged(LogFormat::Text, "debug", say_things).contains("a detail"));
    assert!(!logged(LogFormat::Text, "info,refundry_server=off", say_things).contains("a fault"));

    let json = logged(LogFormat::Json, "info", say_things);
    let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!((&line["message"], &line["refund_id"]), (&"a fault".into(), &7.into()), "{json}");
}

#[test]
fn sampled_requests_reach_the_collector_below_the_callers_span() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        while !bytes.windows(8).any(|window| window == b"/refunds") {
            let length = stream.read(&mut chunk).unwrap();
            assert_ne!(length, 0, "the export holds the request");
            bytes.extend_from_slice(&chunk[..length]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        bytes
    });
    let tracing = Tracing { otlp_endpoint: Some(endpoint), sample_per_mille: 0 };
    let exporter = Exporter::start(&tracing).unwrap().unwrap();
    let log = Log { format: LogFormat::Text, level: "off".to_owned() };
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    with_default(subscriber(&log, Some(&exporter), std::io::sink).unwrap(), || {
        let request = http::Request::post("/refunds").header("traceparent", parent).body(()).unwrap();
        let span = traces::request_span(&request);
        traces::record_status(&span, 200);
    });
    exporter.end();
    let bytes = received.join().unwrap();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(bytes.starts_with(b"POST /v1/traces HTTP/1.1"));
    assert!(holds(b"refundry") && holds(b"http.response.status_code"));
    assert!(holds(&hex::decode("0af7651916cd43dd8448eb211c80319c").unwrap()), "the caller decided to sample");
}

#[test]
fn figures_are_told_in_prometheus_form() {
    let metrics = Metrics::new();
    for (path, status) in [
        ("/api/v1/refunds", 201),
        ("/api/v1/refunds/7", 404),
        ("/api/v1/made-up", 404),
        ("/readyz", 200),
        ("/wp-login.php", 404),
        ("/", 999),
    ] {
        metrics.answered(metrics.route(path), status, Duration::from_micros(700));
    }
    metrics.connection_opened();
    metrics.connection_opened();
    metrics.connection_closed();
    let due_at = refundry_engine::Timestamp::from_ms(10_000);
    let open = vec![(TaskKind::ALL[0], 3)];
    metrics.note_node(Some(7));
    metrics.note_tasks(&TaskFigures { open, oldest_due_at: Some(due_at), parked_notifications: 2 }, 25_000);
    let text = metrics.render();
    for line in [
        "refundry_requests_total{route=\"native_refunds\",status=\"2xx\"} 1",
        "refundry_requests_total{route=\"native_refunds\",status=\"4xx\"} 1",
        "refundry_requests_total{route=\"native\",status=\"4xx\"} 1",
        "refundry_requests_total{route=\"health\",status=\"2xx\"} 1",
        "refundry_requests_total{route=\"other\",status=\"4xx\"} 1",
        "refundry_requests_total{route=\"other\",status=\"5xx\"} 1",
        "refundry_request_seconds_bucket{le=\"0.0005\",route=\"native_refunds\"} 0",
        "refundry_request_seconds_bucket{le=\"0.001\",route=\"native_refunds\"} 2",
        "refundry_request_seconds_count{route=\"native_refunds\"} 2",
        "refundry_connections 1",
        "refundry_node 7",
        "refundry_notifications_parked 2",
        "refundry_task_overdue_seconds 15",
        &format!("refundry_tasks_open{{kind=\"{}\"}} 3", TaskKind::ALL[0].word()),
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    if cfg!(target_os = "linux") {
        assert!(text.contains("process_resident_memory_bytes ") && text.contains("process_cpu_seconds_total "), "{text}");
    }
}

#[test]
fn commits_are_counted_and_passed_on() {
    #[derive(Default)]
    struct Heard(Mutex<u32>);
    impl CommitObserver for Heard {
        fn committed(&self, _: &Changes) {
            *self.0.lock().unwrap() += 1;
        }
    }
    let (metrics, heard) = (Arc::new(Metrics::new()), Arc::new(Heard::default()));
    let observer = CountingObserver::new(metrics.clone(), heard.clone());
    observer.begins();
    observer.commits(3);
    observer.committed(&Changes::default());
    observer.committed(&Changes::default());
    assert_eq!(*heard.0.lock().unwrap(), 2);
    let text = metrics.render();
    for line in [
        "refundry_commits_total 2",
        "refundry_batch_commands_sum 3.0",
        "refundry_batch_commands_count 1",
        "refundry_batch_seconds_count 1",
        "refundry_commit_seconds_count 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn lanes_that_commit_at_once_are_counted_apart() {
    struct Deaf;
    impl CommitObserver for Deaf {
        fn committed(&self, _: &Changes) {}
    }
    let metrics = Arc::new(Metrics::new());
    let observer = CountingObserver::new(metrics.clone(), Arc::new(Deaf));
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for commands in [1, 10, 100, 1_000] {
            let (observer, together) = (&observer, &together);
            scope.spawn(move || {
                observer.begins();
                together.wait();
                observer.commits(commands);
                together.wait();
                observer.committed(&Changes::default());
            });
        }
    });
    let text = metrics.render();
    for line in ["refundry_batch_commands_sum 1111.0", "refundry_batch_commands_count 4", "refundry_commit_seconds_count 4"] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}
