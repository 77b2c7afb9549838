"""Secrets in the forms in which people, programs and models write them: ``(kind, text, what must not be in it)``.

Every key is made here, by a generator with a fixed seed and from pieces, so that no scanner takes one for real.
"""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from tests.secrets.places import in_places

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits


class Form(NamedTuple):
    kind: str
    text: str
    secret: str


class Keys:
    """Invented keys."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def of(self, length: int, letters: str = ALNUM) -> str:
        """Letters and figures mixed, as a key has them."""
        while True:
            key = "".join(self.chance.choice(letters) for _ in range(length))
            if any(letter.isdigit() for letter in key) and any(letter.isalpha() for letter in key):
                return key

    def uuid(self) -> str:
        return "-".join(self.of(size, HEX) for size in (8, 4, 4, 4, 12))


def vendor_keys(seed: int) -> dict[str, str]:
    """One key of each kind that has a form of its own."""
    keys = Keys(seed)
    of = keys.of
    return {
        "openai": "sk" + "-" + of(48),
        "openai project": "sk-" + "proj-" + of(60, ALNUM + "_-"),
        "openai service account": "sk-" + "svcacct-" + of(60),
        "openai admin": "sk-" + "admin-" + of(60),
        "anthropic": "sk-" + "ant-api03-" + of(93, ALNUM + "_-") + "AA",
        "openrouter": "sk-" + "or-v1-" + of(64, HEX),
        "deepseek": "sk" + "-" + of(32, HEX),
        "langfuse": "sk-" + "lf-" + keys.uuid(),
        "groq": "gsk" + "_" + of(52),
        "xai": "xai" + "-" + of(80),
        "perplexity": "pplx" + "-" + of(48),
        "replicate": "r8" + "_" + of(37),
        "hugging face": "hf" + "_" + of(34),
        "fireworks": "fw" + "_" + of(24),
        "together": "tgp_" + "v1_" + of(43, ALNUM + "_-"),
        "nvidia": "nvapi" + "-" + of(64, ALNUM + "_-"),
        "cerebras": "csk" + "-" + of(48),
        "voyage": "pa" + "-" + of(43),
        "jina": "jina" + "_" + of(32) + of(28),
        "elevenlabs": "sk" + "_" + of(48, HEX),
        "langsmith": "lsv2_" + "pt_" + of(32, HEX) + "_" + of(10, HEX),
        "langsmith service": "lsv2_" + "sk_" + of(32, HEX) + "_" + of(10, HEX),
        "langsmith of old": "ls" + "__" + of(32, HEX),
        "pinecone": "pcsk" + "_" + of(5) + "_" + of(60),
        "tavily": "tvly" + "-" + of(32),
        "tavily dev": "tvly-" + "dev-" + of(32),
        "firecrawl": "fc" + "-" + of(32, HEX),
        "browserbase": "bb_" + "live_" + of(27),
        "e2b": "e2b" + "_" + of(40, HEX),
        "mem0": "m0" + "-" + of(40),
        "aws": "AK" + "IA" + of(16, UPPER),
        "aws session": "AS" + "IA" + of(16, UPPER),
        "aws bedrock": "AB" + "SK" + of(120, ALNUM),
        "google": "AI" + "za" + of(35, ALNUM + "_-"),
        "google oauth": "ya29" + "." + of(120, ALNUM + "_-"),
        "google client": "GOC" + "SPX-" + of(28, ALNUM + "_-"),
        "azure client": of(3) + "8Q" + "~" + of(34, ALNUM + "_."),
        "azure": of(52) + "JQ" + "QJ99" + of(26),
        "alibaba": "LT" + "AI" + of(20),
        "digitalocean": "dop_" + "v1_" + of(64, HEX),
        "heroku": "HRKU" + "-" + of(60, ALNUM + "_-"),
        "fly": "fo1" + "_" + of(43, ALNUM + "_"),
        "vercel": "vcp" + "_" + of(56),
        "netlify": "nfp" + "_" + of(36),
        "supabase": "sbp" + "_" + of(40, HEX),
        "planetscale": "pscale_" + "tkn_" + of(43, ALNUM + "_"),
        "yandex": "AQ" + "VN" + of(36),
        "github": "gh" + "p_" + of(36),
        "github oauth": "gh" + "o_" + of(36),
        "github server": "gh" + "s_" + of(36),
        "github fine": "github" + "_pat_" + of(22) + "_" + of(59),
        "gitlab": "gl" + "pat-" + of(20),
        "gitlab deploy": "gl" + "dt-" + of(20),
        "gitlab runner": "gl" + "rt-" + of(20),
        "bitbucket": "AT" + "BB" + of(32),
        "atlassian": "ATA" + "TT3" + of(180, ALNUM + "_-"),
        "npm": "npm" + "_" + of(36),
        "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + of(80, ALNUM + "_-"),
        "docker": "dckr_" + "pat_" + of(27, ALNUM + "_-"),
        "rubygems": "rubygems" + "_" + of(48, HEX),
        "artifactory": "AKC" + "p" + of(69),
        "circleci": "CCI" + "PAT_" + of(22) + "_" + of(40, HEX),
        "buildkite": "bkua" + "_" + of(40, HEX),
        "sonar": "sqp" + "_" + of(40, HEX),
        "sentry": "sntr" + "ys_" + of(80),
        "linear": "lin_" + "api_" + of(40),
        "postman": "PMAK" + "-" + of(24, HEX) + "-" + of(34, HEX),
        "databricks": "da" + "pi" + of(32, HEX),
        "databricks numbered": "da" + "pi" + of(32, HEX) + "-2",
        "vault": "hvs" + "." + of(90, ALNUM + "_-"),
        "terraform": of(14) + ".atlas" + "v1." + of(67, ALNUM + "_-"),
        "pulumi": "pul" + "-" + of(40, HEX),
        "doppler": "dp." + "pt." + of(43),
        "grafana": "gls" + "a_" + of(32) + "_" + of(8, HEX),
        "new relic": "NR" + "AK-" + of(27, UPPER),
        "dynatrace": "dt0" + "c01." + of(24, UPPER) + "." + of(64, UPPER),
        "age": "AGE-" + "SECRET-KEY-1" + of(58, UPPER),
        "launchdarkly": "sdk" + "-" + keys.uuid(),
        "slack bot": "xox" + "b-" + of(12, "0123456789a") + "-" + of(13, "0123456789a") + "-" + of(24),
        "slack user": "xox" + "p-" + of(60, ALNUM + "-"),
        "slack app": "xap" + "p-1-A" + of(10, UPPER) + "-" + of(60, HEX),
        "discord bot": "M" + of(25) + "." + of(6) + "." + of(38, ALNUM + "_-"),
        "telegram": keys.of(8, "123456789a").replace("a", "4")[:8] + "12" + ":A" + "A" + of(33, ALNUM + "_-"),
        "twilio": "S" + "K" + of(32, HEX),
        "sendgrid": "SG" + "." + of(22) + "." + of(43),
        "brevo": "xkeys" + "ib-" + of(64, HEX) + "-" + of(16),
        "mailgun": "key" + "-" + of(32, HEX),
        "mailchimp": of(32, HEX) + "-u" + "s12",
        "resend": "re" + "_" + of(8) + "_" + of(24),
        "notion": "nt" + "n_" + of(46),
        "notion of old": "secret" + "_" + of(43),
        "figma": "fig" + "d_" + of(40, ALNUM + "_-"),
        "airtable": "pa" + "t" + of(14) + "." + of(64, HEX),
        "dropbox": "sl" + ".B" + of(130, ALNUM + "_-"),
        "stripe": "sk_" + "live_" + of(24),
        "stripe test": "sk_" + "test_" + of(99),
        "stripe restricted": "rk_" + "live_" + of(24),
        "stripe webhook": "whs" + "ec_" + of(32),
        "shopify": "shp" + "at_" + of(32, HEX),
        "square": "sq0" + "atp-" + of(22, ALNUM + "_-"),
        "plaid": "access-" + "sandbox-" + keys.uuid(),
        "flutterwave": "FLWSECK_" + "TEST-" + of(32, HEX) + "-X",
        "facebook": "EA" + "A" + of(180),
        "jwt": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + of(43, ALNUM + "_-"),
        "zhipu": of(32, HEX) + "." + of(16),
    }


def in_addresses(seed: int) -> Iterator[Form]:
    keys = Keys(seed)
    for text in (
        "postgresql://app:{}@db.internal:5432/x", "redis://:{}@cache:6379/0", "mongodb+srv://bob:{}@cluster0.example.net",
        "https://bob:{}@example.com/path", "amqp://guest:{}@mq:5672/vhost", "git clone https://oauth2:{}@git.example.com/a.git",
        "https://x-access-token:{}@github.com/a/b.git", "ftp://ann:{}@files.example.com", "mysql://root:{}@127.0.0.1/shop",
    ):  # fmt: skip
        secret = keys.of(10)
        yield Form("address", text.format(secret), secret)
    for text in (
        "https://hooks.slack" + ".com/services/T0AAAAAAA/B0AAAAAAA/{}", "https://discord" + ".com/api/webhooks/1234567890123456789/{}",
        "https://discordapp" + ".com/api/webhooks/123456789012345678/{}",
        "https://acme.webhook.office" + ".com/webhookb2/{}", "https://hooks.zapier" + ".com/hooks/catch/1234567/{}",
    ):  # fmt: skip
        secret = keys.of(32)
        yield Form("webhook", text.format(secret), secret)
    secret = keys.of(32)
    yield Form("address", f"git clone https://{secret}@git.example.com/a.git", secret)
    secret = keys.of(32, HEX)
    yield Form("dsn", f"https://{secret}@o12345.ingest.sentry" + ".io/678", secret)
    for name in ("access_token", "api_key", "key", "sig", "token", "X-Amz-Signature", "X-Amz-Security-Token", "client_secret",
                 "password", "apikey", "auth_token", "Signature", "private_token"):  # fmt: skip
        secret = keys.of(43)
        if name != "key":
            yield Form(
                "query", f"GET https://api.example.com/v1/things?limit=3&{name}={secret}&page=2 HTTP/1.1", secret
            )
    secret = keys.of(43)
    sas = f"https://acct.blob.core.windows.net/c/b?sv=2024-11-04&ss=b&srt=sco&sp=rwd&se=2026-12-31T00:00:00Z&sig={secret}%3D"
    yield Form("sas", sas, secret)
    secret = keys.of(43)
    yield Form("sas", f"SharedAccessSignature sr=hub.example.net&sig={secret}%3D&se=1767139200&skn=policy", secret)
    secret = keys.of(86)
    yield Form(
        "connection",
        f"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={secret}==;EndpointSuffix=core",
        secret,
    )
    yield Form("connection", "Server=db;Database=x;User Id=sa;Password=swordfish;Encrypt=true;", "swordfish")
    yield Form("connection", "host=db user=app password=swordfish dbname=x", "swordfish")


NAMES = ("password", "passwd", "passphrase", "pwd", "secret", "api_key", "apiKey", "API-Key", "x-api-key", "client_secret",
         "clientSecret", "access_token", "refreshToken", "auth_token", "private_key", "signing_key", "encryption_key",
         "secret_key", "SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "DB_PASSWORD", "DB_PASS", "dbPass", "db_password",
         "smtp_pass", "credential", "credentials", "token", "pass", "authToken", "session_token", "bearer_token", "webhook_secret",
         "master_key", "account_key", "storage_key", "subscription_key", "Ocp-Apim-Subscription-Key", "jwt_secret",
         "userPassword", "adminpassword", "user_password", "new_password", "password_confirmation", "id_token", "github_token",
         "SLACK_BOT_TOKEN", "HF_TOKEN", "ssh_key", "hmac_key", "app_secret", "consumer_secret", "service_account_key",
         "root_password", "keystore_pass", "PGPASSWORD", "redis_password", "csrf_token", "api key")  # fmt: skip


def by_names(seed: int) -> Iterator[Form]:
    """Every name in every kind of text, in turn; values as machines make them."""
    keys = Keys(seed)
    frames = (
        '{{"{n}": "{v}"}}', '{{"user": "ann", "{n}":"{v}", "x": 1}}', "{{'{n}': '{v}'}}", '[{{"config": {{"{n}": "{v}"}}}}]',
        "{n}: {v}", "{n}: {v}\nuser: ann", '{n} = "{v}"', "{n} = '{v}'", "{n}={v}", "export {n}={v}", "a=1&{n}={v}&b=2",
        "<{n}>{v}</{n}>", '<add key="{n}" value="{v}" />', '{{"name": "{n}", "value": "{v}"}}', "--{n}={v} --verbose",
        "--{n} {v} --verbose", 'curl -H "{n}: {v}" https://example.com', "your {n} is {v}.", "**{n}**: `{v}`", "{n} => '{v}'",
        '{{\\"{n}\\": \\"{v}\\"}}', '"{{\\\\\\"{n}\\\\\\": \\\\\\"{v}\\\\\\"}}"', "{n}%3D{v}", "{n}\\u003d{v}", "&quot;{n}&quot;: &quot;{v}&quot;",
        "- name: {n}\n  value: {v}", "os.environ['{n}'] = '{v}'", 'config["{n}"] = "{v}"', 'setenv("{n}", "{v}")', "let {n} = `{v}`;",
    )  # fmt: skip
    for place, name in enumerate(NAMES):
        for step in range(3):
            frame = frames[(place * 7 + step * 11) % len(frames)]
            if "<{n}>" in frame and (" " in name or "-" in name):
                frame = "{n}: {v}"
            if frame.startswith(("--", "export", "let", "{n}%", "a=1")) and " " in name:
                frame = '{{"{n}": "{v}"}}'
            secret = keys.of(24)
            yield Form("name", frame.format(n=name, v=secret), secret)


def by_hand(seed: int) -> Iterator[Form]:
    """Forms that have a shape of their own."""
    keys = Keys(seed)
    of = keys.of
    dumps = json.dumps

    def form(kind: str, text: str, *secrets: str) -> Iterator[Form]:
        for secret in secrets:
            yield Form(kind, text, secret)

    a, b = of(20), of(20)
    yield from form("list", dumps({"passwords": [a, b]}), a, b)
    yield from form("list", dumps({"api_keys": [a, b], "n": 2}), a, b)
    yield from form("list", dumps({"secret": ["swordfish", "opensesame"]}), "swordfish", "opensesame")
    yield from form("list", "{'password': ['hunter2', 'letmein1']}", "hunter2", "letmein1")
    yield from form("object", dumps({"credentials": {"user": "ann", "word": a}}), a)
    yield from form("object", dumps({"secrets": {"db": {"main": a}, "mail": [b]}}), a, b)
    yield from form("object", dumps({"password": {"current": "hunter2", "previous": "hunter1"}}), "hunter2", "hunter1")
    yield from form("object", dumps({"arguments": dumps({"api_keys": {"one": a, "two": b}})}), a, b)
    yield from form("object", dumps({"auth": {"username": "ann", "password": "swordfish"}}), "swordfish")
    yield from form("number", dumps({"password": 12345678, "note": "n"}), "12345678")
    yield from form("number", dumps({"pin": 4821}), "4821")
    yield from form("pin", "PIN: 4821", "4821")
    yield from form("pin", '{"pin": "482193"}', "482193")
    yield from form("pin", "pin=4821&x=1", "4821")
    yield from form("pin", "my pin is 4821", "4821")
    yield from form("yaml", "database:\n  user: ann\n  password: swordfish\n  port: 5432\n", "swordfish")
    yield from form("yaml", "password: opensesame", "opensesame")
    yield from form("yaml", "secret: swordfish\nregion: eu", "swordfish")
    yield from form("yaml", "api_key: abcdefghijkl  # mine", "abcdefghijkl")
    yield from form("yaml", "passwords:\n  - swordfish\n  - opensesame\n", "swordfish", "opensesame")
    yield from form("yaml", "passphrase: |\n  swordfish in the sea\nuser: ann", "swordfish in the sea")
    yield from form("yaml", 'db:\n  password: "swordfish"\n', "swordfish")
    yield from form("yaml", dumps({"content": "db:\n  password: swordfish\n  user: ann"}), "swordfish")
    yield from form("yaml", "env:\n- name: DB_PASSWORD\n  value: swordfish", "swordfish")
    yield from form("ini", "[db]\nuser = ann\npassword = swordfish\n", "swordfish")
    yield from form("env", "DB_USER=ann\nDB_PASS=swordfish\n", "swordfish")
    yield from form("env", "export PGPASSWORD=swordfish", "swordfish")
    yield from form("env", "ENV API_SECRET=swordfish", "swordfish")
    yield from form("prose", "The password is swordfish.", "swordfish")
    yield from form("prose", "my password is swordfish", "swordfish")
    yield from form("prose", "My password: swordfish", "swordfish")
    yield from form("prose", "the wifi password is 'blue horses run'", "blue horses run")
    yield from form("prose", "Log in with user ann and password hunter2.", "hunter2")
    yield from form("prose", f"Use this api key: {a} for now", a)
    yield from form("prose", f"the client secret is {a}", a)
    yield from form("prose", "password for the admin account is hunter2!", "hunter2")
    yield from form("prose", "The password was changed to hunter2 yesterday", "hunter2")
    yield from form("prose", "Password: hunter2", "hunter2")
    yield from form("prose", "user: ann / pass: hunter2", "hunter2")
    yield from form("prose", f"her token is {a}", a)
    yield from form("prose", 'the passphrase is "blue horses run"', "blue horses run")
    yield from form("table", "| name | value |\n|---|---|\n| password | hunter2 |\n", "hunter2")
    yield from form("schema", dumps({"properties": {"api_key": {"type": "string", "default": a}}}), a)
    yield from form("schema", dumps({"password": {"type": "string", "examples": ["hunter2"]}}), "hunter2")
    yield from form("schema", dumps({"token": {"type": "string", "default": a, "description": "of the user"}}), a)
    yield from form(
        "signature",
        f'def connect(host: str, password: str = "hunter2", *, api_key: str | None = "{a}"): ...',
        "hunter2",
        a,
    )
    yield from form("typed", 'const password: string = "hunter2";', "hunter2")
    yield from form("typed", 'private static final String PASSWORD = "hunter2";', "hunter2")
    yield from form("typed", 'password := "hunter2"', "hunter2")
    yield from form("typed", "password = b'hunter2'", "hunter2")
    yield from form("typed", "define('DB_PASSWORD', 'hunter2x');", "hunter2x")
    yield from form("typed", "CREATE USER ann WITH PASSWORD 'swordfish';", "swordfish")
    yield from form("member", dumps({"name": "password", "value": "hunter2"}), "hunter2")
    yield from form("member", dumps({"value": "hunter2", "name": "DB_PASSWORD"}), "hunter2")
    yield from form("member", dumps([{"key": "api_key", "type": "string", "value": a}]), a)
    yield from form("member", dumps({"name": "API key", "value": a}, separators=(",", ":")), a)
    yield from form("member", dumps({"value": a, "label": "signing key"}), a)
    yield from form("member", dumps({"headers": [{"name": "Authorization", "value": f"Bearer {a}"}]}), a)
    yield from form("member", dumps({"headers": [{"name": "Cookie", "value": f"sid={a}"}]}), a)
    yield from form("member", dumps({"selector": "#password", "text": "hunter2"}), "hunter2")
    yield from form("member", dumps({"element": "Password field", "text": "hunter2"}), "hunter2")
    yield from form("xml", "<user>ann</user><password>hunter2</password>", "hunter2")
    yield from form("xml", '<ns:Password Type="Text">hunter2</ns:Password>', "hunter2")
    yield from form("xml", '<server username="ann" password="hunter2"/>', "hunter2")
    yield from form("xml", '<entry key="password">hunter2</entry>', "hunter2")
    yield from form("xml", '<property name="password" value="hunter2"/>', "hunter2")
    yield from form("xml", "&lt;apiKey&gt;" + a + "&lt;/apiKey&gt;", a)
    yield from form("xml", f'<input type="hidden" name="csrf_token" value="{a}">', a)
    yield from form("form", 'Content-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x', "hunter2")
    yield from form("form", "username=ann&password=swordfish", "swordfish")
    yield from form("cookie", f"Cookie: session={a}; theme=dark", a)
    yield from form("cookie", f"Set-Cookie: sid={a}; Path=/; HttpOnly", a)
    yield from form("cookie", dumps({"headers": {"cookie": f"session={a}; lang=en"}}), a)
    yield from form("cookie", dumps({"set-cookie": [f"sid={a}; Path=/"]}), a)
    yield from form("cookie", f'curl -H "Cookie: sid={a}" https://example.com', a)
    yield from form("authorization", f"Authorization: Bearer {a}", a)
    yield from form(
        "authorization",
        "Authorization: Basic " + base64.b64encode(b"ann:hunter2").decode(),
        base64.b64encode(b"ann:hunter2").decode(),
    )
    yield from form("authorization", f"Authorization: Token {a}", a)
    yield from form("authorization", f"authorization: {a}{b}", a)
    yield from form("authorization", dumps({"headers": {"Authorization": f"ApiKey {a}"}}), a)
    yield from form("authorization", f"[b'authorization', b'Bearer {a}']", a)
    yield from form("authorization", f"Proxy-Authorization: Bearer {a}", a)
    yield from form("flag", "mysql --user ann --password swordfish --host db", "swordfish")
    yield from form("flag", f"tool --api-key {a} run", a)
    yield from form("flag", dumps(["tool", "--password", "hunter2"]), "hunter2")
    yield from form("flag", "tool --password=swordfish", "swordfish")
    yield from form("flag", "tool --token '" + a + "'", a)
    yield from form("flag", "curl -u ann:hunter2 https://example.com", "hunter2")
    yield from form("flag", "curl --user 'ann:hunter2' https://example.com", "hunter2")
    yield from form("flag", dumps(["curl", "-u", "ann:hunter2", "https://example.com"]), "hunter2")
    yield from form("flag", "sshpass -p hunter2 ssh ann@host", "hunter2")
    yield from form("flag", "mysql -u root -phunter2 shop", "hunter2")
    yield from form("flag", "docker login -u ann -p hunter2 registry.example.com", "hunter2")
    yield from form("flag", "redis-cli -a hunter2 ping", "hunter2")
    yield from form("netrc", "machine example.com login ann password swordfish", "swordfish")
    yield from form("npmrc", f"//registry.example.com/:_authToken={a}", a)
    lines = [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        of(64),
        of(64),
        of(30) + "==",
        "-----END RSA " + "PRIVATE KEY-----",
    ]
    yield from form("pem", "\n".join(lines), *lines[1:3])
    yield from form("pem", dumps({"private": "\n".join(lines)}), *lines[1:3])
    yield from form("pem", dumps(lines), *lines[1:3])
    yield from form("pem", dumps({"key": lines, "n": 1}, indent=2), *lines[1:3])
    yield from form("pem", "key: |\n  " + "\n  ".join(lines), *lines[1:3])
    yield from form("pem", dumps(dumps({"pem": "\n".join(lines)})), *lines[1:3])
    yield from form("pem", "\r\n".join(lines).replace("RSA ", "OPENSSH "), *lines[1:3])
    yield from form("pem", "\n".join(lines[:3]), *lines[1:3])
    encoded = base64.b64encode(dumps({"user": "ann", "password": "hunter2"}).encode()).decode()
    yield from form("base64", f"payload {encoded} end", encoded)
    encoded = base64.b64encode(dumps({"api_key": a}, indent=2).encode()).decode()
    yield from form("base64", dumps({"data": encoded}), encoded)
    encoded = base64.urlsafe_b64encode(dumps([{"token": a}]).encode()).decode().rstrip("=")
    yield from form("base64", f"?state={encoded}", encoded)
    key = "sk-" + "proj-" + of(40)
    yield from form("escaped", f"key%3D{key}", key)
    yield from form("escaped", f"key\\u003d{key}", key)
    yield from form("escaped", f"q={quote(dumps({'api_key': a}))}", a)
    yield from form("escaped", f"https://x.example/cb#access_token={a}&type=b", a)
    yield from form("escaped", f"first\\npassword={a}\\nlast", a)
    yield from form("escaped", f'{{"body": "a=1\\u0026password={a}"}}', a)
    yield from form("repr", f"Settings(host='db', password='hunter2', api_key='{a}')", "hunter2", a)
    yield from form("repr", f"User(name='ann', token=\"{a}\")", a)
    yield from form("log", f'level=info user=ann password="hunter2" token={a}', "hunter2", a)
    yield from form("log", "login failed: user=ann password=hunter2", "hunter2")
    # the commonest passwords are words for one
    yield from form("log", "login failed: user=ann password=adminsecret99", "adminsecret99")
    yield from form("env", "DB_USER=ann\nDB_PASS=MySecretPass123\n", "MySecretPass123")
    yield from form("yaml", "password: hunter2secret", "hunter2secret")
    yield from form("message", "my password: Sup3rSecretKey", "Sup3rSecretKey")
    yield from form("truncated", '{"user": "ann", "password": "hunter2moo', "hunter2moo")


def secrets(seed: int = 1) -> list[Form]:
    """All of them."""
    forms = [Form(f"key of {kind}", f"the key is {key} and that is it", key) for kind, key in vendor_keys(seed).items()]
    keys = Keys(seed + 4)
    places = [
        Form("place", *row)
        for row in in_places(
            {"{k}": keys.of(24), "{h}": keys.of(40, HEX), "{x}": keys.of(32, HEX)}
            | {"{s}": keys.of(26, string.ascii_lowercase + string.digits), "{f}": keys.of(43)}
            | {f"{{e{shift}}}": _settings("x" * shift, keys.of(20)) for shift in range(3)}
        )
    ]
    return [*forms, *in_addresses(seed + 1), *by_names(seed + 2), *by_hand(seed + 3), *places]


def _settings(first: str, key: str) -> str:
    return base64.b64encode(f"{first}=1\nDB_HOST=db\nAPI_KEY={key}\nDEBUG=1\n".encode()).decode().rstrip("=")
