"""A certificate authority for tests: good leaves, and each way in which one can be bad."""

import atexit
import base64
import datetime
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

CA_CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
commonName = supplied
"""


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, timeout=60,
                          stdin=None if data is not None else subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def new_key(path, kind="ec"):
    options = {"ec": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
               "rsa": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")}[kind]
    openssl("genpkey", *options, "-out", path)
    return path


class Leaf:
    """A chain and its key, as files."""

    def __init__(self, chain, key):
        self.chain = chain
        self.key = key

    @property
    def pin(self):
        """As an operator makes it: the SHA-256 of the public key, in base64."""
        public = openssl("x509", "-in", self.chain, "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "der", data=public)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Authority:
    """A root, an intermediate below it, and what they sign. In a folder of its own."""

    _shared = None

    @classmethod
    def shared(cls):
        if cls._shared is None:
            cls._shared = cls()
            atexit.register(cls._shared.remove)
        return cls._shared

    def __init__(self, name="Test Root"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-authority-"))
        self.folder.chmod(0o755)
        self.numbers = 0
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(CA_CONFIG.format(folder=self.folder))
        self.root = self.folder / "root.pem"
        openssl("req", "-x509", "-new", "-key", new_key(self.folder / "root.key"), "-subj", f"/CN={name}",
                "-days", "30", "-out", self.root, "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign")
        self.between = self.folder / "between.pem"
        self._sign("Test Intermediate", new_key(self.folder / "between.key"), self.between, "root",
                   ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"])

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sign(self, subject, key, out, issuer, extensions, days=(-1, 30)):
        request = openssl("req", "-new", "-key", key, "-subj", f"/CN={subject}")
        file = self.folder / f"extensions{self.numbers}"
        file.write_text("[leaf]\n" + "\n".join([*extensions, "subjectKeyIdentifier=hash",
                                                "authorityKeyIdentifier=keyid"]) + "\n")
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = ((now + datetime.timedelta(days=each)).strftime("%Y%m%d%H%M%SZ") for each in days)
        openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-in", "/dev/stdin",
                "-cert", self.folder / f"{issuer}.pem", "-keyfile", self.folder / f"{issuer}.key", "-out", out,
                "-startdate", begin, "-enddate", end, "-extfile", file, "-extensions", "leaf", data=request)

    def leaf(self, names=("DNS:mail.internal",), subject="mail.internal", issuer="root", days=(-1, 30),
             usage="serverAuth", kind="ec", whole=True):
        """`names` as in subjectAltName; issuer `between` with whole=False leaves the intermediate out."""
        self.numbers += 1
        key = new_key(self.folder / f"leaf{self.numbers}.key", kind)
        chain = self.folder / f"leaf{self.numbers}.pem"
        extensions = ["basicConstraints=critical,CA:FALSE", f"extendedKeyUsage={usage}"]
        if names:
            extensions.append("subjectAltName=" + ",".join(names))
        self._sign(subject, key, chain, issuer, extensions, days)
        if issuer == "between" and whole:
            chain.write_text(chain.read_text() + self.between.read_text())
        return Leaf(chain, key)

    def self_signed(self, names=("DNS:mail.internal",)):
        self.numbers += 1
        key = new_key(self.folder / f"leaf{self.numbers}.key")
        chain = self.folder / f"leaf{self.numbers}.pem"
        openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=mail.internal", "-days", "30", "-out", chain,
                "-addext", "subjectAltName=" + ",".join(names))
        return Leaf(chain, key)
