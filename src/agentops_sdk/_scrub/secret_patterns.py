r"""The forms in which a value stands beside its name: in JSON, code, settings, command lines, markup and prose.

Every pattern takes linear time: what repeats is bounded. Each is matched at the end of a name, or (those that
end in ``\Z``) searched in the few characters before one.
"""

from __future__ import annotations

import re
from typing import Final

from agentops_sdk._lazy_pattern import lazy_pattern

QUOTE: Final = r"(?:\\{0,31}[\"'`]|&quot;|&#3[49];|&apos;|%(?:25)?2[27]|\\{1,31}(?:u00|x)2[27])"
REST_OF_NAME: Final = lazy_pattern(r"[A-Za-z0-9_]{0,32}(?:-[A-Za-z0-9_]{1,24}){0,3}")
IN_NAMES: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$-")
FIGURE_AHEAD: Final = lazy_pattern(r"[^0-9]{0,160}[0-9]")
NAME_REVERSED: Final = lazy_pattern(r"[A-Za-z0-9_.$-]*")
SEPARATOR: Final = (
    r"(?:=>|:=|!?={1,3}|:{1,2}|：|(?<=[ \t])[-–—](?=[ \t])|%(?:25)?3[AaDd]|\\{1,31}u003[aAdD]|&#(?:61|58);|->)"
)
AFTER: Final = lazy_pattern(
    # "name": value, name = value, name["x"] = value, **name:** value
    rf"(?: {{0,2}}(?P<close>{QUOTE}))?(?P<index>\])?(?: (?:code|number|value|string|phrase))?"
    rf"(?:\s{{0,3}}\((?:[^()\n]{{1,40}})\))?"
    rf"(?: (?:for|of|on) [^\n:=,;.\"'`{{}}\[\]()]{{1,40}}?)?(?:[*_]{{1,3}})?"
    rf"(?P<space>(?:[ \t]|\\{{1,31}}t){{0,4}}){SEPARATOR}(?:[*_]{{1,3}}|</[a-z]{{1,8}}>)?"
    rf"(?P<gap>(?:\s|%20|\\{{1,31}}[nrt]){{0,40}})"
)
TYPED: Final = lazy_pattern(r":\s*[\w.\[\], |&']{1,60}?\s*=\s*(?=[bruf]?\\{0,31}[\"'])")
BARE: Final = lazy_pattern(r"(?:(?!%26|%22|%27|\\|&(?:amp|quot|lt|gt|#|[\w.-]{1,40}=))[^\s\"'`,;(){}\[\]<>|]){1,256}")
SEVERAL_WORDS: Final = lazy_pattern(
    r"(?P<value>[a-z]{2,20}(?:[ -][a-z]{2,20}){1,11})[ \t]*(?=\r?\n|\\{1,31}n|\\{0,31}[\"']|\Z)"
)
TIGHT: Final = lazy_pattern(r"(?:(?!%26|%22|%27|\\|&)[^\s\"'`,;(){}\[\]<>|]){1,256}")
LINE_ENDS: Final = lazy_pattern(r"[ \t]*(?:#[^\n]*|//[^\n]*)?(?:\r?\n|\\{1,31}[nr]|\\{0,31}[\"'`]|</|\Z)")
SENTENCE_ENDS: Final = lazy_pattern(
    r"[.!?]?(?:[\"'`)*]|\\[\"'])*(?:\s*\Z|\s*(?:\r?\n|\\{1,31}n)|\\{0,31}[\"']|\s+[A-Z])|[.!?](?:\s|\\|\Z)"
)
PREFIXED: Final = lazy_pattern(rf"(?:[bBrRuUfF]{{1,2}}|@)?(?P<open>\"\"\"|(?:\\{{1,31}}\"){{3}}|'''|{QUOTE})")
OPENS: Final = lazy_pattern(r"[\[{]")
NUMBER: Final = lazy_pattern(r"-?[0-9][0-9.]*(?=\s*(?:[,}\]\r\n]|\\[nr]|\Z))")
PROSE: Final = lazy_pattern(
    r"(?:[\"'`*]{0,2})(?:\s+(?:for|of|on|to|in)\s+[^\n.:=,;\"'`]{1,40}?)?\s+"
    r"(?P<verb>(?:(?:has been|have been|is|was|been|now)\s)?(?:set|changed|reset|updated|rotated) to|is|was|are|were"
    r"|will be|would be|to|equals|remains)"
    r"\s*(?:now|still|currently|just)?\s*:?(?:\s|\\{1,31}[nrt]){1,8}(?P<open>\\{0,31}[\"'`]|\*\*)?(?P<value>[^\s\"'`\\,;<>]{4,200})"
)
NEXT_WORD: Final = lazy_pattern(
    r"\s(?P<open>[\"'`])?(?P<value>(?=[^\s\"'`\\,;<>]{0,60}[0-9!@#$%^&*])[^\s\"'`\\,;<>(){}\[\]]{6,200})"
)
NAMED_BEFORE: Final = lazy_pattern(
    r"\b(?:user|username|login|account|log in|sign in|with|using|use|enter|type)\b[^.\n]{0,40}\Z", re.IGNORECASE
)
LOGIN_BEFORE: Final = lazy_pattern(r"\blogin\s+\S+\s+\Z")
LOGIN_VALUE: Final = lazy_pattern(r"\s+(?P<value>[^\s\"'\\]{3,200})")
NEXT_QUOTED: Final = lazy_pattern(
    r"\s{1,3}(?:BY\s{1,3})?(?P<open>\\{0,31}[\"'])(?P<value>[^\"'\\\n]{3,200})(?P=open)", re.IGNORECASE
)
FLAG: Final = lazy_pattern(
    r"(?:\s{1,3}|\\{0,31}[\"']\s{0,2},\s{0,4}\\{0,31}[\"'])(?:\\{0,31}[\"'])?(?P<value>[^\s\"'\\,;|&<>-][^\s\"'\\;|&<>]{2,512})"
)
ELEMENT: Final = lazy_pattern(r"(?:\s[^<>]{0,200}?)?(?:>|&gt;)(?P<value>[^<>&]{1,4096})(?=</|&lt;/)")
NAMESPACE: Final = lazy_pattern(r"<[\w-]+:\Z")
ATTRIBUTES: Final = lazy_pattern(
    rf"(?:{QUOTE})?[^<>]{{0,200}}?\s(?:value|content|val)\s*=\s*(?P<open>{QUOTE})(?P<value>[^\"'<>]{{1,4096}}?)(?P=open)"
)
ELEMENT_OF_NAME: Final = lazy_pattern(r"(?:\\{0,31}[\"'])[^<>]{0,200}?>\s*(?P<value>[^<>]{1,4096}?)\s*</")
CELL: Final = lazy_pattern(r"[*`]{0,2}\s*\|\s*[`*]{0,2}(?P<value>[^\s|`*]{4,200})[`*]{0,2}\s*\|")
FORM_FIELD: Final = lazy_pattern(r"\\{0,31}[\"'](?:\r?\n|(?:\\{1,31}r)?\\{1,31}n){2}(?P<value>[^\r\n\\]{1,512})")
ARGUMENT: Final = lazy_pattern(rf"(?P<close>{QUOTE})\s{{0,4}},\s{{0,8}}b?(?P<open>{QUOTE})")
CLOSE_OF_NAME: Final = lazy_pattern(
    rf"(?:[ _-](?:field|input|box|textbox))?(?:\\?['\"]?\])?(?P<q>{QUOTE})", re.IGNORECASE
)
LINE: Final = lazy_pattern(r"[^\n\"'`\\]{4,512}")
LINE_BREAK: Final = lazy_pattern(r"\r?\n|\\{1,31}n")
SCHEME_AND_VALUE: Final = lazy_pattern(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9-]{2,20}(?:\s+|%20))?(?P<value>[^\s\"'`\\,;]{6,1024})"
)
END_OF_KEY: Final = lazy_pattern(r"\\*[\"']\s{0,4}:")
VALUE_MEMBER: Final = lazy_pattern(
    rf"[^{{}}]{{0,300}}?{QUOTE}(?:(?:field|param|header|attribute|property|secret)_?value|value|val|v|text|data|content|secret|plaintext|raw|default|defaultValue|string_value|"
    rf"stringValue){QUOTE}\s{{0,4}}:\s{{0,4}}(?P<open>{QUOTE})",
    re.IGNORECASE,
)
NAME_MEMBER: Final = lazy_pattern(
    rf"{QUOTE}(?:name|key|field|id|param|parameter|header|variable|var|label|selector|element|option|setting|attribute|attr|k"
    rf"|title|property|env|placeholder|target|locator|ref)(?:Name|_name)?{QUOTE}\s{{0,4}}:\s{{0,4}}{QUOTE}[^\"'\n]{{0,60}}\Z",
    re.IGNORECASE,
)
VALUE_BEFORE: Final = lazy_pattern(
    rf"{QUOTE}(?:value|val|v|text|secret|content|data){QUOTE}\s{{0,4}}:\s{{0,4}}(?P<open>{QUOTE})(?P<value>[^\"'\\\n]{{1,400}})(?P=open)[^{{}}]{{0,200}}\Z",
    re.IGNORECASE,
)
YAML_NAME: Final = lazy_pattern(
    r"(?:^|[\n{\"'`]|\\{1,31}n)[ \t]*(?:-[ \t]+)?(?:name|key|variable)[ \t]*:[ \t]*[\"']?\Z"
)
YAML_VALUE: Final = lazy_pattern(
    r"[\"']?[ \t]*(?:\r?\n|\\{1,31}n)[ \t]+(?:value|val)[ \t]*:[ \t]*(?P<value>[^\n\\]{1,512})"
)
YAML_LIST: Final = lazy_pattern(r"[ \t]*(?:[|>][+-]?[ \t]*)?(?:\r?\n|\\{1,31}n)(?=[ \t]+\S|-[ \t])")
YAML_ITEM: Final = lazy_pattern(
    r"[ \t]*(?:-[ \t]+)(?P<value>[^\n\\]{1,512}?)[ \t]*(?=\r?\n|\\{1,31}n|\\{0,31}[\"']|\Z)"
)
YAML_LINE: Final = lazy_pattern(
    r"(?P<indent>[ \t]+)(?P<value>[^\n\\]{1,2048}?)[ \t]*(?=\r?\n|\\{1,31}n|\\{0,31}[\"']|\Z)"
)
LINE_STARTS: Final = lazy_pattern(
    r"(?:^|[\n{]|\\{1,31}n|[\"'`])[ \t]*(?:[-*][ \t]+)?"
    r"(?:export[ \t]+|set[ \t]+|ENV[ \t]+|ARG[ \t]+|\$env:)?[\"'*_]{0,3}\Z",
    re.IGNORECASE,
)
CALL: Final = lazy_pattern(r"[\w\])]\([^()]*\Z|[\w\])]\([^()]*(?:\([^()]*\)[^()]*)+\Z")
CODE_LINES: Final = lazy_pattern(
    r"\bdef |\bimport |\breturn\b|\bconst |\blet |\bvar |\bself\.|==|\w\(|=>|\bfunc\b|\bclass "
)
SCHEMA: Final = lazy_pattern(
    r"[\"'](?:type|\$ref|anyOf|oneOf|allOf|properties|format|minLength|maxLength|additionalProperties)\\{0,31}[\"']\s{0,4}:\s{0,4}"
    r"(?:\[|\{|[0-9]|true|false|\\{0,31}[\"'](?:string|str|text|number|integer|int|boolean|bool|array|object|null|password|#/|"
    r"secret|any|uuid|uri|byte|binary|STRING|NUMBER|INTEGER|BOOLEAN|ARRAY|OBJECT))"
)
SCHEMA_VALUES: Final = frozenset(("default", "const", "example", "examples", "enum", "value"))
MEMBER: Final = lazy_pattern(r"\\*[\"']|[\[\]{}]|-?[0-9][0-9.]*")
LONGEST_VALUE: Final = 8_192
LONGEST_CONTAINER: Final = 262_144


QUOTES: Final = frozenset("\"'`&%\\")
"""What every form of :data:`QUOTE` holds."""
FOLLOW_NAMES: Final = frozenset("： \t\r\n\"'`\\:=]>*_%&|<-(,{.")
CLOSES: Final = frozenset("\"'\\&]%") | {" F", " f", " i", " I", " b", " t"}
WORD_BEFORE: Final = lazy_pattern(r"(?<![\w.$-])_*(?P<word>[^\W\d_]{1,23})\Z")
FOLLOW_WORDS: Final = frozenset(" \"'`\\:=*")
