//! Payments as NDJSON, read as they come: every line is recorded by itself and has a result of its own.

use std::sync::PoisonError;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use futures::stream;
use http::{HeaderValue, header};
use refundry_service::payments::{self, NewPayment};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::payment_view::PaymentRequest;
use crate::call::{Call, CallBody};
use crate::json_body;
use crate::problem::{Problem, ProblemBody};

/// Lines that share commits.
const LINES_PER_BATCH: usize = 500;

/// What became of one line; the last line of the answer is the sum.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ImportLine {
    /// Recorded.
    Recorded {
        /// Number of the line, from 1.
        line: u64,
        /// Ours.
        payment_id: String,
        /// The number that the merchant was given.
        payment_reference: String,
        /// Whether it was new.
        created: bool,
    },
    /// Not recorded.
    Refused {
        /// Number of the line, from 1.
        line: u64,
        /// Why.
        problem: Box<ProblemBody>,
    },
    /// The end of the answer.
    Sum(ImportSum),
}

/// The sum of an import.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct ImportSum {
    /// Lines read, without empty ones.
    pub lines: u64,
    /// New payments.
    pub created: u64,
    /// Payments that were known.
    pub updated: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Whether the body was read to its end.
    pub complete: bool,
}

/// Records every line and answers each while the rest is still coming. The answer waits for nobody: a client that sends everything before
/// it reads anything gets it all.
pub async fn import(mut call: Call) -> Result<Response, Problem> {
    let body = match std::mem::replace(&mut call.body, CallBody::Whole(Bytes::new())) {
        CallBody::Stream(body) => body.into_inner().unwrap_or_else(PoisonError::into_inner),
        CallBody::Whole(bytes) => Body::from(bytes),
    };
    let (results, waiting) = mpsc::unbounded_channel();
    tokio::spawn(Import { call, results, line: 0, batch: Vec::new(), sum: ImportSum::default() }.run(body));
    let lines = stream::unfold(waiting, |mut waiting| async move {
        let line: Bytes = waiting.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(line), waiting))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

struct Import {
    call: Call,
    results: mpsc::UnboundedSender<Bytes>,
    line: u64,
    batch: Vec<(u64, Result<NewPayment, Problem>)>,
    sum: ImportSum,
}

impl Import {
    async fn run(mut self, body: Body) {
        match self.read(body).await {
            Ok(()) => self.sum.complete = true,
            Err(Some(problem)) => self.say(&ImportLine::Refused { line: self.line + 1, problem: Box::new(self.body_of(&problem)) }),
            Err(None) => {}
        }
        self.say(&ImportLine::Sum(self.sum));
    }

    /// `Err(None)` when the body broke off.
    async fn read(&mut self, body: Body) -> Result<(), Option<Problem>> {
        let limits = self.call.app.limits;
        let mut pieces = body.into_data_stream();
        let mut rest = BytesMut::new();
        let mut bytes_read = 0_u64;
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else {
                self.record().await;
                return Err(None);
            };
            bytes_read = bytes_read.saturating_add(piece.len() as u64);
            if bytes_read > limits.import_bytes_max {
                self.record().await;
                return Err(Some(Problem::too_large(limits.import_bytes_max)));
            }
            rest.extend_from_slice(&piece);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end + 1);
                self.take(&line[..end]).await;
            }
            if rest.len() > limits.import_line_bytes_max {
                self.record().await;
                return Err(Some(Problem::too_large(limits.import_line_bytes_max as u64)));
            }
        }
        self.take(&rest).await;
        self.record().await;
        Ok(())
    }

    async fn take(&mut self, line: &[u8]) {
        self.line += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        let limit = self.call.app.limits.import_line_bytes_max;
        let read = if line.len() > limit {
            Err(Problem::too_large(limit as u64))
        } else {
            json_body::read::<PaymentRequest>(line).and_then(PaymentRequest::into_new)
        };
        self.batch.push((self.line, read));
        if self.batch.len() >= LINES_PER_BATCH {
            self.record().await;
        }
    }

    async fn record(&mut self) {
        let mut wishes = Vec::with_capacity(self.batch.len());
        let mut outcomes: Vec<(u64, Option<Problem>)> = Vec::with_capacity(self.batch.len());
        for (line, read) in std::mem::take(&mut self.batch) {
            match read {
                Ok(wish) => {
                    wishes.push(wish);
                    outcomes.push((line, None));
                }
                Err(problem) => outcomes.push((line, Some(problem))),
            }
        }
        let mut recorded = payments::import(&self.call.app.service, &self.call.caller, wishes).await.into_iter();
        for (line, problem) in outcomes {
            let outcome = match problem {
                Some(problem) => Err(problem),
                None => {
                    recorded.next().map_or_else(|| Err(Problem::new(&crate::problem::kinds::FAULT)), |result| result.map_err(Problem::from))
                }
            };
            self.answer(line, outcome);
        }
    }

    fn answer(&mut self, line: u64, outcome: Result<payments::RecordedPayment, Problem>) {
        self.sum.lines += 1;
        match outcome {
            Ok(recorded) => {
                let counter = if recorded.created { &mut self.sum.created } else { &mut self.sum.updated };
                *counter += 1;
                self.say(&ImportLine::Recorded {
                    line,
                    payment_id: recorded.payment.id.to_string(),
                    payment_reference: recorded.payment.payment_reference,
                    created: recorded.created,
                });
            }
            Err(problem) => {
                self.sum.refused += 1;
                self.say(&ImportLine::Refused { line, problem: Box::new(self.body_of(&problem)) });
            }
        }
    }

    fn body_of(&self, problem: &Problem) -> ProblemBody {
        problem.body(self.call.language, &self.call.request_id)
    }

    fn say(&self, line: &ImportLine) {
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        // Nobody reads any more: what was recorded stays recorded.
        _ = self.results.send(Bytes::from(bytes));
    }
}
