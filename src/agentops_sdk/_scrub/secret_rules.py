"""What a secret looks like: one row for each kind of key, and the names whose values are secrets.

Long because it is a table. To add a pattern, add one row to :data:`TOKENS`: a label, what such a key begins
with or holds, and its form. To add a name, add its words to one of the tables below it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern
from agentops_sdk._named_tuple import NamedTuple

__all__ = [
    "ENDINGS",
    "FOLLOWERS",
    "HARMLESS_MEMBERS",
    "NAMES",
    "NOT_SECRET_TOKENS",
    "QUALIFIED_KEYS",
    "QUALIFIED_PASSES",
    "SECRET_AUTHS",
    "SECRET_PINS",
    "SECRET_TOKENS",
    "STEMS",
    "TOKENS",
    "Token",
    "words",
]


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


class Token(NamedTuple):
    """Keys of one kind.

    Attributes:
        label: what stands in their place: ``[redacted:label]``.
        signs: what every one of them holds, most often how it begins; a text without is not looked at. One in
            lower-case letters alone is looked for whatever the case.
        expression: the key around the sign.
        group: the part that is replaced.
        before: how many characters of the key stand before the sign, at least and at most.
    """

    label: str
    signs: tuple[str, ...]
    expression: str
    group: int = 0
    before: tuple[int, int] = (0, 0)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Made when a text holds one of the signs: few programs ever meet most of them."""
        return _compiled(self.expression)


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return lazy_pattern(expression)


# A key begins where no word does. Escapes end a word as well: \n in JSON, %3D in an address, \u003d in a script.
_START: Final = (
    r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2}))"
)
# Letters alone may stand in a picture's base64 as well, where more of the same follow and precede.
_ALONE: Final = (
    r"(?:(?<![A-Za-z0-9+/_-])|(?<=[^A-Za-z0-9+/]/)|(?<=[a-z.]/)|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})"
    r"|(?<=\\[nrt]))"
)
_END: Final = r"(?![A-Za-z0-9_])"


def _token(label: str, prefixes: str, body: str) -> Token:
    """Keys that are one of ``prefixes``, separated by blanks, and a body."""
    signs = tuple(prefixes.split())
    return Token(label, signs, f"{_START}(?:{'|'.join(map(re.escape, signs))}){body}")


def _form(label: str, signs: str, pattern: str, group: int = 0, before: tuple[int, int] = (0, 0)) -> Token:
    """Keys of a form of their own, looked for where one of ``signs`` stands."""
    return Token(label, tuple(signs.split()), pattern, group, before)


_W: Final = r"[A-Za-z0-9_-]"
_A: Final = r"[A-Za-z0-9]"

