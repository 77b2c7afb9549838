"""200 texts that hold personal data, and 200 that hold none: what a detector is measured by.

A line of the first table is a kind, and a text with the datum in guillemets. None of it belongs to anybody: numbers
are those that their issuers publish as examples, or made up, with the check digits worked out.
"""

from __future__ import annotations

__all__ = ["FALSE", "TRUE"]

_TRUE = """
email|Write to «ann.lee@example.com» for details.
email|Contact: «SALES+emea@Example.co.uk»
email|from=«bob_smith-99@mail.example.org»,
email|<«info@müller.example»>
email|mailto:«helpdesk@sub.domain.example.com»?subject=Hi
email|«o'brien@example.ie» asked for a refund
email|Reply-To: "Jo" <«jo@x.io»>
email|user%3D«jane%40example.com»&x=1
email|reach me: «jane [at] example.com»
email|reach me: «jane(at)example.com»
email|My address is «first.last@example.museum».
email|cc «a.b.c.d@example.travel»; «second@example.net»
email|{'email': '«kim@example.kr»', 'n': 3}
email|\\n«paul@example.fr» wrote:
email|Emails («x.y@example.de», «z@example.at») bounced
email|账号«li.wei@example.cn»，请处理
email|«team!dev@example.dev»
email|Send it to «maria@example.com.br» today
email|user «root@db.internal.example» connected
phone|Call me at «+49 30 901820» tomorrow
phone|Tel. «+1 415 555 2671»
phone|«+14155552671» is my cell
phone|Phone: «(415) 555-2671»
phone|«415-555-2671» after six
phone|office «415.555.2671» ext 12
phone|«1-800-555-0199» toll free
phone|London «020 7946 0958» or
phone|ring «0151 12345678» please
phone|«+44 20 7946 0958»
phone|mobile «07700 900123»
phone|Paris: «01 23 45 67 89»
phone|«+33 1 23 45 67 89»
phone|Telefon: «0221/4710806»
phone|handy «0170 1234567»
phone|Phone No. «212-555-0187 x44»
phone|«+39 06 6982 1234» Roma
phone|mobile: «0612345678»
phone|Fax «+41 44 668 18 00»
phone|WhatsApp: «+91 98765 43210»
phone|Tokyo «+81-3-1234-5678»
phone|«0043 1 5880 0» is the desk
phone|phone number is «4155552671»
phone|my phone: «555 123 4567»
phone|call us on «0800 123456»
phone|«+55 11 91234-5678» (São Paulo)
phone|«+61 2 9374 4000», Sydney
phone|«(020) 7946-0018»
phone|{"phone": "«4155550134»"}
phone|{"customerPhone": «4155550135»}
phone|«+49 (0)30 12345678»
phone|sms to «+46701234567»
phone|tel:«+34-912-345-678»
card|My card is «4111 1111 1111 1111», exp 12/30
card|«4111111111111111»
card|«5555 5555 5555 4444» Mastercard
card|«5105105105105100»
card|Amex «3782 822463 10005»
card|«371449635398431»
card|Discover «6011 1111 1111 1117»
card|«6011000990139424»
card|«3530111333300000» JCB
card|Diners «3056 930902 5904»
card|«38520000023237»
card|«2223003122003222»
card|pay with «4012-8888-8888-1881» now
card|{"card_number": "«4242424242424242»"}
card|{"pan": «4000056655665556»}
card|\\n«4917610000000000»\\n
card|PAN=«4222222222222»
card|UnionPay «6200000000000005»
card|cards: «5200828282828210»,«4000002500003155»
card|Maestro «6759649826438453»
iban|IBAN: «DE89 3704 0044 0532 0130 00» please
iban|«GB29NWBK60161331926819»
iban|«FR14 2004 1010 0505 0001 3M02 606» for the rent
iban|transfer to «NL91ABNA0417164300».
iban|«ES9121000418450200051332»
iban|«IT60X0542811101000000123456»
iban|«CH93 0076 2011 6238 5295 7»
iban|«AT61 1904 3002 3457 3201»
iban|«BE68 5390 0754 7034»
iban|«SE45 5000 0000 0583 9825 7466»
iban|«PL61109010140000071219812874»
iban|«NO93 8601 1117 947» and a note
iban|«DK5000400440116243»
iban|«de89370400440532013000» in small letters
iban|«PT50 0002 0123 1234 5678 9015 4»
iban|«IE29 AIBK 9311 5212 3456 78»
iban|{"iban":"«FI2112345600000785»"}
iban|«LU28 0019 4006 4475 0000»
iban|«SA03 8000 0000 6080 1016 7519»
iban|«TR330006100519786457841326»
ip|client «203.0.113.42» connected
ip|«198.51.100.7»:443
ip|X-Forwarded-For: «192.0.2.1», «203.0.113.9»
ip|from «10.20.30.40» port 22
ip|[«2001:db8:85a3::8a2e:370:7334»]
ip|peer «2001:0db8:0000:0000:0000:ff00:0042:8329»
ip|«fe80::1ff:fe23:4567:890a%eth0»
ip|("«172.16.254.1»", 8080)
ip|http://«8.8.8.8»/x
ip|ping «192.168.1.17» failed
ip|«2606:2800:220:1:248:1893:25c8:1946»
mac|device «00:1A:2B:3C:4D:5E» joined
mac|«00-1a-2b-3c-4d-5e»
mac|ether «a4:83:e7:12:34:56» txqueuelen
mac|wifi "«F0:18:98:AB:CD:EF»"
ssn|SSN «123-45-6789»
ssn|my social is «536-90-4399».
ssn|«219 09 1234»
ssn|ssn: «123456789»
ssn|SSN is «457-55-5462»,
ssn|(«001-01-0001»)
ssn|ssn=«536 90 4399»
ssn|{"ssn": "«457555462»"}
ssn|social security number «457-55-5462»
ssn|{"ssn": «536904399»}
us_itin|ITIN «912-70-1234» issued
us_itin|«900-88-4321»
uk_nino|NI number «AB 12 34 56 C»
uk_nino|«JG103759A»
uk_nino|nino «CE123456D» on file
uk_nhs|NHS number «943 476 5919»
uk_nhs|nhs no. «9434765919»
fr_insee|«1 84 12 76 451 089 46» sécu
fr_insee|numéro «255081416802538»
fr_insee|«2 69 05 49 588 157 80»
de_tax_id|Steuer-ID «86095742719»
de_tax_id|IdNr. «47 036 892 816»
de_tax_id|Steueridentifikationsnummer: «65929970489»
es_nif|DNI «12345678Z»
es_nif|«X1234567L» es su NIE
es_nif|nif=«00000014Z»
it_fiscal_code|codice fiscale «RSSMRA85T10A562S»
it_fiscal_code|«MRTMTT91D08F205J»
ch_ahv|AHV «756.9217.0769.85»
ch_ahv|«7569217076985»
se_personnummer|«811228-9874» i Sverige
se_personnummer|personnummer «19811218-9876»
nl_bsn|BSN «111222333»
nl_bsn|burgerservicenummer: «123456782»
pl_pesel|PESEL «44051401359»
pl_pesel|pesel: «02070803628»
in_aadhaar|Aadhaar «9999 4105 7058»
in_aadhaar|aadhaar: «999971658847»
in_pan|PAN card «ABCPE1234F»
in_pan|«AAAPL1234C»
br_cpf|CPF «111.444.777-35»
br_cpf|«529.982.247-25»
br_cpf|cpf: «52998224725»
ca_sin|SIN «046 454 286»
ca_sin|social insurance number «130692544»
imei|IMEI «490154203237518»
imei|imei: «356938035643809»
vin|VIN «1M8GDM9AXKP042788»
vin|«1HGBH41JXMN109186» was sold
passport|passport number «L01X00T47»
passport|Passport no. «533380006»
passport|Reisepass: «C01X00T47»
birth_date|born on «1984-02-29»
birth_date|DOB: «02/29/1984»
birth_date|date of birth is «12 March 1990»
birth_date|geboren am «1.4.1977»
birth_date|born «July 4, 1976» in Ohio
birth_date|{"birth_date": "«1990-05-17»"}
birth_date|{"dateOfBirth":"«17.05.1990»"}
location|at «52.520008, 13.404954» now
location|gps=«40.712776,-74.005974»
location|«-33.8688197, 151.2092955»
address|lives at «221B Baker Street», London
address|«1600 Pennsylvania Avenue» NW
address|ship to «742 Evergreen Terrace»
address|«10 Downing St», London
address|wohnt «Friedrichstraße 43», Berlin
address|in der «Lindenallee 12a»
crypto|send to «0x52908400098527886E0F7030069857D2E4169EE7»
crypto|«1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa» was the first
email|"email": "«kai@example.fi»"
email|«x@example.company» and «y@example.org»
email|New user: «first_last+tag@mail-server.example»
email|к «ivan@example.ru»
card|visa «4000 0000 0000 0002»
card|«5454545454545454» debit
card|card no: «6304000000000000»
iban|«CZ65 0800 0000 1920 0014 5399»
iban|«GR1601101250000000012300695»
iban|«HU42117730161111101800000000»
ip|Failed login from «100.64.12.9» (3 times)
ip|«2a02:8108:9c0:1234::5» is mine
ip|remote_addr: "«185.15.59.224»"
us_itin|itin: «950-65-0001»
uk_nino|«PX 98 76 54 A» (National Insurance)
es_nif|NIE: «Y0000002Q»
it_fiscal_code|CF «VRDLGI60A41F205H»
fr_insee|«190057510200140»
in_pan|pan «BNZPM2501F»
br_cpf|«390.533.447-05»
address|«350 Fifth Avenue», New York
birth_date|né le «14/07/1989»
crypto|«bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq»
"""

