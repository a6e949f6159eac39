"""Stands where Google stands for a client that cannot be told another address.

Takes CONNECT for the host names of Google, answers TLS with a certificate of an authority made on the spot, and
forwards what comes to the emulator. Prints its port, then serves until standard input ends.
Usage: proxy.py EMULATOR_PORT DIRECTORY (the authority's certificate is written there as ca.pem)
"""

import datetime
import pathlib
import socket
import ssl
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ["www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"]


def certificate(name, key, issuer, issuer_key, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def pem(thing):
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return thing.private_bytes(*form)


def tls(directory):
    """A server's TLS, its authority written to `directory`."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = certificate("Test authority", authority_key, None, authority_key, [(x509.BasicConstraints(True, None), True)])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    leaf = certificate(HOSTS[0], key, authority.subject, authority_key, [(names, False)])
    (directory / "ca.pem").write_bytes(pem(authority))
    (directory / "server.pem").write_bytes(pem(leaf) + pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    # What the emulator speaks.
    context.set_alpn_protocols(["http/1.1"])
    return context


def copy(source, target):
    """Passes bytes on until either side ends, then ends both."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, context, emulator):
    try:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        if method != "CONNECT" or target.rsplit(":", 1)[0] not in HOSTS:
            print(f"refused: {method} {target}", file=sys.stderr)
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        inside = context.wrap_socket(client, server_side=True)
        upstream = socket.create_connection(("127.0.0.1", emulator))
        threading.Thread(target=copy, args=(upstream, inside), daemon=True).start()
        copy(inside, upstream)
    except OSError as error:
        print(f"broken: {error}", file=sys.stderr)
    finally:
        client.close()


emulator, directory = int(sys.argv[1]), pathlib.Path(sys.argv[2])
context = tls(directory)
listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listener.getsockname()[1], flush=True)


def accept():
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, context, emulator), daemon=True).start()


threading.Thread(target=accept, daemon=True).start()
sys.stdin.read()