TOKENS: Final = (
    # --- models --------------------------------------------------------------------------------
    _token("anthropic-key", "sk-ant-", _W + "{16,}"),
    _token("openai-key", "sk-", r"(?!ant-)(?=[A-Za-z_-]{0,80}[0-9])" + _W + "{20,}"),
    _token("openai-key", "sess-", _A + "{32,}"),
    _token("provider-key", "gsk_", _A + "{40,}"),
    _token("provider-key", "xai-", _A + "{40,}"),
    _token("provider-key", "pplx-", _A + "{32,}"),
    _token("provider-key", "r8_", _A + "{32,}"),
    _token("huggingface-token", "hf_ api_org_", _A + "{30,}"),
    _token("fireworks-key", "fw_ fpk_", _A + "{20,}"),
    _token("together-key", "tgp_v1_", _W + "{24,}"),
    _token("nvidia-key", "nvapi-", _W + "{30,}"),
    _token("cerebras-key", "csk-", _A + "{24,}"),
    _token("voyage-key", "pa-", r"(?=[^\sA-Z]{0,30}[A-Z])(?=[^\s0-9]{0,30}[0-9])" + _W + "{40,}"),
    _token("jina-key", "jina_", _W + "{32,}"),
    _token("inference-key", "esecret_ rpa_", _A + "{24,}"),
    _token("elevenlabs-key", "sk_", r"(?=[a-z]{0,40}[0-9])[0-9a-f]{40,}" + _END),
    _token("langsmith-key", "lsv2_pt_ lsv2_sk_ ls__", r"[0-9a-f]{20,}(?:_[0-9a-z]{4,})?"),
    _token("wandb-key", "wandb_v1_", r"(?=[A-Za-z_-]{0,40}[0-9])" + _W + "{40,}"),
    # --- search and vectors ----------------------------------------------------------------------
    _token("pinecone-key", "pcsk_", _W + "{30,}"),
    _token("tavily-key", "tvly-", _W + "{16,}"),
    _token("firecrawl-key", "fc-", r"(?=[a-z]{0,30}[0-9])[0-9a-f]{30,}"),
    _token("browserbase-key", "bb_live_ bb_test_ e2b_ exa_ brv_", _W + "{20,}"),
    _token("mem0-key", "m0-", _A + "{30,}"),
    # --- clouds ------------------------------------------------------------------------------------
    _form("aws-key", "AKIA ASIA ABIA ACCA", _ALONE + r"A(?:K|S|B)IA[A-Z0-9]{16}(?![A-Za-z0-9+/])"
          "|" + _ALONE + r"ACCA[A-Z0-9]{16}(?![A-Za-z0-9+/])"),
    _form("aws-bedrock-key", "ABSK", _ALONE + r"ABSK[A-Za-z0-9+/]{60,}={0,2}"),
    _token("aws-bedrock-key", "bedrock-api-key-", r"[A-Za-z0-9+/=_-]{30,}"),
    _form("google-key", "AIza", _ALONE + r"AIza[0-9A-Za-z_-]{35}(?![A-Za-z0-9+/])"),
    _token("google-key", "ya29. GOCSPX-", _W + "{20,}"),
    _token("google-key", "AQ.", r"Ab[A-Za-z0-9_-]{30,}"),
    _form("azure-secret", "Q~", _START + r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}", before=(4, 4)),
    _form("azure-key", "JQQJ99", _A + r"{40,60}JQQJ99[A-Za-z0-9]{10,40}", before=(40, 60)),
    _form("alibaba-key", "LTAI", _ALONE + r"LTAI[A-Za-z0-9]{12,24}(?![A-Za-z0-9+/])"),
    _form("tencent-key", "AKID AKLT", _ALONE + r"AK(?:ID|LT)[A-Za-z0-9]{28,48}(?![A-Za-z0-9+/])"),
    _token("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", r"[0-9a-f]{40,}"),
    _form("heroku-key", "HRKU-", _ALONE + r"HRKU-[A-Za-z0-9_-]{30,}"),
    _token("fly-token", "fo1_ fm1r_ fm2_ FlyV1_", r"[A-Za-z0-9+/=_,-]{30,}"),
    _token("vercel-token", "vcp_ vci_ vca_ vcr_ vck_ nfp_ nfc_", _A + "{20,}"),
    _token("cloudflare-key", "v1.0- cfut_ cfat_ cfk_", _W + "{30,}"),
    _token("supabase-key", "sbp_ sb_secret_", _W + "{20,}"),
    _token("planetscale-token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[A-Za-z0-9_.=-]{20,}"),
    _form("yandex-key", "AQVN", _ALONE + r"AQVN[A-Za-z0-9_-]{30,}"),
    # --- code ----------------------------------------------------------------------------------------
    _token("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", _A + "{30,}"),
    _token("github-token", "github_pat_", r"[A-Za-z0-9_]{22,}"),
    _token("gitlab-token", "glpat- gldt- glrt- glptt- glft- glsoat- glcbt- glimt- glagent- gloas- glffct-",
           r"[A-Za-z0-9_.-]{16,}"),
    _token("bitbucket-token", "ATBB ATCTT3 ATATT3", r"[A-Za-z0-9_=-]{20,}"),
    _token("provider-key", "npm_", _A + "{30,}"),
    _token("provider-key", "pypi-", _W + "{50,}"),
    _token("registry-token", "dckr_pat_ dckr_oat_ rubygems_", _W + "{26,}"),
    _form("artifactory-key", "AKCp", _ALONE + r"AKCp[A-Za-z0-9]{40,}"),
    _token("ci-token", "CCIPAT_ CCIPRJ_ bkua_ bkct_ sqp_ squ_ sqa_ snyk_uat. codecov_", _W + "{20,}"),
    _token("sentry-token", "sntrys_ sntryu_ sntrya_ sntryi_", r"[A-Za-z0-9+/=_-]{30,}"),
    _form("sentry-dsn", "://", r"://([0-9a-f]{32}(?::[0-9a-f]{32})?)@[a-z0-9.-]*sentry", 1),
    _token("linear-key", "lin_api_ lin_oauth_", _A + "{30,}"),
    _token("postman-key", "PMAK- PMAT-", r"[A-Za-z0-9-]{20,}"),
    # --- infrastructure --------------------------------------------------------------------------------
    _token("databricks-token", "dapi", r"[0-9a-f]{32}(?:-[0-9])?" + _END),
    _token("vault-token", "hvs. hvb. hvr.", _W + "{20,}"),
    _form("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{10,20}\.atlasv1\.[A-Za-z0-9_-]{50,}", before=(10, 20)),
    _token("pulumi-token", "pul-", r"[0-9a-f]{40}" + _END),
    _token("doppler-token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[A-Za-z0-9_.]{20,}"),
    _token("grafana-token", "glsa_ glc_", r"[A-Za-z0-9_+/=]{20,}"),
    _token("newrelic-key", "NRAK- NRJS- NRII- NRSP-", _W + "{18,}"),
    _token("dynatrace-token", "dt0c01. dt0s01. dt0s02. dt0s08. dt0s16.", r"[A-Z0-9]{20,}\.[A-Z0-9]{40,}"),
    _token("age-key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{40,}"),
    _token("onepassword-token", "ops_", r"eyJ[A-Za-z0-9_-]{40,}"),
    _token("launchdarkly-key", "sdk- api- mob-", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    # --- messages, mail, documents -----------------------------------------------------------------------
    _token("slack-token", "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- xwfp-",
           r"[A-Za-z0-9%.-]{10,}"),
    _form("slack-token", ".slack.com/",
          r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}", before=(5, 5)),
    _form("webhook", "hook", r"/api/webhooks/([0-9]{6,24}/[A-Za-z0-9_-]{20,})", 1, before=(8, 8)),
    _form("webhook", "hook", r"webhook\.office\.com/(webhookb2/[^\s\"'\\<>]{20,})", 1, before=(3, 3)),
    _form("webhook", "hook", r"/hooks/catch/([0-9]{3,}/[A-Za-z0-9/]{5,})", 1, before=(1, 1)),
    _form("discord-token", ".",
          _START + r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])",
          before=(30, 37)),
    _form("telegram-token", ":AA", _START + r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])",
          before=(8, 13)),
    _token("twilio-key", "SK", r"[0-9a-f]{32}" + _END),
    _token("provider-key", "SG.", r"[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}"),
    _token("mail-key", "xkeysib- xsmtpsib-", r"[0-9a-f]{40,}(?:-[A-Za-z0-9]+)?"),
    _token("mail-key", "key- pubkey-", r"(?=[a-z]{0,30}[0-9])[0-9a-z]{32}" + _END),
    _token("mail-key", "re_", r"(?=[A-Za-z_]{0,30}[0-9])[A-Za-z0-9]{6,12}_[A-Za-z0-9]{18,}"),
    _form("mailchimp-key", "-us", _START + r"[0-9a-f]{32}-us[0-9]{1,2}" + _END, before=(32, 32)),
    _token("notion-token", "ntn_ secret_", r"(?=[A-Za-z]{0,30}[0-9])[A-Za-z0-9]{40,}"),
    _token("figma-token", "figd_ figo_", _W + "{30,}"),
    _form("airtable-token", ".", _START + r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}", before=(17, 17)),
    _token("dropbox-token", "sl.", r"(?:u\.)?[A-Za-z0-9_-]{60,}"),
    _token("typeform-token", "tfp_", r"[A-Za-z0-9_-]{30,}"),
    _token("contentful-token", "CFPAT-", _W + "{30,}"),
    # --- money ---------------------------------------------------------------------------------------------
    _token("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_ sk_prod_", r"[A-Za-z0-9+/=]{16,}"),
    _token("shopify-token", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[0-9a-fA-F]{24,}"),
    _token("square-token", "sq0atp- sq0csp- sq0idp- EAAAE", _W + "{20,}"),
    _token("plaid-token", "access-sandbox- access-development- access-production-", r"[0-9a-f-]{30,}"),
    _token("flutterwave-key", "FLWSECK_TEST- FLWSECK-", r"[0-9a-zA-Z-]{16,}"),
    _token("payment-key", "EZAK EZTK", _A + "{40,}"),
    # --- everywhere ------------------------------------------------------------------------------------------
    _form("facebook-token", "EAA", _ALONE + r"EAA[A-Za-z0-9]{90,}(?![A-Za-z0-9+/=])"),
    _form("twitter-token", "AAAAAAAAAA", r"(?<![A-Za-z0-9+/=])A{18,24}[A-Za-z0-9%]{60,120}(?![A-Za-z0-9+/])"),
    _form("mapbox-token", "eyJ", r"(?<![A-Za-z0-9_-])sk\.eyJ[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]+)?", before=(3, 3)),
    _form("jwt", "eyJ", _START + r"eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*+"),
    _form("zhipu-key", ".", _START + r"[0-9a-f]{32}\.[A-Za-z0-9]{16}(?![A-Za-z0-9])", before=(32, 32)),
    # JSON in base64, compact or indented; a secret only if there is one in it.
    _form("encoded-secret", "eyJ ewogICJ ewogICA ewoJ W3s WyJ Wwog",
          r"(?<![A-Za-z0-9+/_-])(?:eyJ|ewo|W3s|WyJ|Wwo)[A-Za-z0-9+/_-]{12,65536}+={0,2}(?!\.[A-Za-z0-9_-]{4})"),
    # What a password was made into: it can be tried against.
    _form("password-hash", "$2a$ $2b$ $2x$ $2y$", r"\$2[abxy]\$[0-9]{2}\$[A-Za-z0-9./]{50,53}"),
    _form("password-hash", "$1$ $5$ $6$ $apr1$",
          r"\$(?:[156]|apr1)\$(?:rounds=[0-9]{1,9}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{22,86}"),
    _form("password-hash", "$y$ $7$ $gy$", r"\$(?:g?y|7)\$[A-Za-z0-9./]{1,86}\$[A-Za-z0-9./]{0,86}\$[A-Za-z0-9./]{43}"),
    _form("password-hash", "$argon2", r"\$argon2(?:id|i|d)\$[A-Za-z0-9$=,+/-]{20,400}"),
    _form("password-hash", "pbkdf2_sha256$ pbkdf2_sha1$ scrypt$",
          r"(?:pbkdf2_sha(?:256|1)|scrypt)\$[A-Za-z0-9+/=.$]{20,400}"),
    _form("password-hash", "{SSHA} {SSHA256} {SSHA512}", r"\{SSHA(?:256|512)?\}[A-Za-z0-9+/]{28,128}={0,2}"),
    _form("url-password", "://", r"://[^\s/:@\"'\\<>]{0,100}:([^\s/@\"'\\<>]{1,200})@", 1),
    _form("url-token", "://", r"://(?=[A-Za-z_-]{0,60}[0-9])([A-Za-z0-9_-]{20,200})@", 1),
    _form("bearer-token", "bearer Bearer BEARER",
          _START + r"(?i:bearer)(?:\s{1,3}|%20|\+)(?=[A-Za-z._~+/=-]{0,120}[0-9])([A-Za-z0-9._~+/=-]{16,})", 1),
    _form("basic-credentials", "Basic BASIC", _START + r"(?i:basic)(?:\s{1,3}|%20)([A-Za-z0-9+/]{8,}+={0,2})", 1),
)  # fmt: skip

