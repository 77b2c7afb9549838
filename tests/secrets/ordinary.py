"""Texts in which there is no secret, though much in them looks like one: each has to stay byte for byte."""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid

from tests.secrets.lookalikes import LINES, TEXTS

CODE = r"""
register(api_key=API_KEY)
register(api_key=api_key)
client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
client = OpenAI(api_key=os.getenv("OPENAI_API_KEY"))
client = OpenAI(api_key=settings.openai.api_key, model=model)
client = OpenAI(api_key=get_key())
client = Client(token=token, secret=cfg_secret)
client = Client(api_key='YOUR_API_KEY')
client = Client(api_key="<your key>")
client = Client(api_key="sk-...")
client = Client(api_key="sk-your-key-here")
login(user, password=password1)
login(user, password=password123)
password = db_password_2024
login(username=name, password=pw)
connect(host, password=None, api_key=None)
connect(password=self.password, token=self._token)
connect(password=config.get("password"))
connect(password=getpass.getpass())
password = input("Password: ")
password = request.form["password"]
password = hash_password(password)
password = values["password"]
api_key = api_key or os.environ.get("API_KEY")
api_key: str | None = None
api_key: SecretStr = Field(default=None)
password: Optional[str] = None
password: str
token: Token = Depends(get_token)
secret = secrets.token_urlsafe(32)
secret_key = secret_key_from(env)
token = tokens[0]
token = next(lexer)
token = await self.fetch_token()
token = response.json()["access_token"]
if token is None: return
for token in tokens: print(token)
while token != end_token: token = advance()
def login(user: str, password: str, api_key=None) -> Token: ...
def verify(password: str, hashed: str) -> bool: ...
def f(*, key: str, secret: str = "") -> None: ...
class PasswordField(TextField): widget = PasswordInput
auth = HTTPBasicAuth(user, password)
auth=auth, headers=headers
headers = {"Authorization": f"Bearer {token}"}
headers = {"Authorization": "Bearer " + token}
headers["X-Api-Key"] = api_key
headers: { Authorization: `Bearer ${token}` }
const { password, token } = req.body;
const token = req.headers.authorization?.split(" ")[1];
const apiKey = process.env.OPENAI_API_KEY;
const apiKey = process.env["OPENAI_API_KEY"]!;
let password: string;
password: string;
password = $DB_PASSWORD
password = ${DB_PASSWORD}
password=${PASSWORD:-}
PASSWORD=$(cat /run/secrets/db)
export API_KEY=$OTHER_KEY
echo "$PASSWORD" | docker login --username ann --password-stdin
docker login --help
mysql -u root -p
psql -U app -d shop
ssh -p 2222 ann@host
mkdir -p build/output
docker run -p 8080:80 nginx
cp -a source target
ps -u ann
kubectl get secret my-secret -o yaml
kubectl create secret generic db --from-literal=password=$PASS
password: !secret db_password
password: "{{ vault_db_password }}"
password: {{ .Values.password }}
api_key: ${{ secrets.API_KEY }}
api_key: env:OPENAI_API_KEY
secret: vault:kv/data/db#password
passwordRef: { name: db, key: password }
secretName: db-credentials
secretKeyRef:
tokenizer = AutoTokenizer.from_pretrained("gpt2")
tokens = tokenizer.encode(text)
stop_token = "END"
bos_token="<s>", eos_token="</s>", pad_token="<pad>"
max_tokens=100, total_tokens: 1234567
usage: prompt_tokens=12 completion_tokens=3 total_tokens=15
next_page_token: CAUQAA
nextPageToken = "Cg5wYWdlLTIwMjYtMTEtMjg"
primary_key = "id"
sort_key: created_at
cache_key = "user:12:profile"
PRIMARY KEY (id), FOREIGN KEY (user_id) REFERENCES users
key: value
key = lambda item: item.name
sorted(items, key=itemgetter(1))
public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKl0ZZ0aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789ab ann@host"
GPIO.setup(led_pin, GPIO.OUT)
pin = 13
led_pin: 13
pins: [2, 3, 4]
pin: true
digitalWrite(PIN_LED, HIGH)
pass
pass: 12, fail: 3
passed = pass_count == total
first_pass = parse(tree)
{"pass": true, "fail": false}
pass=1
assert authenticated, "not authorized"
@app.get("/password/reset")
router.post("/auth/token", handler)
SELECT secret FROM vault WHERE key = 12
ALTER TABLE users ADD COLUMN password_hash text
INSERT INTO users (name, password) VALUES (?, ?)
WHERE password = :password AND token = :token
UPDATE users SET password = %s WHERE id = %s
git commit -m "Reset the password when the token expires"
import { Cookie } from "http"
response.set_cookie("session", value)
cookies = request.cookies
document.cookie = name
git@github.com:org/repo.git
pip install --index-url https://pypi.org/simple pypi-client
npm_config_registry=https://registry.npmjs.org
hf_hub_download(repo_id="org/model", filename="config.json")
sk-circle-fade-dot-animation-container
class="sk-cube-grid sk-spinner sk-spinner-pulse-long-name"
the_very_long_function_name_that_goes_on_and_on_for_ever()
get_user_authentication_token_from_database_connection_pool()
signature = inspect.signature(function)
"signature": "(self, name: str) -> None"
sig = hmac.new(key, body, sha256).hexdigest()
authorization: none
auth: basic
auth_method = "oauth2"
token_type: bearer
grant_type=client_credentials&scope=read
response_type=code&client_id=abc&state=xyz
password_reset_url = "/reset"
password_policy: strict
password_min_length = 12
secret_length: 32
PASSWORD_HASHERS = ["Argon2"]
token_count = len(tokens)
token_limit: 4096
api_key_header = APIKeyHeader(name="X-API-Key")
security: [{ bearerAuth: [] }]
in: header, name: X-API-Key, type: apiKey
""".strip().splitlines()

