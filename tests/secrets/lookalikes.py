"""More texts without a secret: what stands where secrets stand, and is none."""
# ruff: noqa: E501 - a row of a table stands on a line

from __future__ import annotations

import base64
import json

LINES = r"""
token = jwt.encode(payload, key, algorithm="HS256")
token = tokenizer.decode(ids[0], skip_special_tokens=True)
password = user.password if user else ""
password = Column(String(128), nullable=False)
password = models.CharField(max_length=128)
password = serializers.CharField(write_only=True, min_length=8)
password = fake.password(length=12)
password_field = driver.find_element(By.ID, "password")
form.password.data = None
if not check_password_hash(user.password, password): abort(401)
api_key = kwargs.pop("api_key", None)
api_key=SecretStr(os.environ["KEY"]),
api_key=lambda: get_key(),
api_key=st.secrets["openai"],
api_key=userdata.get('OPENAI_API_KEY'),
api_key=dbutils.secrets.get(scope="a", key="b"),
api_key=(await vault.read("x"))["data"]
"api_key": os.environ.get("API_KEY"),
headers = {"X-Api-Key": self.api_key, "Accept": "application/json"}
headers={"Authorization": "Bearer {}".format(token)}
headers={"Authorization": "Bearer %s" % token}
headers.set("Authorization", "Bearer " + accessToken);
Authorization: `token ${process.env.GITHUB_TOKEN}`
req.SetBasicAuth(username, password)
password := os.Getenv("DB_PASSWORD")
password, err := terminal.ReadPassword(0)
String password = console.readPassword();
private String password;
private String apiToken = null;
public void setPassword(String password) { this.password = password; }
@Value("${db.password}") private String password;
let token: Option<String> = None;
let token = env::var("TOKEN").unwrap();
fn login(password: &str, token: &Token) -> Result<()> {
pub password: Option<SecretString>,
password: Secret<String>,
token: &'a str,
match token { Token::Ident(s) => s, _ => "" }
struct token *next_token(struct lexer *lexer);
char *token = strtok(line, " ,");
token = strtok(NULL, delimiters);
case TOKEN_STRING: return parse_string();
enum Token { PLUS = 1, MINUS = 2, NUMBER = 256 }
$password = $_POST['password'];
$password = password_hash($password, PASSWORD_DEFAULT);
<input type="password" name="password" placeholder="At least 8 characters">
<label for="password">Password</label>
<td>password</td><td>required</td>
<password>***</password>
<xs:element name="password" type="xs:string"/>
password varchar(255) NOT NULL
"password" text CHECK (length(password) > 8)
GRANT SELECT ON secrets TO app
CREATE TABLE tokens (token text PRIMARY KEY, user_id int)
secret: { type: String, required: true }
password: { type: String, select: false },
password: z.string().min(8),
password: yup.string().required("Password is required"),
password: Joi.string().min(8).required(),
password = "hashed_password"
token: "string"
--password <password>   The password to use
--password PASSWORD     The password to use
--token TOKEN, -t TOKEN
  -p, --password=PASS   password to connect with
usage: login [--password PASSWORD] [--token TOKEN] user
argparse: parser.add_argument("--password", required=True, help="the password")
@click.option("--api-key", envvar="API_KEY", help="The key")
ARG TOKEN
ENV PASSWORD_FILE=/run/secrets/db
POSTGRES_PASSWORD_FILE: /run/secrets/pg
password_file = "secrets.txt"
valueFrom: {secretKeyRef: {name: db, key: password}}
secretRef: {name: my-secret}
imagePullSecrets: [{name: regcred}]
api_key = var.api_key
password = random_password.db.result
password = data.aws_ssm_parameter.pw.value
password: ((db-password))
password: <%= ENV["DB_PASSWORD"] %>
password: "{{ lookup('env', 'PASSWORD') }}"
password: "%env(DB_PASSWORD)%"
password: ENC(abc)
PASSWORD=%PASSWORD%
echo %API_KEY%
token=$(curl -s https://x/token | jq -r .access_token)
TOKEN=`cat token.txt`
curl -u "$USER:$PASS" https://x
curl -u user https://x
curl -H "Authorization: Bearer $TOKEN" https://x
curl -H "X-API-Key: <your-key>" https://x
curl -b cookies.txt -c cookies.txt https://x
curl --cookie-jar jar.txt https://x
docker login -u ann
tar -xzf a.tar.gz -C dir
git push -u origin main
git push --set-upstream origin feature/token-refresh
pip install -U pip
sudo -u postgres psql
rsync -avz -u src dst
unzip -u archive.zip
zip -P
sort -u names.txt
grep -p pattern file
pytest -p no:cacheprovider
make -k test
openssl enc -k
python -u script.py
useradd -u 1001 ann
az login -u ann
az group list -o table
kubectl apply -f secret.yaml
7z x archive.7z -oout
The password was changed yesterday.
We talked about the secret of success and Token economies.
He entered the password and pressed Enter.
The password has been sent to your e-mail address.
Password strength: strong
Password last changed: 2026-11-28
Password expires in 30 days
Your token balance: 1,204 tokens
Token price: $0.0123
Token usage: 12345
token: 12345 of 100000
Token 3 of 17 is "the".
pad_token_id=0, eos_token_id=50256
max_new_tokens=512
the next token is likely " of"
The access token lifetime is 3600s.
An API key has the form sk-XXXX.
API key: see the dashboard
API Key    Required
Secret: yes
PIN entry failed 3 times
The PIN is four digits long.
PIN: four digits
pin code 560001
zip code 10115
postal code: 10115
error code: 482193
exit code 137
status code 404
The code is 404.
your order code is 482193
country code: +49
HTTP code 503
code: 200, message: ok
verification code
The verification code expires in 10 minutes.
one-time passwords are sent by SMS
pass the salt
Pass: 14/15
pass me the token
Pass 2: optimise
pass@1: 0.65, pass@10: 0.87
pass^8: 0.31
Credential stuffing attacks rose 30% in 2026.
credentials: see wiki
credential provider chain
cookie clicker score=123456
cookies: accepted
Cookie: none
Signature: ________
Signature: Jane Doe
sig=3
sig: 0.05
p-value 0.05, sig. (2-tailed) .031
key: C major
Key: 4/4, tempo=120
key=lambda x: x[1]
key=1234
key=abc
"key": "user:1234:session"
partition key = 2026-11-28#eu
license key features
foreign key constraint fails (`db`.`t`, CONSTRAINT `fk_1`)
Duplicate entry 'abc-123' for key 'users.email_unique'
keyword=python3
monkey=banana1
keyring: gnome
hotkey: ctrl+shift+p
passenger: 4A
compass=180
passthrough: true
bypass=1
passport: AB1234567
password123 is the second most common password.
"hunter2" is an old joke.
The words secret, token and key are in every config.
The author's credentials include a PhD.
pwd
pwd: /home/ann
PWD=/home/ann/project
OLDPWD=/home/ann
$ pwd
authkey: none
SSH_AUTH_SOCK=/tmp/ssh-abc/agent.123
GPG_TTY=/dev/pts/0
XAUTHORITY=/home/ann/.Xauthority
TOKENIZERS_PARALLELISM=false
HF_TOKEN_PATH=/home/ann/.cache/token
KEYMAP=us
SECRETS_DIR=/run/secrets
CREDENTIALS_DIRECTORY=/run/credentials/app
AUTH_MODE=oauth2
AUTH_URL=https://auth.example.com
JWT_ALGORITHM=HS256
JWT_EXPIRES=3600
SESSION_COOKIE_NAME=sid
COOKIE_SECURE=1
API_KEY_HEADER=X-API-Key
PASSWORD_MIN_LENGTH=12
public_token_endpoint: https://x/token
token_endpoint: https://x/oauth/token
jwks_uri: https://x/.well-known/jwks.json
csrf: true
csrfmiddlewaretoken missing
bearer_format: JWT
bearerFormat: JWT
bearer market 2026
jwt: required
JWT consists of header.payload.signature
otp: required
OTP auth: totp, hotp
otp_length: 6
pat: male
PAT: Personal access token
Pat 12345
pw: watt
pW=12
auth: true
auth=None
basic_auth: false
AUTHOR=ann
user/password: see below
username and password
user, password, email
| user | password |
| name | type | password |
|---|---|---|
username,email,created
user,tokens,cost
model,prompt_tokens,completion_tokens
gpt-4o,1234,567
salt: 1 tsp
salt=2
seed=1234567
seed: 42
nonce: 1
mnemonic: ROYGBIV
recovery: 12 weeks
wallet: 0x742d35Cc6634C0532925a3b844Bc454e4438f44e
txn 0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"
--hash=sha256:aad0b0a1c3a07bf3ce3c3b8c6c7e7c4b3c7b1f1a3a3b3f4e5a6b7c8d9e0f1a2b
etag: W/"33a64df551425fcc55e4d42a148795d9f25f89d4"
x-request-id: req_0123456789abcdef0123456789abcdef
cf-ray: 8a1b2c3d4e5f6789-FRA
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
openai-organization: org-AbCdEf
x-amzn-RequestId: 0a1b2c3d-4e5f-6789-abcd-ef0123456789
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 ann@host
SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8
fingerprint: 16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48
MAC 00:1b:44:11:3a:b7
IBAN: DE89370400440532013000
ISBN 978-3-16-148410-0
iat=1700000000 exp=1700003600
https://example.com/?utm_source=a&utm_campaign=b2c3d4e5f6
https://example.com/doc?id=1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms
https://www.youtube.com/watch?v=dQw4w9WgXcQ
https://user@example.com/path
https://example.com:8080/a@b
ssh://git@github.com:22/a/b.git
postgresql://localhost/db
postgresql://user:password@localhost/db
postgresql://user:${PASSWORD}@localhost/db
redis://localhost:6379/0
amqp://guest@localhost//
s3://bucket/key/with/secret/in/path
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
s="password"; t="token"
x = "secret" + "sauce"
["user", "password"]
["password", "token", "api_key"]
("password", "secret")
("token", "str")
{"required": ["name", "password"]}
fields = ("username", "password", "email")
SELECT username, password FROM users
validate(password, "too short")
t("password", "Kennwort")
_("Password")
label("Password", "Enter it here")
assert "password" not in text
assert token == "END"
if token == "def":
if token != ",": error()
if (token === 'identifier') next();
expect(screen.getByLabelText("Password")).toBeVisible()
expect(token).toBe("abc")
page.click('#password')
page.fill('#username', 'ann')
page.fill('#search', 'hunter2')
setItem("theme", "dark")
Set-Variable -Name colour -Value "red"
#define MAX_TOKENS 4096
#define TOKEN_PLUS 1
#define PIN_LED 13
#define PASSWORD_LENGTH 12
std::string token{" "};
tokens = ["<s>", "</s>"]
tokens = ["Hello", "world", "1st"]
tokens: ["sk", "Paris2"]
passwords = []
secrets = load_secrets("prod")
secret_names = ["db", "mail"]
credentials = service_account.Credentials.from_service_account_file("key.json")
cookies = {"lang": "en"}
cookie = SimpleCookie()
login("ann", password)
user.login("ann", "Ann Smith")
My key point is: version2
The password they chose is strong.
<key>name</key><string>chapter12</string>
<password><![CDATA[]]></password>
key_mgmt=WPA-PSK
X-Auth: required
psk = None
PIN code: 560001
{"pin_code": "560001"}
{"pin_code": 560001}
pincode: 560001
Area pin code 560034, Bangalore
Postal PIN code: 110001
passphrase: choose several words
"passphrase": "must be at least twelve characters"
"passphrase": "a sentence of your own that nobody guesses"
snmpwalk -v 2c -c public host
user:password@tcp(127.0.0.1:3306)/db
mail bob@unix(7)
the code verifier tests pass
Passphrase: pick four random words
Set-Cookie: theme=dark
Set-Cookie: lang=en; Path=/
Cookie: consent=accepted; theme=light
session_id: str
session_id=session.id
session id
session_id = request.session_id
Sessions: 12
session=requests.Session()
{"session_id": "demo"}
SMTP_AUTH=true
SMTP_AUTH=login
auth: none
salt: 2 tsp
Add salt and pepper
salt=True
salt = os.urandom(16)
1/2 tsp salt, 2 cups flour
recovery code
Enter your recovery code:
recovery code: see below
error code: 1234-5678
AUTH required
AUTH failed for user
PASS tests/test_x.py
PASS test_login (0.02s)
PASS src/app.test.js
FAIL 3 PASS 20
PASS: 12 tests
--- PASS: TestLogin (0.00s)
BOARDING PASS 12A
AUTH LOGIN PLAIN
250-AUTH LOGIN PLAIN XOAUTH2
jwt.encode(payload, key)
jwt.encode(payload, SECRET_KEY, algorithm="HS256")
jwt.decode(token, options={"verify_signature": False})
Fernet(key)
Fernet(Fernet.generate_key())
OpenAI("gpt-4o")
$2 and $6
price $2b and $6
echo $1$2
it costs $2.50
the password "must be long"
password="must be at least 8 characters"
label password="Enter your password"
{"password": "Please enter your password"}
{"password": "Password for the account"}
hmac.new(key, msg)
session_id=550e8400-e29b-41d4-a716-446655440000
{"session_id": "550e8400-e29b-41d4-a716-446655440000"}
{"sessionId": "user-42-chat"}
thread_id=abc123
backup codes: 10
data: aGVsbG8gd29ybGQ=
SGVsbG8gV29ybGQgdGhpcyBpcyBhIHRlc3Qgb2YgYmFzZTY0IGVuY29kaW5n
password = "Forgot password"
salted peanuts
Cookie: theme=dark
cookie: chocolate=tasty
pin code 560 001
""".strip().splitlines()