# --- names ----------------------------------------------------------------------------------------------------
# A name is taken apart into words: DB_PASS, dbPass, db-pass and "db pass" are all (db, pass).

STEMS: Final = {
    "pass": ("", "(?![eia])"),  # not of passed, passing, passage
    "pwd": ("", ""),
    "pw": ("", "(?![a-z])"),
    "psk": ("", "(?![a-z])"),
    "pat": ("[a-z0-9]_", "(?![a-z])"),
    "secret": ("", "(?!a)"),  # nor a secretary
    "token": ("", "(?!i)"),  # nor to tokenize
    "key": ("[a-z0-9_ -]", ""),  # what it is for stands before it
    "cred": ("", "(?:s|entials?)?(?![a-z])"),  # nor credit
    "auth": ("", "(?!or(?!iz))"),  # nor an author
    "cookie": ("", ""),
    "pin": ("", "(?:s|code)?(?![a-z])"),  # nor to spin, nor an opinion
    "code_verifier": ("", ""),
    "codeverifier": ("", ""),
    "snmp_community": ("", ""),
    "snmpcommunity": ("", ""),
    "_salt": ("", "(?![a-z])"),  # a cook's stands alone
    "sig=": ("", ""),
    "signature=": ("", ""),
}
"""Some name of a secret holds one of these; looked for in lower case, with what has to stand before and after it."""