PROSE = r"""
password: required, at least eight characters
Enter your password:
The secret: practice every day.
My secret = love
The secret to good bread is patience.
The key is persistence.
Your password must contain at least 8 characters.
Your password is incorrect.
The password is wrong.
The password is required.
the password is stored in the vault
Password is case sensitive.
Forgot your password? Click here to reset it.
Please change your password every 90 days.
Password must be 8-20 characters and include a number.
password hashing with bcrypt or argon2id
Password reset email sent to ann@example.com
Her password is the same as mine.
The token is expired.
The token has expired, please log in again.
Each token costs about 0.002 dollars.
The model generates one token at a time.
A token is roughly four characters of English text.
The token "Paris" has the highest probability.
Access tokens expire after 3600 seconds.
authorization: 2-step
Authorization: required
Authorization is handled by the gateway.
two-factor authorization 2FA codes
basic understanding of authentication
Basic authentication is not recommended.
basic information about chemistry
a bearer of good news and bearer bonds
The bearer of this letter is my brother.
Bearer tokens are sent in the Authorization header.
Authorization: Bearer <your token>
Authorization: Bearer $TOKEN
Authorization: Bearer ...
the risk-averse, disk-based task-oriented approach of scikit-learn
He kept the secret for 20 years.
It is no secret that prices went up 12 percent in 2026.
Secret Santa: buy a gift under 25 euros.
The secret ingredient: two cups of butter.
The pin number of the chip is on page 12.
Pin it to the top of the page.
pin: a small piece of metal
Pin 13 drives the LED.
bowling pins: 10
He could not pass the exam.
pass rate: 93%
The boarding pass: gate 12, seat 4A
A mountain pass at 2,300 metres
Press any key to continue.
The answer key: 1b 2c 3d 4a
key findings: revenue up 4%
Cookie recipe: 200g flour, 100g sugar
cookie: chocolate chip
We use cookies to improve your experience.
Cookie policy updated 2026-01-01
My credentials: ten years of teaching
Her credentials are impressive.
He presented his credentials to the king.
signature dish: risotto
The author: Jane Austen
author: ann, authority: none
The authentication method is OAuth2.
Passengers: 4, passports: 4
passage: 12 lines
compass: north
bypass: closed
spinning, pinning, opinion: 3
keyboard: qwerty, monkey: 2
password: string
password: text
password: ********
password: xxxxxxxx
password: [hidden]
password: <redacted>
api_key: '***'
api_key: YOUR_API_KEY
API_KEY=your-api-key-here
secret: changeme
token: <token>
Set OPENAI_API_KEY in your environment.
Pass --password to set one and --token for the other.
Use the --api-key flag or the API_KEY variable.
The -p option, the -u option and the -a option.
user:password@host is the form of it
user and password are needed; api key optional.
SHA-256, AES-256 and RSA-2048 are algorithms.
password: sha256
hash: bcrypt
id 550e8400-e29b-41d4-a716-446655440000
https://example.com/a:b@c/d?x=1
https://example.com/reset-password?step=2&lang=en
https://example.com/token/refresh
https://shop.example.com/search?q=key+ring&page=2&sort=price
mailto:ann@example.com?subject=password
see http://localhost:8080/auth/callback?code=200
eyJust kidding.eyJ
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
Mr. Key: secretary of the board
She is the secretary: Anna
Unlock the door with the key: turn left twice
""".strip().splitlines()

