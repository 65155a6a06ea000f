"""How fast TLS is decoded, beside OpenSSL's own speed with the same cipher and records of the same size."""

import json
import pathlib
import shutil
import subprocess
import sys

import captures
from runs import KVREEL, Run, capture_command, median, row

SUITES = {
    "TLS_AES_128_GCM_SHA256": "aes-128-gcm",
    "TLS_AES_256_GCM_SHA384": "aes-256-gcm",
    "TLS_CHACHA20_POLY1305_SHA256": "chacha20-poly1305",
}
SETTINGS = """openssl_conf = all
[all]
ssl_conf = protocols
[protocols]
system_default = choice
[choice]
MinProtocol = TLSv1.3
Ciphersuites = {}
"""


def operations(trace):
    return json.loads(subprocess.run([KVREEL, "info", "--json", trace], stdout=subprocess.PIPE, check=True).stdout)[
        "operations"]


def openssl_speed(cipher, size):
    """Bytes a second of processor time that `openssl speed -evp CIPHER -aead` encrypts in records of `size` bytes."""
    command = ["openssl", "speed", "-mr", "-seconds", "2", "-bytes", str(size), "-evp", cipher, "-aead"]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True).stdout
    return float(next(line for line in said.splitlines() if line.startswith("+F:")).split(":")[-1])


def measure(plain, folder, figures):
    """`plain`: a capture without TLS. It and its twin in TLS are decoded by turns: what the twin takes more of
    processor time is what TLS costs."""
    if not shutil.which("openssl"):
        print("TLS is not measured: no openssl here")
        return
    print("\nTLS 1.3: the same capture, its payload encrypted by OpenSSL in the same segments, with a key log")
    certificate, key, trace = folder / "certificate.pem", folder / "key.pem", folder / "twin.kvr"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    Run(capture_command(plain, trace))
    expected = operations(trace)
    maker = pathlib.Path(__file__).parent / "tls_twin.py"
    for suite, cipher in SUITES.items():
        settings, key_log = folder / "openssl.cnf", folder / "keys.log"
        twin, said = folder / "twin.pcap", folder / "said"
        settings.write_text(SETTINGS.format(suite))
        key_log.unlink(missing_ok=True)
        Run([sys.executable, maker, plain, twin, key_log, certificate, key], said, {"OPENSSL_CONF": str(settings)})
        chosen, payload, records = said.read_text().split()
        if chosen != suite:
            print(f"{suite} is not measured: this OpenSSL takes {chosen}")
            continue
        captures.warm(twin)
        command = capture_command(twin, trace, "--keylog", key_log)
        without, runs = [], []
        for _ in range(5):
            without.append(Run(capture_command(plain, folder / "plain.kvr")))
            runs.append(Run(command))
        run = median(runs)
        row(f"kvreel capture, {cipher}", run, twin.stat().st_size)
        if operations(trace) != expected:
            sys.exit(f"bench: {cipher}: {operations(trace)} operations, {expected} without TLS")
        payload, size = int(payload), int(payload) // int(records)
        reference = openssl_speed(cipher, size)
        tls_seconds = max(run.processor_seconds - median(without).processor_seconds, 1e-3)
        speed = payload / tls_seconds
        print(f"  {payload / 1e6:.1f} MB of payload in {records} records of {size} bytes on average; MB a second of "
              f"processor time: the whole decode {payload / run.processor_seconds / 1e6:.0f},\n"
              f"  TLS (what the decode takes more than without) {speed / 1e6:.0f}, "
              f"`openssl speed -evp {cipher} -aead -bytes {size}` {reference / 1e6:.0f}", flush=True)
        figures.add(f"TLS, {cipher}: share of openssl's speed", speed / reference, "", asked=0.5)
        twin.unlink()