NAMES: Final = {
    # last word, or the whole of a name that is written as one word: what it says of the value
    **dict.fromkeys(("password", "passwd", "passwort", "passphrase", "passcode", "pwd"), "password"),
    **dict.fromkeys(("apikey", "secretkey", "privatekey", "accesskey", "signingkey", "encryptionkey", "masterkey",
                     "accountkey", "sharedaccesskey", "subscriptionkey", "storagekey", "sessionkey"), "key"),
    **dict.fromkeys(("secret", "clientsecret", "credential", "cred"), "secret"),
    **dict.fromkeys(("accesstoken", "authtoken", "refreshtoken", "idtoken", "sessiontoken", "bearertoken",
                     "apitoken"), "token"),
    **dict.fromkeys(("csrftoken", "xsrftoken", "csrfmiddlewaretoken", "salt"), "qualified token"),
    "token": "bare token",
    "psk": "password",
    "pass": "pass",
    "pw": "pass",
    "bindpw": "pass",
    "rootpw": "pass",
    "pin": "pin",
    "auth": "auth",
    "authorization": "authorization",
    "cookie": "cookie",
    "sig": "signature",
    "signature": "signature",
}  # fmt: skip
"""What a name says of its value, by its last word."""

ENDINGS: Final = ("password", "passwd", "passphrase", "passcode", "secret", "apikey", "secretkey", "privatekey",
                  "accesskey", "accesstoken", "authtoken", "refreshtoken", "sessiontoken", "pwd")  # fmt: skip