STRUCTURES = [
    {"password": "string"},
    {"password": {"type": "string"}},
    {"password": {"type": "string", "minLength": 8, "description": "The password of the user"}},
    {"properties": {"api_key": {"type": "string", "description": "Your key"}, "token": {"type": ["string", "null"]}}},
    {"type": "object", "properties": {"secret": {"$ref": "#/components/Secret"}}, "required": ["secret", "password"]},
    {"password": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}},
    {"credentials": {"type": "object", "properties": {"user": {"type": "string"}}}},
    {"name": "password", "in": "query", "required": True, "schema": {"type": "string"}},
    {"name": "api_key", "type": "string", "description": "The key of the service"},
    {"type": "password", "required": True},
    {"input": "password", "label": "Password", "placeholder": "Enter your password"},
    {"password": "Must be at least 8 characters"},
    {"errors": {"password": ["is too short", "must contain a number"]}},
    {"errors": {"password": "is too short (minimum is 8 characters)"}},
    {"labels": {"password": "Password", "token": "Token", "api_key": "API key"}},
    {"forgot_password": "Forgot your password?", "reset_password": "Reset your password"},
    {"password": None, "token": None, "secret": False, "api_key": ""},
    {"password": "***", "api_key": "[redacted:openai-key]", "token": "<hidden>"},
    {"password": "${DB_PASSWORD}", "api_key": "$API_KEY", "secret": "{{secret}}"},
    {"api_key": "OPENAI_API_KEY", "password_env": "DB_PASSWORD"},
    {"logprobs": [{"token": "sk", "logprob": -0.1}, {"token": " Paris", "logprob": -0.2}]},
    {"logprobs": {"content": [{"token": "Hello", "bytes": [72, 101], "top_logprobs": [{"token": "Hi"}]}]}},
    {"tokens": [1, 2, 3], "token": 1234, "token_ids": [50256]},
    {"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, "cached_tokens": 0}},
    {"input_tokens": 12345678, "max_tokens": 4096, "token_count": 99999999},
    {"nextPageToken": "CAUQAA", "pageToken": "Cg5wYWdl", "next_page_token": "eyA2MDB9"},
    {"pagination": {"cursor_token": "abc123def456ghi789", "continuation_token": "abc123def456ghi789"}},
    {"key": "value", "keys": ["a", "b"], "primary_key": "id", "partition_key": "tenant#1234567890"},
    {"Key": "folder/object-2026-11-28.parquet", "ETag": "9b2cf535f27731c974343645a3985328"},
    {"idempotency_key": "550e8400-e29b-41d4-a716-446655440000"},
    {"public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA", "key_id": "abc123def456"},
    {"pin": 13, "pins": [1, 2, 3], "pinned": True},
    {"pin": {"x": 1, "y": 2}},
    {"pass": True, "passed": 12, "pass_rate": 0.93},
    {"result": "pass", "pass": "yes", "fail": "no"},
    {"auth": "none", "auth_type": "basic", "authenticated": True},
    {"auth": {"type": "bearer", "required": True}},
    {"security": [{"api_key": []}], "securitySchemes": {"api_key": {"type": "apiKey", "in": "header"}}},
    {"credentials": "include", "mode": "cors"},
    {"cookies": True, "cookie_policy": "strict"},
    {"cookies": ["chocolate chip", "oatmeal"]},
    {"authorization": "none"},
    {"authorization": {"type": "oauth2", "scopes": ["read", "write"]}},
    {"signature": "def f(x: int) -> str"},
    {"author": "Ann", "authority": "x", "tokenizer": "cl100k_base", "secretary": "Bob"},
    {
        "tool_calls": [
            {"id": "call_abc123def456ghi789jkl012", "function": {"name": "get_token_count", "arguments": "{}"}}
        ]
    },
    {
        "id": "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ12345",
        "system_fingerprint": "fp_44709d6fcb",
        "object": "chat.completion",
    },
    {"id": "resp_0123456789abcdef0123456789abcdef0123456789abcdef", "previous_response_id": None},
    {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "content": [{"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9"}],
    },
    {"type": "thinking", "thinking": "Let me see.", "signature": base64.b64encode(bytes(range(200))).decode()},
    {"run_id": "run-0a1b2c3d-4e5f-6789-abcd-ef0123456789-0", "thread_id": "thread_abc123DEF456ghi789JKL012"},
    {"file_id": "file-AbCdEfGhIjKlMnOpQrStUv12", "assistant": "asst_AbCdEfGhIjKlMnOpQrStUv12"},
    {"organization": "org-AbCdEfGhIjKlMnOpQrStUv12", "project": "proj_AbCdEfGhIjKlMnOpQrStUv12"},
    {"request_id": "req_011CTestAbCdEfGhIjKlMnOp", "vector_store": "vs_67890abcdef1234567890abcdef12345"},
    {"model": "ft:gpt-4o-mini-2024-07-18:org::A1b2C3d4", "digest": "sha256:" + "ab12" * 16},
    {"finish_reason": "stop", "stop_token": "</s>", "eos_token": "<|endoftext|>"},
    {
        "username": "ann",
        "email": "ann@example.com",
        "password_set": True,
        "has_password": True,
        "password_updated_at": "2026-11-28",
    },
    {"password_strength": "weak", "password_hint": "name of first pet", "secret_question": "Name of first pet?"},
    {"secrets": [], "passwords": {}, "tokens": {}},
    {"secret_name": "db", "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"},
    {"password": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"},
    {"name": "token", "value": 12},
    {"name": "colour", "value": "green"},
    {"field": "password", "rule": "required"},
    {"selector": "#password", "action": "click"},
]

KIN = ("id", "name", "path", "url", "count", "length", "type", "limit", "field", "label", "hint", "policy", "file", "version",
       "expires", "enabled", "required", "format", "size", "index")  # fmt: skip
FIRST = ("password", "secret", "token", "api_key", "credential", "auth")


def made(seed: int) -> list[str]:
    """Identifiers, hashes, pictures, addresses and settings, made with a fixed seed."""
    chance = random.Random(seed)
    alnum = string.ascii_letters + string.digits

    def of(length: int, letters: str = alnum) -> str:
        return "".join(chance.choice(letters) for _ in range(length))

    texts: list[str] = []
    for _ in range(15):
        texts.append(str(uuid.UUID(int=chance.getrandbits(128))))
        texts.append(f"commit {hashlib.sha1(of(8).encode()).hexdigest()}")
        texts.append(
            json.dumps({"sha256": hashlib.sha256(of(8).encode()).hexdigest(), "md5": of(32, "0123456789abcdef")})
        )
        picture = base64.b64encode(
            bytes(chance.getrandbits(8) for _ in range(chance.choice((300, 3_000, 30_000))))
        ).decode()
        texts.append(json.dumps({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}))
        texts.append(f"data:image/jpeg;base64,/9j/{picture}")
        texts.append(f"https://example.com/{of(8)}/{of(24)}?page={chance.randrange(90)}&ref={of(12)}")
        texts.append(json.dumps({"id": f"call_{of(24)}", "name": "search", "index": chance.randrange(9)}))
        texts.append(
            f"chatcmpl-{of(29)} run-{uuid.UUID(int=chance.getrandbits(128))} toolu_{of(24)} msg_{of(24)} resp_{of(40)}"
        )
        texts.append(f"at {of(6)}.js:{chance.randrange(999)}:{chance.randrange(99)} trace {of(32, '0123456789abcdef')}")
        texts.append(json.dumps({"embedding": [round(chance.uniform(-1, 1), 6) for _ in range(12)]}))
        texts.append(
            f"2026-11-{chance.randrange(10, 29)}T12:{chance.randrange(10, 59)}:00Z order {of(10, string.digits)} total {chance.random():.2f}"
        )
        texts.append(f"s3://bucket-{of(6)}/{of(40)}/part-{of(5, string.digits)}.parquet")
    for first in FIRST:
        for kin in KIN:
            texts.append(json.dumps({f"{first}_{kin}": of(14)}))
    return texts


def ordinary(seed: int = 1) -> list[str]:
    """All of them."""
    structures = [json.dumps(each) for each in STRUCTURES]
    nested = [json.dumps({"arguments": text}) for text in structures[:20]]
    return [*CODE, *PROSE, *LINES, *TEXTS, *structures, *nested, *made(seed)]
