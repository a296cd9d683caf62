#!/usr/bin/env python3
"""Example of a payment system that carries refunds out for Refundry (kind = "http"). Standard library only.

    REFUNDRY_SECRET=whsec_... python3 acquirer_receiver.py 9090

It keeps what it did under the refund's id, so a repeated submission is never paid twice, and it answers questions from the same record.
Replace `pay_out` by your own payment; keep the order: write down that you begin, pay, write down how it ended.
"""
import base64, hashlib, hmac, json, os, sqlite3, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = base64.b64decode(os.environ["REFUNDRY_SECRET"].removeprefix("whsec_"))
AGE_SECONDS_MAX = 300
books = sqlite3.connect(os.environ.get("RECEIVER_DB", "acquirer.db"), check_same_thread=False, isolation_level=None)
books.execute("CREATE TABLE IF NOT EXISTS refunds (refund_id TEXT PRIMARY KEY, answer TEXT NOT NULL)")


def is_signed(headers, body):
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body"; several signatures may be given while a secret is rotated."""
    number, timestamp = headers["webhook-id"] or "", headers["webhook-timestamp"] or "0"
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > AGE_SECONDS_MAX:
        return False
    tag = hmac.new(SECRET, f"{number}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(tag).decode()
    return any(hmac.compare_digest(given, expected) for given in (headers["webhook-signature"] or "").split())


def pay_out(refund):
    """Your own payment goes here. Return how it ended."""
    if refund["amount_minor"] % 10_000 == 9001:
        return {"outcome": "declined", "code": "05", "text": "Do not honour"}
    return {"outcome": "approved", "reference": "bank-" + refund["refund_id"]}


def submit(refund):
    begun = books.execute("INSERT OR IGNORE INTO refunds VALUES (?, ?)", (refund["refund_id"], json.dumps({"outcome": "processing"})))
    if begun.rowcount == 0:
        return ask(refund)
    answer = pay_out(refund)
    books.execute("UPDATE refunds SET answer = ? WHERE refund_id = ?", (json.dumps(answer), refund["refund_id"]))
    return answer


def ask(refund):
    row = books.execute("SELECT answer FROM refunds WHERE refund_id = ?", (refund["refund_id"],)).fetchone()
    return json.loads(row[0]) if row else {"outcome": "unknown"}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
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


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