"""How a name ends that was written as one word: ``adminpassword``."""

QUALIFIED_KEYS: Final = words(
    """
    api app application access private secret signing sign encryption encrypt decryption master account shared
    storage subscription service server admin auth authentication authorization session ssh gpg pgp rsa deploy
    webhook integration license licence hmac jwt cipher crypto aes symmetric consumer developer function
    functions bot root wrapping kek fernet unlock activation recovery security backend model llm provider vendor openai
    anthropic claude azure aws gcp google gemini vertex groq mistral cohere huggingface hf pinecone tavily
    serper serpapi brave stripe sendgrid twilio github gitlab slack deepseek openrouter together fireworks
    replicate perplexity xai grok langsmith langfuse langchain datadog newrelic sentry cloudflare algolia
    mailgun weaviate qdrant voyage jina nvidia cerebras elevenlabs deepgram assemblyai notion airtable linear
    hubspot salesforce shopify supabase firebase wandb databricks snowflake maps weather sas
    """
)
"""A ``key`` is a secret after one of these words; a primary, public, sort or cache key is none."""

QUALIFIED_PASSES: Final = words(
    """
    db database smtp imap pop3 mail email user my mysql pg postgres redis root admin ftp sftp ssh ldap proxy
    login wifi http basic auth key store keystore cert rabbitmq mongo mongodb es elastic kafka bot git registry
    docker ansible sudo su vault jenkins jira svn samba smb rdp vpn sql oracle mssql account service app
    """
)
"""A ``pass`` is a password after one of these words, whatever its value; elsewhere it may be a mountain's."""