# fmt: off
TEXTS = [json.dumps({"token":"abc","type":"word"}),json.dumps([["name","password"],["type","string"]]),json.dumps(["password","confirm"]),json.dumps({"columns":["user","password"],"rows":[["ann","(hidden)"]]}),
json.dumps({"token":"Zürich2","prob":0.1}),json.dumps({"text":"Hi","tokens":["H1","i2"]}),json.dumps({"code":"482193"}),json.dumps({"error":{"code":"invalid_api_key","param":None}}),
json.dumps({"otp_required":True,"otp":None}),json.dumps({"bearer":True}),json.dumps({"jwt":{"alg":"HS256"}}),json.dumps({"mnemonic":"ADD"}),json.dumps({"salt":"sea"}),
base64.b64encode(b"hello world, this is a text about passwords and tokens").decode(),
base64.b64encode(b"name=ann\nage=12\ncity=Oslo\n").decode(),
"user:\n  name: ann\n  password:\n    type: string\n","api_key:\n  description: the key\n","password:\n  - too short\n","secrets:\n  - db\n  - mail\n","tokens:\n  prompt: 12\n",
"The password:\n\n- must be long\n- must be new","Password:\nEnter it below.","Token:\n```\nEND\n```","the token is:\n\nEND",
"| name | password |\n|---|---|\n| length | at least 8 |","name,password\nann,\nbob,\n","word,token\nHello,1\nworld,2\n","token\tcount\nthe\t12\n",
"class Token:\n    kind: str\n    value: str = ''\n","def token(self):\n    return self._token\n"]
# fmt: on
