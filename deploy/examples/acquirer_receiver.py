#!/usr/bin/env python3
"""Example of a payment system that carries refunds out for Refundry (kind = "http"). Python's standard library only.

    REFUNDRY_SECRET=whsec_... python3 acquirer_receiver.py serve 9090
    REFUNDRY_SECRET=whsec_... python3 acquirer_receiver.py report https://refundry.example.com bank ref_... approved ARN
    REFUNDRY_SECRET=whsec_... python3 acquirer_receiver.py report https://refundry.example.com bank ref_... arn ARN
    REFUNDRY_SECRET=whsec_... python3 acquirer_receiver.py report https://refundry.example.com bank ref_... returned "account closed"

What it did is kept in SQLite (RECEIVER_DB, else acquirer.db) under the refund's id, so a repeated submission is never paid twice, and
questions are answered from the same record. Replace `pay_out` by your own payment; keep the order: write down that you begin, pay,
write down how it ended. A refund that is still "processing" after a crash is for a person to look at; nothing here pays it again.
"""
import base64, hashlib, hmac, json, os, sqlite3, sys, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["REFUNDRY_SECRET"].removeprefix("whsec_"))
AGE_SECONDS_MAX = 300
BODY_BYTES_MAX = 65536
one_at_a_time = threading.Lock()
books = sqlite3.connect(os.environ.get("RECEIVER_DB", "acquirer.db"), check_same_thread=False, isolation_level=None)
books.execute("PRAGMA synchronous = FULL")
books.execute("CREATE TABLE IF NOT EXISTS refunds (refund_id TEXT PRIMARY KEY, merchant_id TEXT, attempt INTEGER, answer TEXT)")
books.execute("CREATE TABLE IF NOT EXISTS denied (refund_id TEXT PRIMARY KEY, attempt INTEGER)")


def signature(number, timestamp, body):
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body"."""
    tag = hmac.new(SECRET, f"{number}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(tag).decode()


def is_signed(headers, body):
    """Several signatures may be given while a secret is rotated; old messages are not taken again."""
    number, timestamp = headers["webhook-id"] or "", headers["webhook-timestamp"] or ""
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp)) > AGE_SECONDS_MAX:
        return False
    expected = signature(number, timestamp, body)
    return any(hmac.compare_digest(given.encode(), expected.encode()) for given in (headers["webhook-signature"] or "").split())


def pay_out(refund):
    """Your own payment goes here. Return how it ended, or "processing" when you report later."""
    digits = refund["amount_minor"] % 10_000
    if digits == 9001:
        return {"outcome": "declined", "code": "05", "text": "Do not honour"}
    print(f"paid {refund['refund_id']} {refund['amount_minor']} {refund['currency']}", flush=True)
    if digits == 9010:
        return {"outcome": "processing"}
    return {"outcome": "approved", "reference": "bank-" + refund["refund_id"]}


def submit(refund):
    refund_id, attempt = refund["refund_id"], refund["attempt"]
    with one_at_a_time:
        known = books.execute("SELECT answer FROM refunds WHERE refund_id = ?", (refund_id,)).fetchone()
        if known:
            return json.loads(known[0])
        denied = books.execute("SELECT attempt FROM denied WHERE refund_id = ?", (refund_id,)).fetchone()
        if denied and attempt <= denied[0]:
            return {"outcome": "not_taken"}
        row = (refund_id, refund["merchant_id"], attempt, json.dumps({"outcome": "processing"}))
        books.execute("INSERT INTO refunds VALUES (?, ?, ?, ?)", row)
    answer = pay_out(refund)
    books.execute("UPDATE refunds SET answer = ? WHERE refund_id = ?", (json.dumps(answer), refund_id))
    return answer


def ask(refund):
    """Who was told that an attempt is unknown may send another one, so this one must not be paid any more when it arrives late."""
    refund_id, attempt = refund["refund_id"], refund["attempt"]
    with one_at_a_time:
        known = books.execute("SELECT answer FROM refunds WHERE refund_id = ?", (refund_id,)).fetchone()
        if known:
            return json.loads(known[0])
        books.execute("INSERT OR IGNORE INTO denied VALUES (?, 0)", (refund_id,))
        books.execute("UPDATE denied SET attempt = max(attempt, ?) WHERE refund_id = ?", (attempt, refund_id))
    return {"outcome": "unknown"}


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers["content-length"] or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            return self.answer(413, {"outcome": "too long"})
        body = self.rfile.read(length)
        if not is_signed(self.headers, body):
            return self.answer(401, {"outcome": "not signed"})
        refund = json.loads(body)
        self.answer(200, {"refund.submit": submit, "refund.ask": ask}[refund["type"]](refund))

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def report(refundry, name, refund_id, outcome, more=""):
    """Tells Refundry later how a refund ended. It may be repeated: what is known already is taken without a second effect."""
    merchant_id, attempt = books.execute("SELECT merchant_id, attempt FROM refunds WHERE refund_id = ?", (refund_id,)).fetchone()
    content = {"merchant_id": merchant_id, "refund_id": refund_id, "attempt": attempt, "outcome": outcome}
    if more:
        content[{"approved": "arn", "arn": "arn"}.get(outcome, "text")] = more
    if outcome in ("approved", "declined"):
        final = {"outcome": outcome, **({"arn": more} if outcome == "approved" and more else {"text": more})}
        books.execute("UPDATE refunds SET answer = ? WHERE refund_id = ?", (json.dumps(final), refund_id))
    body, number, timestamp = json.dumps(content).encode(), str(uuid.uuid4()), str(int(time.time()))
    headers = {"content-type": "application/json", "webhook-id": number, "webhook-timestamp": timestamp}
    headers["webhook-signature"] = signature(number, timestamp, body)
    request = urllib.request.Request(f"{refundry.rstrip('/')}/acquirers/{name}/reports", body, headers)
    with urllib.request.urlopen(request, timeout=30) as taken:
        print(f"taken: {taken.status}")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Receiver)
        print(f"listening on http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()
    else:
        report(*sys.argv[2:])