SECRET_TOKENS: Final = words(
    """
    access auth refresh id session bearer api security personal bot oauth oauth2 private deploy deployment csrf
    xsrf jwt vault device registration verification reset login sso saml service account admin user client
    consumer temp temporary sas webhook app application secret push github gitlab slack discord telegram hf
    huggingface npm pypi docker cloudflare azure aws gcp google stripe twilio notion linear jira confluence
    bitbucket sentry replicate databricks langsmith integration authentication authorization impersonation
    delegation join bootstrap agent root ci pat x my
    """
)
"""A ``token`` is a secret after one of these words, also where its value does not look like one."""

SECRET_PINS: Final = words("user card security sim my atm door login")
"""A ``pin`` is a number that opens something alone, or after one of these words; elsewhere it is a chip's."""

SECRET_AUTHS: Final = words(
    """
    x basic http proxy registry npm docker smtp imap mail redis elastic elasticsearch opensearch es mqtt amqp rabbitmq
    mongo db database ftp git nexus artifactory grafana prometheus kibana influx neo4j couchdb
    """
)
"""An ``auth`` holds credentials alone, or after one of these words."""

NOT_SECRET_TOKENS: Final = words(
    """
    max min total num n nr prompt completion input output next page nextpage previous prev continuation continue
    cursor pagination sync stop start end eos bos pad unk mask sep cls special first last per each new single
    word text image audio video cached cache reasoning thinking current lookahead whitespace punctuation string
    number keyword identifier comment operator newline indent dedent parser lexer syntax ast css design theme
    erc20 governance native utility crypto coin lp nft gas cancellation cancel resume skip marker placeholder
    sub byte char line begin bracket literal unknown vocab draft accepted rejected predicted generated sampled
    logprob target source budget count tool system function assistant context window top raw billed used
    remaining available limit rate extra average avg resumption concurrency fencing lease etag
    """
)
"""A ``token`` is no secret after one of these words, whatever its value."""

FOLLOWERS: Final = words(
    """
    value val plain plaintext string str base64 b64 hex hash hashed enc encrypted raw new old current confirm
    confirmation confirmed again repeat retype prod production dev development test testing staging live backup
    main primary secondary default override fallback base text
    """
)
"""Words after the one that counts that do not change what the value is: ``password_confirmation``, ``API_KEY_2``."""

HARMLESS_MEMBERS: Final = words(
    """
    type kind scheme schemes scope scopes format method flow grant_type expires expires_in expires_at expiry
    enabled required description title provider region in name namespace label
    """
)
"""Members of an object under the name of a secret that say how it is used and not what it is."""
