"""An agent by somebody who has read docs/protocols/agent.md and agent.proto and nothing else.

Usage: stranger.py FOLDER. FOLDER holds the modules that protoc made of agent.proto; key and certificate are kept there. Reads one
JSON object a line, {"do": NAME, ...}, and answers each with one line.
"""

import hashlib
import json
import os
import queue
import re
import ssl
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[1]
sys.path.insert(0, FOLDER)

import grpc  # noqa: E402
from sitewarden.agent.v1 import agent_pb2 as pb  # noqa: E402
from sitewarden.agent.v1 import agent_pb2_grpc as rpc  # noqa: E402

SERVER_NAME = "appliance.sitewarden.internal"
WAIT_S = 30


def openssl(*args, given=b""):
    return subprocess.run(["openssl", *args], input=given, stdout=subprocess.PIPE, check=True).stdout


def path(name):
    return os.path.join(FOLDER, name)


def read(name):
    with open(path(name), "rb") as file:
        return file.read()


def write(name, data):
    with open(os.open(path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def pem_of(der):
    return ssl.DER_cert_to_PEM_cert(der).encode()


def fingerprint(der):
    return "sha256:" + hashlib.sha256(der).hexdigest()


def pinned_ca(address, pin):
    """The certificate with this fingerprint among those the server shows; nothing is sent."""
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", address, "-servername", SERVER_NAME, "-alpn", "h2", "-showcerts"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ).stdout.decode()
    chain = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.DOTALL)
    for pem in chain:
        if fingerprint(ssl.PEM_cert_to_DER_cert(pem)) == pin:
            write("pinned.pem", pem.encode())
            write("server.pem", chain[0].encode())
            openssl("verify", "-CAfile", path("pinned.pem"), "-verify_hostname", SERVER_NAME, path("server.pem"))
            return pem.encode()
    raise ValueError("this is not the box")


def make_request(key):
    """A fresh P-256 key in the file, and the PKCS#10 by it."""
    write(key, openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    return openssl("req", "-new", "-key", path(key), "-subj", "/CN=stranger", "-outform", "DER")


def keep(answer, nonce, pin, key):
    assert answer.nonce == nonce, "another nonce"
    assert fingerprint(answer.site_ca) == pin, "another site"
    certificate = pem_of(answer.certificate)
    ours = openssl("pkey", "-in", path(key), "-pubout")
    assert openssl("x509", "-pubkey", "-noout", given=certificate).strip() == ours.strip(), "not our key"
    os.rename(path(key), path("key.pem"))
    write("certificate.pem", certificate)


def channel(address, with_certificate=True):
    own = (read("key.pem"), read("certificate.pem")) if with_certificate else (None, None)
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(read("pinned.pem"), *own),
        [
            ("grpc.ssl_target_name_override", SERVER_NAME),
            ("grpc.default_authority", SERVER_NAME),
            ("grpc.enable_http_proxy", 0),
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
        ],
    )


def host():
    return pb.HostInfo(hostname="stranger", os_family="linux", os_version="unknown", agent_version="python")


def refusal(error):
    trailers = {key: value for key, value in error.trailing_metadata() or ()}
    names = ("error-code", "error-field", "expected-seq", "retry-delay-ms")
    return {"status": error.code().name, **{name: trailers[name] for name in names if name in trailers}}


def result(check, subject=""):
    facts = {"service": pb.FactValue(text=subject)} if check == "services" else {}
    return pb.CheckResult(
        check=check,
        subject=subject,
        status=pb.STATUS_UNKNOWN if check != "services" else pb.STATUS_PASS,
        severity=pb.SEVERITY_INFO,
        facts=facts,
        collected_at_ms=int(time.time() * 1000),
        reason="said by a stranger",
    )


class Session:
    """One stream. What comes in is sorted by its kind; a thread beats as often as the configuration says."""

    def __init__(self, address):
        self.channel = channel(address)
        self.outgoing = queue.Queue()
        self.inbox = {}
        self.changed = threading.Condition()
        self.ended = None
        self.config = None
        self.stream = rpc.AgentServiceStub(self.channel).Session(iter(self.outgoing.get, None))
        threading.Thread(target=self.listen, daemon=True).start()
        self.say(hello=pb.Hello(host=host(), last_seq=0, boot_id="once"))
        self.welcome = self.take("welcome")
        self.config = self.welcome.config
        threading.Thread(target=self.beat, daemon=True).start()

    def say(self, **message):
        self.outgoing.put(pb.SessionRequest(**message))

    def listen(self):
        try:
            for message in self.stream:
                kind = message.WhichOneof("message")
                with self.changed:
                    if kind == "config":
                        self.config = message.config
                    self.inbox.setdefault(kind, []).append(getattr(message, kind))
                    self.changed.notify_all()
            end = {"status": "OK"}
        except grpc.RpcError as error:
            end = refusal(error)
        with self.changed:
            self.ended = end
            self.changed.notify_all()

    def take(self, kind, fits=lambda message: True):
        """The next message of this kind that fits; those before it are dropped."""
        with self.changed:
            end = time.monotonic() + WAIT_S
            while True:
                waiting = self.inbox.setdefault(kind, [])
                while waiting:
                    message = waiting.pop(0)
                    if fits(message):
                        return message
                if self.ended is not None:
                    raise RuntimeError(f"ended before {kind}: {self.ended}")
                if not self.changed.wait(end - time.monotonic()):
                    raise RuntimeError(f"no {kind}")

    def beat(self):
        while self.ended is None:
            beat = pb.Heartbeat(sent_at_ms=int(time.time() * 1000), uptime_s=1, queue_depth=0)
            beat.telemetry["cpu_percent"].integer = 7
            self.say(heartbeat=beat)
            time.sleep(self.config.heartbeat_interval_ms / 1000)

    def looks(self):
        """What the configuration asks for, looked at."""
        for check in self.config.checks:
            for subject in self.config.required_services if check == "services" else [""]:
                yield result(check, subject)

    def end(self):
        with self.changed:
            if not self.changed.wait_for(lambda: self.ended is not None, WAIT_S):
                raise RuntimeError("not ended")
        return self.ended

    def close(self):
        self.outgoing.put(None)
        ended = self.end()
        self.channel.close()
        return ended


class Stranger:
    session = None

    def enrol(self, token_file, token=None):
        with open(token_file) as file:
            told = json.load(file)
        self.address, self.pin = told["applianceAddress"], told["caFingerprint"]
        pinned_ca(self.address, self.pin)
        nonce = os.urandom(32)
        csr = make_request("new-key.pem")
        with channel(self.address, with_certificate=False) as way:
            answer = rpc.AgentServiceStub(way).Enroll(
                pb.EnrollRequest(token=token or told["token"], csr=csr, nonce=nonce, host=host()), timeout=WAIT_S
            )
        keep(answer, nonce, self.pin, "new-key.pem")
        return {"agentId": answer.agent_id, "notAfterMs": answer.not_after_ms}

    def pin_other(self):
        """A box with another CA than the one of the token."""
        try:
            pinned_ca(self.address, "sha256:" + "0" * 64)
        except ValueError as error:
            return {"refused": str(error)}
        return {}

    def open(self):
        self.session = Session(self.address)
        welcome = self.session.welcome
        return {"agentId": welcome.agent_id, "ackedThrough": welcome.acked_through, **self.configured()}

    def configured(self):
        config = self.session.config
        return {
            "tier": pb.Tier.Name(config.tier),
            "checks": list(config.checks),
            "requiredServices": list(config.required_services),
            "heartbeatIntervalMs": config.heartbeat_interval_ms,
        }

    def beats(self):
        return {"receivedAtMs": self.session.take("heartbeat_ack").received_at_ms}

    def next_config(self):
        self.session.take("config")
        return self.configured()

    def report(self, seq, order_id=""):
        results = list(self.session.looks())
        self.session.say(report=pb.Report(seq=seq, results=results, order_id=order_id))
        ack = self.session.take("ack", lambda ack: ack.through_seq >= seq)
        return {"throughSeq": ack.through_seq, "results": len(results)}

    def answer_order(self, seq):
        order = self.session.take("order")
        assert order.action == "run_check", order.action
        receipt = lambda state: pb.OrderReceipt(  # noqa: E731
            order_id=order.order_id, state=state, at_ms=int(time.time() * 1000)
        )
        self.session.say(order_receipt=receipt(pb.ORDER_STATE_STARTED))
        said = self.report(seq, order.order_id)
        self.session.say(order_receipt=receipt(pb.ORDER_STATE_DONE))
        return {"orderId": order.order_id, **said}

    def renew(self):
        nonce = os.urandom(32)
        csr = make_request("new-key.pem")
        with channel(self.address) as way:
            answer = rpc.AgentServiceStub(way).RenewCertificate(
                pb.RenewCertificateRequest(csr=csr, nonce=nonce), timeout=WAIT_S
            )
        keep(answer, nonce, self.pin, "new-key.pem")
        return {"notAfterMs": answer.not_after_ms}

    def push(self, seq, with_certificate=True, results=1, reason=""):
        """PushReport, good or not."""
        items = [result("firewall") for _ in range(results)]
        items[0].reason = items[0].reason + reason
        report = pb.Report(seq=seq, results=items)
        with channel(self.address, with_certificate) as way:
            answer = rpc.AgentServiceStub(way).PushReport(pb.PushReportRequest(report=report), timeout=WAIT_S)
        return {"throughSeq": answer.through_seq}

    def big(self, seq, bytes):
        return self.push(seq, reason="x" * bytes)

    def gap(self, seq):
        self.session.say(report=pb.Report(seq=seq, results=[result("firewall")]))
        ended = self.session.end()
        self.session.channel.close()
        return ended

    def close(self):
        return self.session.close()


def main():
    stranger = Stranger()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = getattr(stranger, asked.pop("do"))(**asked)
        except grpc.RpcError as error:
            answer = {"refused": refusal(error)}
        except Exception as error:  # noqa: BLE001 whoever asked is told
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
