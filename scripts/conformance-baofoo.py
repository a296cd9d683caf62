"""A story of Baofoo against a demo server, told with a client that shares nothing with the program.

Usage: conformance-baofoo.py URL DEMO_DIRECTORY CLIENT_FOLDER KEY_FOLDER RSA|SM2

A merchant and a receiver are made over the operator's API, the merchant's public key is handed over, and the merchant's side is the client's.
"""

import json
import os
import pathlib
import queue
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL, DEMO, CLIENT, KEYS, ALGORITHM = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4]), sys.argv[5]
PATIENCE_S = 30
ACCOUNT, TERMINAL, RECEIVER = {"RSA": ("710000", "720000", "710001"), "SM2": ("730000", "740000", "730001")}[ALGORITHM]

sys.path.insert(0, CLIENT)
import baofoo_client  # noqa: E402  (the folder is known only now)


class Receiver(BaseHTTPRequestHandler):
    """The merchant's notice address: answers OK and keeps what came."""

    notices = queue.Queue()

    def do_POST(self):
        Receiver.notices.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_):
        pass


def operator(path, body, key=json.loads((DEMO / "demo.json").read_text())["operator_key"]):
    """What the operator does over the native API."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        sys.exit(f"{path}: {error.code} {error.read().decode()}")


def equip():
    """A merchant with a Baofoo terminal and a receiver; gives the client that speaks for the merchant."""
    merchant = operator("/api/v1/merchants", {"name": f"Conformance {ALGORITHM}", "account": ACCOUNT})["merchant_id"]
    operator("/api/v1/merchants", {"name": "Receiver", "account": RECEIVER})
    terminal = operator("/api/v1/terminals", {"merchant_id": merchant, "name": "宝付", "dialect": "baofoo"})["terminal_id"]
    (baofoo_client.write_sm2_keys if ALGORITHM == "SM2" else baofoo_client.write_keys)(str(KEYS))
    public = (KEYS / "merchant.pub").read_text().strip()
    wish = {
        "holder": {"kind": "terminal", "merchant_id": merchant, "terminal_id": terminal},
        "dialect": "baofoo",
        "lookup": f"{ACCOUNT}/{TERMINAL}",
        "name": "conformance",
        "key": {"kind": "public_key", "public_key": public},
    }
    gateway = operator("/api/v1/credentials", wish)["our_public_key"]
    if ALGORITHM == "RSA":
        lines = [gateway[at : at + 64] for at in range(0, len(gateway), 64)]
        gateway = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])
    (KEYS / "gateway.pub").write_text(gateway)
    os.environ.update(
        BAOFOO_BASE_URL=f"{URL}/api",
        BAOFOO_MER_ID=ACCOUNT,
        BAOFOO_TER_ID=TERMINAL,
        BAOFOO_PRIVATE_KEY=str(KEYS / "merchant.key"),
        BAOFOO_GATEWAY_KEY=str(KEYS / "gateway.pub"),
        BAOFOO_SIGN_TYPE=ALGORITHM,
    )
    return baofoo_client.BaofooClient.from_env()


def expect(what, said, wanted):
    if said != wanted:
        sys.exit(f"{ALGORITHM} {what}: {said!r} in place of {wanted!r}")
    print(f"{ALGORITHM} {what}: {said}")


def until(ask, wanted):
    """Asks until it is so, or patience ends."""
    for _ in range(PATIENCE_S * 10):
        said = ask()
        if said == wanted:
            return said
        threading.Event().wait(0.1)
    return said


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
notify_url = f"http://127.0.0.1:{server.server_port}/notice"

client = equip()
order = {
    "outTradeNo": "ORDER1", "txnAmt": 10000, "totalAmt": 10000, "txnTime": baofoo_client.now_ts(), "prodType": "SHARING", "orderType": 7,
    "payCode": "WECHAT_JSGZH", "payExtend": {"openId": "o"},
}
expect("an order", client.call("unified_order", order).data["resultCode"], "SUCCESS")
expect("how it stands", client.call("order_query", {"outTradeNo": "ORDER1"}).data["txnState"], "SUCCESS")
share = {
    "originOutTradeNo": "ORDER1", "outTradeNo": "SHARE1", "txnTime": baofoo_client.now_ts(),
    "sharingDetails": [{"sharingMerId": RECEIVER, "sharingAmt": 3000}],
}
expect("a share", client.call("share_after_pay", share).data["txnState"], "PROCESSING")
shared = until(lambda: client.call("share_query", {"outTradeNo": "SHARE1"}).data["txnState"], "SUCCESS")
expect("how the share stands", shared, "SUCCESS")

wish = dict(origin_out_trade_no="ORDER1", sharing={RECEIVER: 1200}, notify_url=notify_url)
refund = client.order_refund("REFUND1", 4000, "缺货 & more+100%", **wish)
expect("a refund", (refund.accepted, refund.data["refundState"]), (True, "REFUND"))
again = client.order_refund("REFUND1", 4000, "another reason", **wish)
expect("the same again", again.data["tradeNo"], refund.data["tradeNo"])
expect("its end", client.wait_final("REFUND1", PATIENCE_S).data["refundState"], "SUCCESS")
expect("by our number", client.refund_query(trade_no=refund.data["tradeNo"]).data["outTradeNo"], "REFUND1")
balance = client.order_balance_query(origin_out_trade_no="ORDER1").data
expect("what is left", (balance["shareBalanceAmt"], balance["refundSuccessAmt"]), (4200, 4000))
notice = baofoo_client.verify_notification(Receiver.notices.get(timeout=PATIENCE_S), client.verifier)
expect("the notification", (notice["outTradeNo"], notice["refundState"], notice["succAmt"]), ("REFUND1", "SUCCESS", 4000))
over = client.order_refund("REFUND2", 4000, "too much", origin_out_trade_no="ORDER1", sharing={RECEIVER: 1801})
expect("more than the receiver has", over.data["errCode"], "SHARE_INFO_NOT_CORRECT")

client.mer_id = "799999"
try:
    client.refund_query("REFUND1")
    sys.exit("a merchant that does not exist was answered")
except baofoo_client.GatewayError as error:
    expect("nobody of that number", str(error), "商户号不存在")
print(f"{ALGORITHM}: the story is told")
