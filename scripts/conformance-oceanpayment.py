"""A merchant's program for Oceanpayment's refund API, written from the vendor's pages, against a demo server.

Usage: conformance-oceanpayment.py URL DEMO_DIRECTORY
"""

import hashlib
import json
import pathlib
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_S = 30


class Receiver(BaseHTTPRequestHandler):
    """The merchant's notice address: answers receive-ok and keeps what came."""

    pushes = queue.Queue()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields = {element.tag: element.text or "" for element in xml.fromstring(body)}
        Receiver.pushes.put((self.headers["Content-Type"], fields))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"receive-ok")

    def log_message(self, *_):
        pass


class Merchant:
    """Signs forms, and checks the signatures of answers and pushes."""

    def __init__(self, url, account, terminal, secret):
        self.url, self.account, self.terminal, self.secret = url, account, terminal, secret

    def sign(self, *values):
        return hashlib.sha256(("".join(values) + self.secret).encode()).hexdigest()

    def call(self, path, fields, signed):
        form = {"account": self.account, "terminal": self.terminal, **fields}
        form["signValue"] = self.sign(self.account, self.terminal, *(fields.get(name, "") for name in signed))
        request = urllib.request.Request(self.url + path, urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.headers["Content-Type"].startswith("application/xml"), answer.headers
            return xml.fromstring(answer.read())

    def apply(self, payment_id, kind, amount, **more):
        fields = {"payment_id": payment_id, "refund_type": kind, "refund_amount": amount, "refund_description": "货物损坏 & more", **more}
        names = ["payment_id", "refund_number", "refund_type", "refund_amount", "refund_description"]
        said = {element.tag: element.text or "" for element in self.call("/service/applyRefund", fields, names)}
        self.check(said, ["payment_id", "refund_number", "refund_id", "refund_results", "refund_description"])
        return said

    def query(self, **by):
        said = {element.tag: element.text or "" for element in self.call("/service/queryRefund", by, ["refund_id", "refund_number"])}
        self.check(said, ["refund_id", "refund_number", "refund_check", "refund_description"])
        return said

    def check(self, said, names):
        expected = self.sign(said["account"], said["terminal"], *(said.get(name, "") for name in names))
        assert said["signValue"].lower() == expected, f"the signature is wrong: {said}"

    def push(self, **expected):
        content_type, said = Receiver.pushes.get(timeout=PATIENCE_S)
        assert content_type.lower().startswith("application/xml"), content_type
        self.check(said, ["order_number", "payment_id", "push_id", "push_status", "push_details"])
        assert said["signValue"].isupper() or said["signValue"].isdigit(), said["signValue"]
        for name, value in expected.items():
            assert said[name] == value, f"{name} is {said[name]!r}, not {value!r}: {said}"
        return said


class Desk:
    """The operator and the merchant's people, over the native API."""

    def __init__(self, url, key):
        self.url, self.key = url, key

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


def native_id(digits):
    """The refund as the native API names it: 13 letters of Crockford's base 32."""
    alphabet, number, letters = "0123456789abcdefghjkmnpqrstvwxyz", int(digits), ""
    for _ in range(13):
        letters = alphabet[number & 31] + letters
        number >>= 5
    return "ref_" + letters


def becomes(merchant, refund_id, code):
    """Waits until a refund stands so."""
    end = time.monotonic() + PATIENCE_S
    while (said := merchant.query(refund_id=refund_id))["refund_check"] != code:
        assert time.monotonic() < end, f"{refund_id} is not {code}: {said}"
        time.sleep(0.1)
    return said


def story(url, demo):
    manifest = json.loads((demo / "demo.json").read_text())
    shop = manifest["merchants"][0]
    terminal = next(one for one in shop["terminals"] if one["dialect"] == "oceanpayment")
    secret = (demo / terminal["secret_file"]).read_text().strip()
    merchant = Merchant(url, terminal["account"], terminal["client_id"], secret)
    operator, people = Desk(url, manifest["operator_key"]), Desk(url, shop["api_key"])
    orders = shop["orders"]
    payment_id = f"{orders['reference_prefix']}{orders['count'] - 1:08}"

    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    settings = {
        "notify_url": f"http://127.0.0.1:{receiver.server_address[1]}/notice",
        "policy": {"review": {"kind": "all"}, "second_person": False, "funds": "wait"},
    }
    operator.call("PUT", f"/api/v1/terminals/{terminal['terminal_id']}?merchant_id={shop['merchant_id']}", settings)

    first = merchant.apply(payment_id, "2", "1.00", refund_number="c-1")
    assert first["refund_results"] == "00" and first["order_number"] == f"order-{orders['count'] - 1}", first
    again = merchant.apply(payment_id, "2", "1.00", refund_number="c-1")
    assert again["refund_id"] == first["refund_id"], again
    assert merchant.query(refund_number="c-1")["refund_check"] == "02"
    print("applied for: 待审核")

    people.call("POST", f"/api/v1/refunds/{native_id(first['refund_id'])}/cancel", {})
    revoked = merchant.query(refund_id=first["refund_id"])
    assert revoked["refund_check"] == "03" and "商户自行取消" in revoked["refund_remark"], revoked
    merchant.push(notice_type="partialRefund", push_status="0", push_id=first["refund_id"])
    print("revoked: 失败, 商户自行取消")

    # The simulated acquirer takes 90.13, approves it two seconds later, and gives its number two seconds after that.
    second = merchant.apply(payment_id, "2", "90.13", refund_number="c-2")["refund_id"]
    found = operator.call("GET", f"/api/v1/refunds/{native_id(second)}?merchant_id={shop['merchant_id']}")
    review = {"approve": True, "note": "seen", "content_hash": found["content_hash"]}
    operator.call("POST", f"/api/v1/refunds/{native_id(second)}/review?merchant_id={shop['merchant_id']}", review)
    becomes(merchant, second, "01")
    print("approved: 审核成功未处理")
    becomes(merchant, second, "00")
    merchant.push(notice_type="partialRefund", push_status="1", push_id=second, refund_number="c-2", payment_id=payment_id)
    print("confirmed: 成功, pushed")
    arn = merchant.push(notice_type="ARN", push_status="1", push_id=second)["push_details"]
    assert merchant.query(refund_id=second)["refund_arn"] in arn
    print("its number came, in a push of its own")

    assert merchant.apply(payment_id, "2", "9.86", refund_number="c-3")["refund_results"] == "00"
    assert merchant.apply(payment_id, "2", "0.02", refund_number="c-4")["refund_results"] == "25"
    assert merchant.apply(payment_id, "2", "0.01", refund_number="c-5")["refund_results"] == "00"
    assert merchant.apply(payment_id, "1", "100.00", refund_number="c-6")["refund_results"] == "25"
    print("above the rest: 25; 可退金额为 0")

    lists = merchant.call("/service/check/normal", {"order_number": first["order_number"]}, ["order_number"])
    assert [row.findtext("payment_id") for row in lists.iter("paymentInfo")] == [payment_id]
    stranger = Merchant(url, merchant.account, merchant.terminal, secret + "x")
    wrong = stranger.call("/service/queryRefund", {"refund_id": second}, ["refund_id"])
    assert wrong.findtext("refund_check") == "05" and not wrong.findtext("signValue")
    print("a wrong secret: 05, and nothing is signed")
    receiver.shutdown()


if __name__ == "__main__":
    story(sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]))
    print("Oceanpayment: conformant")