_FALSE = """
version 1.2.3.4 of the driver
Release 10.0.19045.3803
section 3.1.4.2 of the manual
listening on 127.0.0.1:8080
bind 0.0.0.0
::1 and localhost
std::vector<int> v; abc::def()
12:34:56 is a time
10:30:00.123456
2024-01-15T10:30:00Z
2024-01-15T10:30:00.123456+02:00
2024-01-15 10:30:00,123 INFO start
1705312200
1705312200123
1705312200123456
1705312200123456789
{"created_at": 1705312200, "ms": 1705312200123}
{"input_tokens": 123456789, "output_tokens": 987654321}
{"start_ns": 1764412345678901234}
550e8400-e29b-41d4-a716-446655440000
12345678-1234-1234-1234-123456789012
00000000-0000-0000-0000-000000000000
4bf92f3577b34da6a3ce929d0e0e4736
00f067aa0ba902b7
00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
chatcmpl-9abCDEf123456789
call_4155552671abc
req_011CQ4155552671
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
commit 4d8f81e1234567890
4111 1111 1111 1112
4111111111111112
1234 5678 9012 3456
0000 0000 0000 0000
9999999999999995
1234567812345670
order 4155552671
Order #100-2345678-9012345
invoice 2024-000123-45
customer no. 0012345678
id=987654321
{"id": 4155552671}
account 00123456789
ISBN 978-3-16-148410-0
ISBN 0-306-40615-2
ISSN 2049-3630
EAN 4006381333931
UPC 036000291452
DOI 10.1000/182
arXiv:2301.07041
RFC 9110
CVE-2024-12345
GHSA-1234-5678-9012
PEP 8, PEP 484
pi is 3.14159265358979
e = 2.718281828459045
0.4111111111111111
1e10, 2E-5, 6.02214076e23
1,234,567.89
12.345.678,90 EUR
$1,000,000.00
+5000000 in revenue
+10.5 % against last year
-1.5 to +2.5
1 000 000 000
100 200 3000
200 300 4000
[101, 202, 303, 404]
[0.1234, 0.5678, 0.9012]
x = 10, y = 20, z = 30
(3, 4) and (5, 6)
52.5, 13.4
1.2345, 678.90
1920x1080
3840 x 2160
5551234 items
call 20240115 times
tool call 12345678 failed
function call 4155552671
call_id: 4155552671
the cell 1234567 of the table
phone is off
the phone call took 1234567 ms
telephone exchange of 1878
my phone has 128000 MB
a mobile app with 1000000 users
dial tone
email me
@decorator
@app.route("/x")
user@localhost
git@github.com:org/repo.git
ssh git@gitlab.com:group/project.git
image@2x.png
icon@3x.jpg
react@18.2.0
npm i lodash@4.17.21
lodash@^4.17.21
actions/checkout@v4
python:3.12-slim@sha256:abc
a @ b
@ 5 pm
twitter: @someone
see @param name
matrix A @ B.T
email: (none)
GB is a country
DE89 3704 0044 0532 0130 01
DE00 0000 0000 0000 0000 00
GB82 WEST 1234 5698 7654 33
XX12 3456 7890 1234 5678
AB12CD34EF56GH78IJ90
FR7630006000011234567890188
PART-NO AB12 3456 7890
MODEL NL91ABNA
SKU US1234567890
AA:BB:CC
00:1A:2B
ab:cd:ef:01:23
12:34:56:78
aspect ratio 16:9
000-12-3456
666-12-3456
123-00-4567
123-45-0000
078-05-1120
2024-12-3456
12-345-6789
1234-56-7890
ssn is missing
social security is a pillar
900-12-3456
BG123456A
AB123456E
A123456B
GB123456A is no number of a person
NHS has 1300000 staff
nhs 1234567890
1 84 12 76 451 089 47
012345678901234
Steuer 2023
tax id: none
DNI 12345678A
12345678X
00000000A
RSSMRA85T10A562T
ABCDEF12G34H567I
756.1234.5678.90
811228-9870
20240115-1234
111222334
bsn unknown
12345678901
pesel 12345678901
9999 4105 7059
1234 5678 9012
ABCDE1234F9
XYZAB12345
111.444.777-36
000.000.000-00
123.456.789-00
sin(123456789)
146 454 287
imei 123456789012345
490154203237518
1M8GDM9A1KP042788
ABCDEFGHJKLMNPRST
12345678901234567
passport control
passport to success 2024
built on 1984-02-29
released 12 March 1990
expires 12/30
July 4, 1976
born to run
date of birth unknown
born in 1984
5 minutes away
10 Green Bottles
221B is a flat
7 Wonders of the World
Straße 12
12 Angry Men
Main Street is closed
0xdeadbeef
0x7fff5fbff8c8
bc1q
1Password
gpt-4o-2024-08-06
claude-3-5-sonnet-20241022
text-embedding-3-small
/usr/lib/python3.12/site-packages
https://example.com/a/1234567890?b=2345678901
line 1234567 of file.py:890
00 11 22 33 44 55 66 77
7f 45 4c 46 02 01 01 00
01/02/2024 and 03-04-2025
5,5'-dithiobis
HTTP/1.1 200 OK 1234
port 54321, pid 1234567
"""

TRUE: list[tuple[str, list[str], str]] = []
"""Kind, what has to go, and the text that holds it."""
for _line in _TRUE.strip().splitlines():
    _kind, _, _text = _line.partition("|")
    _data = [_part.partition("»")[0] for _part in _text.split("«")[1:]]
    if all(_data):
        TRUE.append((_kind, _data, _text.replace("«", "").replace("»", "")))
FALSE: list[str] = _FALSE.strip("\n").splitlines()
