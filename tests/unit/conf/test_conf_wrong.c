/* Each row is the good conf below with one edit, and exactly the mistakes that must be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scratch.h"

static const char good[] = "[account a]\n"                                /* 1 */
			   "provider = salesforce\n"                      /* 2 */
			   "login_url = https://acme.my.salesforce.com\n" /* 3 */
			   "flow = client_credentials\n"                  /* 4 */
			   "client_id = 3MVG9.x\n"                        /* 5 */
			   "client_secret = vault\n"                      /* 6 */
			   "[store s]\n"                                  /* 7 */
			   "driver = sqlite\n"                            /* 8 */
			   "path = /srv/x.db\n"                           /* 9 */
			   "[job j]\n"                                    /* 10 */
			   "account = a\n"                                /* 11 */
			   "object = Contact\n"                           /* 12 */
			   "store = s\n"                                  /* 13 */
			   "[fields j]\n"                                 /* 14 */
			   "Email = -> email\n";                          /* 15 */

/* Stands in rows where a secret was written by mistake; no message may show it. */
#define CANARY "kB7xQ2vN9zR4"

#define MOST_WANTED 12
struct row {
	const char *name;
	const char *find, *put;
	const char *want[MOST_WANTED]; /* how each message begins, behind the file's name */
};

static const struct row syntax[] = {
	{ "no key = value",
	  "flow = client_credentials",
	  "flow",
	  { "1: the key `flow` is missing",
	    "4: is neither [section], key = value nor # comment" } },
	{ "a secret alone on a line",
	  "[store s]",
	  CANARY "\n[store s]",
	  { "7: is neither [section], key = value nor # comment" } },
	{ "no key",
	  "flow = client_credentials",
	  "flow = client_credentials\n= 5",
	  { "5: has no key before the =" } },
	{ "no value",
	  "flow = client_credentials",
	  "flow =",
	  { "4: flow: has no value; leave the line out for the default" } },
	{ "before any section",
	  "[account a]",
	  "x = 1\ny = 2\n[account a]",
	  { "1: stands before the first [section] of its file" } },
	{ "header without its end",
	  "[store s]",
	  "[store s",
	  { "7: a section's header must end in ]", "10: store: there is no [store s]" } },
	{ "empty header",
	  "[account a]",
	  "[ ]\n[account a]",
	  { "1: a section's header holds no name" } },
	{ "continued, then nothing",
	  "Email = -> email\n",
	  "Email = -> email \\\n",
	  { "15: ends in a backslash, but no line follows" } },
	{ "control character",
	  "flow = client_credentials",
	  "flow = client\033credentials",
	  { "1: the key `flow` is missing", "4: holds a control character" } },
	{ "the line of a continued value",
	  "login_url = ",
	  "login_url = \\\n\\\nftp:",
	  { "3: login_url: " } },
};

static const struct row sections[] = {
	{ "unknown section",
	  "[account a]",
	  "[acount b]\nx = 1\n[account a]",
	  { "1: unknown section [acount]; did you mean `account`?" } },
	{ "unknown section, nothing like it",
	  "[account a]",
	  "[listener]\n[account a]",
	  { "1: unknown section [listener]" } },
	{ "daemon takes no name",
	  "[account a]",
	  "[daemon x]\n[account a]",
	  { "1: [daemon] takes no name" } },
	{ "daemon twice",
	  "[account a]",
	  "[daemon]\n[daemon]\n[account a]",
	  { "2: [daemon] stands twice; first at " } },
	{ "store needs a name",
	  "[store s]",
	  "[store]",
	  { "7: [store] needs a name: [store NAME]", "10: store: there is no [store s]" } },
	{ "name of two words",
	  "[account a]",
	  "[account b c]\nprovider = salesforce\nlogin_url = https://a.salesforce.com\n"
	  "flow = client_credentials\nclient_id = x\nclient_secret = vault\n[account a]",
	  { "1: `b c` is no name for a section" } },
	{ "section twice",
	  "[job j]",
	  "[store s]\ndriver = sqlite\npath = /srv/y.db\n[job j]",
	  { "10: [store s] stands twice; first at " } },
	{ "no account",
	  "[account a]\n",
	  "[store t]\ndriver = sqlite\npath = /t.db\n",
	  { "0: holds no [account NAME] section", "4: unknown key `provider` in [store]",
	    "5: unknown key `login_url`", "6: unknown key `flow`", "7: unknown key `client_id`",
	    "8: unknown key `client_secret`; secrets never stand in this file",
	    "12: account: there is no [account a]" } },
	{ "unknown account",
	  "account = a\n",
	  "account = b\n",
	  { "10: account: there is no [account b]" } },
	{ "account misspelt",
	  "[account a]",
	  "[account production]",
	  { "10: account: there is no [account a]" } },
	{ "unknown store",
	  "store = s\n",
	  "store = crm\n",
	  { "10: store: there is no [store crm]" } },
	{ "job without fields",
	  "[fields j]\nEmail = -> email\n",
	  "",
	  { "10: there is no [fields j] section" } },
	{ "fields without job",
	  "[fields j]",
	  "[fields contacts]\nId = ->\n[fields j]",
	  { "14: there is no [job contacts]" } },
	{ "fields of a misspelt job",
	  "[job j]",
	  "[job jj]",
	  { "10: there is no [fields jj] section",
	    "14: there is no [job j]; did you mean `jj`?" } },
	{ "fields without a line",
	  "[fields j]\nEmail = -> email\n",
	  "[fields j]\n",
	  { "14: maps no field" } },
	{ "two jobs of an object on a table",
	  "[fields j]",
	  "[job k]\naccount = a\nobject = contact\nstore = s\ntable = CONTACT\n[fields k]\n"
	  "Id = ->\n[fields j]",
	  { "14: table: [job j] keeps Contact in `contact` of the same store already" } },
	{ "two keys of a table",
	  "[fields j]",
	  "[job k]\naccount = a\nobject = Lead\nstore = s\ntable = contact\nkey = sf_id\n"
	  "[fields k]\nId = ->\n[fields j]",
	  { "14: key: [job j] has the same table and the key `id`: jobs that share a table share "
	    "its key" } },
	{ "two stores on a path",
	  "[job j]",
	  "[store t]\ndriver = sqlite\npath = /srv/x.db\n[job j]",
	  { "10: path: [store s] has the same one" } },
};

static const struct row keys[] = {
	{ "unknown key",
	  "client_id =",
	  "client_di =",
	  { "1: the key `client_id` is missing: ",
	    "5: unknown key `client_di` in [account]; did you mean `client_id`?" } },
	{ "key of another section",
	  "driver = sqlite",
	  "driver = sqlite\nevery = 5m",
	  { "9: unknown key `every` in [store]" } },
	{ "key in other letters",
	  "driver = sqlite",
	  "driver = sqlite\nPath = /x",
	  { "9: unknown key `Path` in [store]; did you mean `path`?" } },
	{ "key twice",
	  "flow = client_credentials",
	  "flow = client_credentials\nflow = web",
	  { "5: the key `flow` stands twice; first on line 4" } },
	{ "a password",
	  "driver = sqlite",
	  "driver = sqlite\npassword = " CANARY,
	  { "9: unknown key `password`; secrets never stand in this file: type them in with "
	    "`leadsync secret set NAME`" } },
	{ "all required keys missing",
	  "driver = sqlite\npath = /srv/x.db\n",
	  "",
	  { "7: the key `driver` is missing: ", "7: the key `path` is missing: " } },
	{ "yes and no",
	  "[account a]",
	  "[daemon]\nloopback_test = true\n[account a]",
	  { "2: loopback_test: expected yes or no, not `true`" } },
	{ "word",
	  "[account a]",
	  "[daemon]\nlog_level = warn\n[account a]",
	  { "2: log_level: expected error, warning, notice, info or debug, not `warn`" } },
	{ "word, nearly",
	  "[account a]",
	  "[daemon]\nlog_level = dbug\n[account a]",
	  { "2: log_level: expected error, warning, notice, info or debug, not `dbug`; did you "
	    "mean "
	    "`debug`?" } },
	{ "relative path",
	  "[account a]",
	  "[daemon]\nstate_dir = state\n[account a]",
	  { "2: state_dir: expected an absolute path" } },
	{ "socket path too long",
	  "[account a]",
	  "[daemon]\ncontrol = "
	  "/run/0123456789012345678901234567890123456789012345678901234567890123"
	  "45678901234567890123456789012345678901234567.sock\n[account a]",
	  { "2: control: the path is longer than 107 bytes" } },
	{ "seal key itself",
	  "[account a]",
	  "[daemon]\nseal_key = " CANARY "\n[account a]",
	  { "2: seal_key: expected credential:NAME or file:/PATH; the key itself never stands" } },
	{ "provider",
	  "salesforce\n",
	  "marketo\n",
	  { "2: provider: expected salesforce, not `marketo`" } },
	{ "driver", "sqlite", "postgresql", { "8: driver: expected sqlite, not `postgresql`" } },
	{ "store path", "/srv/x.db", "x.db", { "9: path: expected an absolute path" } },
	{ "flow",
	  "client_credentials",
	  "client-credentials",
	  { "4: flow: expected web, jwt or client_credentials, not `client-credentials`; did you "
	    "mean `client_credentials`?" } },
	{ "client id of two words",
	  "3MVG9.x",
	  "3MVG9 x",
	  { "5: client_id: only printable ASCII without blanks is expected" } },
	{ "the client secret itself",
	  "= vault",
	  "= " CANARY,
	  { "6: client_secret: expected vault, vault:NAME, credential:NAME or file:/PATH; a secret "
	    "never stands in this file: write vault, and type the secret in with `leadsync secret "
	    "set "
	    "a`" } },
	{ "the client secret itself, behind a prefix",
	  "= vault",
	  "= credential:" CANARY "==",
	  { "6: client_secret: expected vault, vault:NAME" } },
	{ "secret from a relative file",
	  "= vault",
	  "= file:" CANARY,
	  { "6: client_secret: expected vault, vault:NAME" } },
	{ "old version",
	  "client_id =",
	  "api_version = 30.0\nclient_id =",
	  { "5: api_version: 30.0 is out of bounds: from 31.0 to 199.0" } },
	{ "version",
	  "client_id =",
	  "api_version = v66.0\nclient_id =",
	  { "5: api_version: expected a version such as 66.0, not `v66.0`" } },
	{ "proxy without a port",
	  "client_id =",
	  "proxy = http://proxy\nclient_id =",
	  { "5: proxy: expected http://HOST:PORT or https://HOST:PORT" } },
	{ "proxy with a password",
	  "client_id =",
	  "proxy = http://me:" CANARY "@proxy:3128\nclient_id =",
	  { "5: proxy: no user or password may stand in the URL" } },
	{ "relative ca_file",
	  "client_id =",
	  "ca_file = ca.pem\nclient_id =",
	  { "5: ca_file: expected an absolute path" } },
	{ "allow_host is no URL",
	  "client_id =",
	  "allow_host = a.example https://b\nclient_id =",
	  { "5: allow_host: expected HOST or HOST:PORT, several with blanks between, not "
	    "`https://b`" } },
	{ "allow_host with port 0",
	  "client_id =",
	  "allow_host = a:0\nclient_id =",
	  { "5: allow_host: expected HOST or HOST:PORT" } },
	{ "bare number",
	  "client_id =",
	  "session_lifetime = 120\nclient_id =",
	  { "5: session_lifetime: `120` has no unit: write 120s, 120m, 120h or 120d" } },
	{ "unknown unit",
	  "client_id =",
	  "session_lifetime = 2w\nclient_id =",
	  { "5: session_lifetime: `2w` has an unknown unit: use s, m, h or d" } },
	{ "no duration",
	  "client_id =",
	  "session_lifetime = 2h30m\nclient_id =",
	  { "5: session_lifetime: expected a time such as 90s, 5m, 2h or 1d, not `2h30m`" } },
	{ "short session",
	  "client_id =",
	  "session_lifetime = 14m\nclient_id =",
	  { "5: session_lifetime: `14m` is out of bounds: from 15m to 1d" } },
	{ "endless session",
	  "client_id =",
	  "session_lifetime = 99999999999999999999d\nclient_id =",
	  { "5: session_lifetime: expected a time" } },
	{ "too parallel",
	  "client_id =",
	  "parallel = 26\nclient_id =",
	  { "5: parallel: expected a number from 1 to 25, not `26`" } },
	{ "negative",
	  "client_id =",
	  "parallel = -1\nclient_id =",
	  { "5: parallel: expected a number from 1 to 25, not `-1`" } },
};

/* What the good conf says of its flow, replaced by another's. */
#define FLOW_OF_GOOD "client_credentials\nclient_id = 3MVG9.x\nclient_secret = vault"
#define WEB          "web\nclient_id = x\n"                                      /* 4 to 5 */
#define JWT          "jwt\nclient_id = x\nusername = a@b\nprivate_key = vault\n" /* 4 to 7 */
#define REDIRECT     FLOW_OF_GOOD, WEB "redirect_uri = "                         /* 6 */
#define BAD_REDIRECT                                                                               \
	"6: redirect_uri: expected http://localhost:PORT/PATH (or 127.0.0.1, or [::1]) with a "    \
	"port from 1024 to 65535 and a path of letters, digits, '-._~' and single slashes, or, "   \
	"for logins by paste only, an https URL; no query, no fragment"
#define BAD_KEY                                                                                    \
	"7: private_key: expected vault, vault:NAME, credential:NAME or file:/PATH; a key never "  \
	"stands in this file: write vault, and hand the key in with `leadsync secret set a < "     \
	"KEY.pem`"
#define PEM_BODY "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" CANARY "ggSjAgEAAoIBAQDB\n" CANARY "+/==\n"

static const struct row flows[] = {
	{ "no such flow",
	  "flow = client_credentials",
	  "flow = password",
	  { "4: flow: expected web, jwt or client_credentials, not `password`" } },
	{ "flow, in other letters",
	  "flow = client_credentials",
	  "flow = JWT",
	  { "4: flow: expected web, jwt or client_credentials, not `JWT`; did you mean `jwt`?" } },
	{ "nothing is told of a flow that is not said",
	  "flow = client_credentials",
	  "username = x@y",
	  { "1: the key `flow` is missing: How tokens are obtained. jwt: signed with the app's "
	    "private key, best for a server; client_credentials: with the app's id and secret; "
	    "web: once by a person at a browser, with `leadsync connect`." } },
	{ "client_credentials without a secret",
	  "client_secret = vault\n",
	  "",
	  { "1: the key `client_secret` is missing, which flow = client_credentials needs: Where "
	    "the app's consumer secret is" } },
	{ "client_credentials with what is jwt's and web's",
	  "client_secret = vault",
	  "client_secret = vault\nusername = a@b\nprivate_key = " CANARY "\naudience = x\n"
	  "redirect_uri = x",
	  { "7: username: belongs to flow = jwt, and this account has flow = client_credentials: "
	    "leave the line out",
	    "8: private_key: belongs to flow = jwt, and this account has flow = "
	    "client_credentials: leave the line out",
	    "9: audience: belongs to flow = jwt, and this account has flow = client_credentials: "
	    "leave the line out",
	    "10: redirect_uri: belongs to flow = web, and this account has flow = "
	    "client_credentials: leave the line out" } },
	{ "jwt without its own",
	  FLOW_OF_GOOD,
	  "jwt\nclient_id = x",
	  { "1: the key `private_key` is missing, which flow = jwt needs: Where the RSA key is",
	    "1: the key `username` is missing, which flow = jwt needs: The Salesforce user" } },
	{ "jwt with a client secret",
	  FLOW_OF_GOOD,
	  JWT "client_secret = vault",
	  { "8: client_secret: belongs to flow = web or client_credentials, and this account has "
	    "flow = jwt: leave the line out" } },
	{ "jwt with a redirect",
	  FLOW_OF_GOOD,
	  JWT "redirect_uri = http://localhost:8717/callback",
	  { "8: redirect_uri: belongs to flow = web, and this account has flow = jwt: leave the "
	    "line out" } },
	{ "web with a username",
	  FLOW_OF_GOOD,
	  WEB "username = a@b",
	  { "6: username: belongs to flow = jwt, and this account has flow = web: leave the line "
	    "out" } },
	{ "username that is a name",
	  FLOW_OF_GOOD,
	  "jwt\nusername = Ann\nclient_id = x\nprivate_key = vault",
	  { "5: username: expected a Salesforce username, which has the form of an e-mail "
	    "address, such as sync@acme.example" } },
	{ "username of no host",
	  FLOW_OF_GOOD,
	  "jwt\nusername = ann@\nclient_id = x\nprivate_key = vault",
	  { "5: username: expected a Salesforce username" } },
	{ "username of two words",
	  FLOW_OF_GOOD,
	  "jwt\nusername = a n@b\nclient_id = x\nprivate_key = vault",
	  { "5: username: only printable ASCII without blanks is expected" } },
	{ "long username",
	  FLOW_OF_GOOD,
	  "jwt\nusername = a@b123456789012345678901234567890123456789012345678901234567890123456789"
	  "012345678\nclient_id = x\nprivate_key = vault",
	  { "5: username: is longer than 80 bytes" } },
	{ "audience that is no URL",
	  FLOW_OF_GOOD,
	  JWT "audience = login.salesforce.com",
	  { "8: audience: expected a URL such as https://HOST" } },
	{ "audience over http",
	  FLOW_OF_GOOD,
	  JWT "audience = http://login.salesforce.com",
	  { "8: audience: expected https://HOST" } },
	{ "audience on loopback",
	  FLOW_OF_GOOD,
	  JWT "audience = http://127.0.0.1:8080",
	  { "8: audience: plain http is for tests: it needs loopback_test = yes in [daemon]" } },
	{ "audience with a query",
	  FLOW_OF_GOOD,
	  JWT "audience = https://acme.my.site.com/x?y=1",
	  { "8: audience: expected https://HOST or https://HOST/PATH and nothing behind it" } },
	{ "redirect to another host",
	  REDIRECT "http://acme.example:8717/callback",
	  { BAD_REDIRECT } },
	{ "redirect to what only begins like loopback",
	  REDIRECT "http://localhost.acme.example:8717/callback",
	  { BAD_REDIRECT } },
	{ "redirect without a port", REDIRECT "http://localhost/callback", { BAD_REDIRECT } },
	{ "redirect to a port of root's", REDIRECT "http://localhost:1023/x", { BAD_REDIRECT } },
	{ "redirect without a path", REDIRECT "http://localhost:8717", { BAD_REDIRECT } },
	{ "redirect with a query", REDIRECT "http://localhost:8717/x?y=1", { BAD_REDIRECT } },
	{ "redirect with a fragment", REDIRECT "https://acme.example/x#y", { BAD_REDIRECT } },
	{ "redirect with an escape", REDIRECT "http://localhost:8717/%2e", { BAD_REDIRECT } },
	{ "redirect to an empty segment", REDIRECT "http://localhost:8717//x", { BAD_REDIRECT } },
	{ "redirect to one in the middle",
	  REDIRECT "http://localhost:8717/a//b",
	  { BAD_REDIRECT } },
	{ "redirect up", REDIRECT "http://localhost:8717/a/../x", { BAD_REDIRECT } },
	{ "redirect to a dot", REDIRECT "http://127.0.0.1:8717/.", { BAD_REDIRECT } },
	{ "redirect with punctuation", REDIRECT "http://[::1]:8717/a!b", { BAD_REDIRECT } },
	{ "redirect with more of it", REDIRECT "http://localhost:8717/$&'()*", { BAD_REDIRECT } },
	{ "redirect with parameters", REDIRECT "http://localhost:8717/a;b=c", { BAD_REDIRECT } },
	{ "redirect by another scheme", REDIRECT "ftp://localhost:8717/x", { BAD_REDIRECT } },
	{ "redirect to no URL",
	  REDIRECT "localhost:8717/callback",
	  { "6: redirect_uri: expected a URL such as https://HOST" } },
	{ "redirect with a password",
	  REDIRECT "http://me:" CANARY "@localhost:8717/x",
	  { "6: redirect_uri: no user or password may stand in the URL" } },
	{ "redirect in capitals",
	  REDIRECT "http://LocalHost:8717/Callback",
	  { "6: redirect_uri: write http://localhost:8717 in lower case: the app's callback URLs "
	    "are compared to the letter" } },
	{ "two accounts, one default redirect",
	  "[account a]\nprovider = salesforce\nlogin_url = https://acme.my.salesforce.com\n"
	  "flow = " FLOW_OF_GOOD,
	  "[account a]\nflow = web\nprovider = salesforce\nclient_id = x\n"
	  "login_url = https://login.salesforce.com\n[account w]\nprovider = salesforce\n"
	  "login_url = https://test.salesforce.com\nflow = web\nclient_id = y",
	  { "6: redirect_uri: [account a] and [account w] both have "
	    "http://localhost:8717/callback, so the answer of one's login could reach the other: "
	    "give one a path or a port of its own, such as redirect_uri = "
	    "http://localhost:8717/callback/w, and add it to the app's callback URLs" } },
	{ "the default, said",
	  FLOW_OF_GOOD,
	  WEB "[account w]\nprovider = salesforce\nlogin_url = https://test.salesforce.com\n"
	      "flow = web\nclient_id = y\nredirect_uri = http://localhost:8717/callback",
	  { "6: redirect_uri: [account a] and [account w] both have" } },
	{ "loopback by another name",
	  FLOW_OF_GOOD,
	  WEB "[account w]\nprovider = salesforce\nlogin_url = https://test.salesforce.com\n"
	      "flow = web\nclient_id = y\nredirect_uri = http://127.0.0.1:8717/callback",
	  { "6: redirect_uri: [account a] and [account w] both have "
	    "http://127.0.0.1:8717/callback, " } },
	{ "two accounts, one page elsewhere",
	  FLOW_OF_GOOD,
	  WEB "redirect_uri = https://x.example/y\n[account w]\nprovider = salesforce\n"
	      "login_url = https://test.salesforce.com\nflow = web\nclient_id = y\n"
	      "redirect_uri = https://x.example/y",
	  { "7: redirect_uri: [account a] and [account w] both have https://x.example/y, " } },
	{ "a web account twice is one mistake",
	  FLOW_OF_GOOD,
	  WEB "[account a]\nprovider = salesforce\nlogin_url = https://test.salesforce.com\n"
	      "flow = web\nclient_id = y",
	  { "6: [account a] stands twice; first at " } },
	{ "the private key as PEM",
	  FLOW_OF_GOOD,
	  "jwt\nclient_id = x\nusername = a@b\nprivate_key = -----BEGIN PRIVATE KEY-----\n" PEM_BODY
	  "-----END PRIVATE KEY-----",
	  { BAD_KEY } },
	{ "the private key as PEM, continued",
	  FLOW_OF_GOOD,
	  "jwt\nclient_id = x\nusername = a@b\nprivate_key = -----BEGIN PRIVATE KEY-----\\\n" CANARY
	  "\\\n-----END PRIVATE KEY-----",
	  { BAD_KEY } },
	{ "the private key without its frame",
	  FLOW_OF_GOOD,
	  "jwt\nclient_id = x\nusername = a@b\nprivate_key = MIIEvQIBADANBgkqhkiG9w0B" CANARY,
	  { BAD_KEY } },
	{ "the private key behind a prefix",
	  FLOW_OF_GOOD,
	  "jwt\nclient_id = x\nusername = a@b\nprivate_key = vault:MIIEvQIBADANBgkqhkiG+/" CANARY,
	  { BAD_KEY } },
	{ "a key's text on lines of its own",
	  "[store s]",
	  "-----BEGIN RSA PRIVATE KEY-----\n" PEM_BODY "-----END RSA PRIVATE KEY-----\n[store s]",
	  { "7: begins a key or a certificate, which never stands in this file: hand a key in "
	    "with `leadsync secret set NAME < KEY.pem`" } },
	{ "what follows a key's text without an end",
	  "[store s]",
	  "-----BEGIN RSA PRIVATE KEY-----\n" PEM_BODY "proxi = x\n[store s]",
	  { "7: begins a key or a certificate",
	    "10: unknown key `proxi` in [account]; did you mean `proxy`?" } },
	{ "what follows a key's text",
	  "[store s]",
	  "-----BEGIN RSA PRIVATE KEY-----\n" PEM_BODY "-----END RSA PRIVATE KEY-----\nstray\n"
	  "[store s]",
	  { "7: begins a key or a certificate",
	    "11: is neither [section], key = value nor # comment" } },
	{ "a key's last line alone",
	  "[store s]",
	  CANARY "==\n[store s]",
	  { "7: unknown key in [account], not shown as it may be a secret; secrets never stand in "
	    "this file: hand them in with `leadsync secret set NAME`" } },
	{ "a key's line with bytes no name has",
	  "[store s]",
	  CANARY "/+" CANARY "=x\n[store s]",
	  { "7: unknown key in [account], not shown as it may be a secret" } },
	{ "a key's long line",
	  "[store s]",
	  CANARY CANARY CANARY "=x\n[store s]",
	  { "7: unknown key in [account], not shown as it may be a secret" } },
	{ "a key by another name",
	  "[store s]",
	  "rsa = -----BEGIN PRIVATE KEY-----\n" PEM_BODY "-----END PRIVATE KEY-----\n[store s]",
	  { "7: unknown key in [account], not shown as it may be a secret" } },
	{ "a key, called so",
	  "[store s]",
	  "key_pem = " CANARY "\n[store s]",
	  { "7: unknown key `key_pem`; secrets never stand in this file: type them in with "
	    "`leadsync secret set NAME`" } },
	{ "hook with an argument",
	  "[account a]",
	  "[daemon]\nhook = /usr/bin/mail root\n[account a]",
	  { "2: hook: expected a program's path alone: no blank and no argument; what else it "
	    "needs belongs into a script of its own" } },
	{ "hook in the path",
	  "[account a]",
	  "[daemon]\nhook = mail\n[account a]",
	  { "2: hook: expected an absolute path" } },
};

static const struct row urls[] = {
	{ "login host",
	  "acme.my.salesforce.com",
	  "login.salesforce.com",
	  { "3: login_url: login.salesforce.com does not serve the client_credentials flow; give "
	    "the "
	    "org's own host as Setup shows it under My Domain" } },
	{ "test host",
	  "acme.my.salesforce.com",
	  "TEST.salesforce.com/",
	  { "3: login_url: test.salesforce.com does not serve" } },
	{ "plain http", "https://acme", "http://acme", { "3: login_url: expected https://HOST" } },
	{ "loopback outside of tests",
	  "https://acme.my.salesforce.com",
	  "http://127.0.0.1:8080",
	  { "3: login_url: plain http is for tests: it needs loopback_test = yes in [daemon]" } },
	{ "loopback by name, in a test",
	  "[account a]\nprovider = salesforce\nlogin_url = "
	  "https://acme.my.salesforce.com\n",
	  "[daemon]\nloopback_test = yes\n[account a]\nprovider = salesforce\nlogin_url = "
	  "http://localhost:8080\n",
	  { "5: login_url: expected https://HOST" } },
	{ "no URL",
	  "https://acme.my.salesforce.com",
	  "acme.my.salesforce.com",
	  { "3: login_url: expected a URL such as https://HOST" } },
	{ "user in the URL",
	  "https://acme",
	  "https://me:" CANARY "@acme",
	  { "3: login_url: no user or password may stand in the URL" } },
	{ "path in the URL",
	  ".com",
	  ".com/services",
	  { "3: login_url: nothing may follow the host in the URL" } },
	{ "query in the URL",
	  ".com",
	  ".com?x=1",
	  { "3: login_url: nothing may follow the host in the URL" } },
	{ "dot at the end",
	  ".com",
	  ".com.",
	  { "3: login_url: the URL's host or port is not a valid one" } },
	{ "percent in the host",
	  "acme",
	  "acme%2e",
	  { "3: login_url: the URL's host or port is not a valid one" } },
	{ "port",
	  ".com",
	  ".com:99999",
	  { "3: login_url: the URL's host or port is not a valid one" } },
	{ "another's host",
	  "acme.my.salesforce.com",
	  "my.salesforce.com.example.org",
	  { "1: login_url: the host is not one of salesforce.com: if it is yours, add allow_host = "
	    "my.salesforce.com.example.org" } },
	{ "a host that only ends like it",
	  "acme.my.salesforce.com",
	  "evilsalesforce.com",
	  { "1: login_url: the host is not one of salesforce.com" } },
	{ "another port",
	  ".com",
	  ".com:8443",
	  { "1: login_url: the host is not one of salesforce.com: if it is yours, add allow_host = "
	    "acme.my.salesforce.com:8443" } },
};

static const struct row jobs[] = {
	{ "object", "Contact", "Con tact", { "12: object: expected an API name such as Contact" } },
	{ "table",
	  "store = s\n",
	  "store = s\ntable = a b\n",
	  { "14: table: `a b` is no plain name of a table or column" } },
	{ "table of the ledger",
	  "store = s\n",
	  "store = s\ntable = Leadsync_links\n",
	  { "14: table: `Leadsync_links`: names that begin with leadsync_ or sqlite_ are taken" } },
	{ "table of the ledger, by the object's name",
	  "Contact",
	  "Leadsync_Key__c",
	  { "10: table: `leadsync_key`: names that begin with leadsync_ or sqlite_ are taken; name "
	    "another" } },
	{ "key",
	  "store = s\n",
	  "store = s\nkey = 1st\n",
	  { "14: key: `1st` is no plain name of a table or column" } },
	{ "too often",
	  "store = s\n",
	  "store = s\nevery = 9s\n",
	  { "14: every: `9s` is out of bounds: from 10s to 7d" } },
	{ "too seldom",
	  "store = s\n",
	  "store = s\nevery = 8d\n",
	  { "14: every: `8d` is out of bounds: from 10s to 7d" } },
	{ "overlap",
	  "store = s\n",
	  "store = s\noverlap = 61m\n",
	  { "14: overlap: `61m` is out of bounds: from 0s to 1h" } },
	{ "overlap of nothing",
	  "store = s\n",
	  "store = s\noverlap = 0\n",
	  { "14: overlap: `0` has no unit" } },
	{ "where: quote",
	  "store = s\n",
	  "store = s\nwhere = Name = 'x\n",
	  { "14: where: a quote is not closed" } },
	{ "where: escaped quote",
	  "store = s\n",
	  "store = s\nwhere = Name = 'x\\'\n",
	  { "14: where: a quote is not closed" } },
	{ "where: open",
	  "store = s\n",
	  "store = s\nwhere = (Name = 'x)'\n",
	  { "14: where: a parenthesis is not closed" } },
	{ "where: reaches out",
	  "store = s\n",
	  "store = s\nwhere = A = 1) OR (B = 2\n",
	  { "14: where: a parenthesis is closed that was never opened" } },
	{ "where: order by",
	  "store = s\n",
	  "store = s\nwhere = A = 1 ORDER BY B\n",
	  { "14: where: expected one condition, without a clause of its own: `order`" } },
	{ "where: limit",
	  "store = s\n",
	  "store = s\nwhere = A = 1 limit 5\n",
	  { "14: where: expected one condition, without a clause of its own: `limit`" } },
	{ "where: where",
	  "store = s\n",
	  "store = s\nwhere = WHERE A = 1\n",
	  { "14: where: expected one condition, without a clause of its own: `where`" } },
	{ "where: other quotes",
	  "store = s\n",
	  "store = s\nwhere = A = \"x\"\n",
	  { "14: where: SOQL quotes text with ', not with \"" } },
	{ "on_remote_delete",
	  "store = s\n",
	  "store = s\non_remote_delete = drop\n",
	  { "14: on_remote_delete: expected keep, mark or delete, not `drop`" } },
	{ "mark without a column",
	  "store = s\n",
	  "store = s\non_remote_delete = mark\n",
	  { "10: on_remote_delete: mark needs a column to mark: add `IsDeleted = ->` to [fields "
	    "j]" } },
	{ "mark, and the column comes from nowhere",
	  "store = s\n[fields j]",
	  "store = s\non_remote_delete = mark\n[fields j]\nIsDeleted = <- is_deleted",
	  { "10: on_remote_delete: mark needs a column to mark" } },
	{ "mark, and all others go up",
	  "store = s\n[fields j]",
	  "store = s\non_remote_delete = mark\n[fields j]\n* = <-",
	  { "10: on_remote_delete: mark needs a column to mark" } },
	{ "on_local_delete",
	  "store = s\n",
	  "store = s\non_local_delete = mark\n",
	  { "14: on_local_delete: expected keep or delete, not `mark`" } },
	{ "conflict",
	  "store = s\n",
	  "store = s\nconflict = remote\n",
	  { "14: conflict: expected salesforce, local, newest, nonblank or manual, not "
	    "`remote`" } },
	{ "guard",
	  "store = s\n",
	  "store = s\nguard = 6m\n",
	  { "14: guard: `6m` is out of bounds: from 0s to 5m" } },
	{ "history too short for the flap guard",
	  "store = s\n",
	  "store = s\nhistory = 59m\n",
	  { "14: history: `59m` is out of bounds: from 1h to 3650d" } },
	{ "history",
	  "store = s\n",
	  "store = s\nhistory = 3651d\n",
	  { "14: history: `3651d` is out of bounds: from 1h to 3650d" } },
	{ "a key of a later version",
	  "store = s\n",
	  "store = s\nmax_changes = 20%\n",
	  { "14: unknown key `max_changes` in [job]" } },
};

static const struct row fields[] = {
	{ "no arrow",
	  "-> email",
	  "email",
	  { "15: Email: expected an arrow, and a column where it is not called as the field: "
	    "`-> column`, `<- column` or `<-> column`" } },
	{ "nothing", "-> email", "", { "15: Email: expected an arrow" } },
	{ "options alone", "-> email", "blank = keep", { "15: Email: expected an arrow" } },
	{ "half an arrow", "-> email", "> email", { "15: Email: expected an arrow" } },
	{ "an arrow that is too long",
	  "-> email",
	  "<--> email",
	  { "15: Email: `-> email` is no plain name of a table or column" } },
	{ "another's field, both ways",
	  "Email = -> email",
	  "Email = ->\nOwner.Email = <-> email",
	  { "16: Owner.Email: belongs to another record, which is only read: use ->" } },
	{ "another's field, upwards",
	  "Email = -> email",
	  "Email = ->\nOwner.Email = <- email",
	  { "16: Owner.Email: belongs to another record, which is only read: use ->" } },
	{ "unknown option",
	  "-> email",
	  "<-> email, rule=newest",
	  { "15: Email: unknown option `rule`: expected conflict = RULE or blank = POLICY" } },
	{ "option, nearly",
	  "-> email",
	  "->, blnk=keep",
	  { "15: Email: unknown option `blnk`: expected conflict = RULE or blank = POLICY; did you "
	    "mean `blank`?" } },
	{ "option without a value",
	  "-> email",
	  "<-> email, newest",
	  { "15: Email: expected conflict = RULE or blank = POLICY behind a comma, not "
	    "`newest`" } },
	{ "option without a name",
	  "-> email",
	  "<-> email, = newest",
	  { "15: Email: unknown option ``: expected conflict = RULE" } },
	{ "a comma at the end",
	  "-> email",
	  "<-> email, blank=keep,",
	  { "15: Email: expected conflict = RULE or blank = POLICY behind a comma, not ``" } },
	{ "two commas",
	  "-> email",
	  "<-> email,, blank=keep",
	  { "15: Email: expected conflict = RULE or blank = POLICY behind a comma, not ``" } },
	{ "options without a comma",
	  "-> email",
	  "<-> email conflict=newest",
	  { "15: Email: `email conflict=newest` is no plain name of a table or column" } },
	{ "two options without a comma",
	  "-> email",
	  "<-> email, conflict=newest blank=keep",
	  { "15: Email: conflict: expected salesforce, local, newest, nonblank or manual, not "
	    "`newest blank=keep`" } },
	{ "unknown rule",
	  "-> email",
	  "<-> email, conflict = remote",
	  { "15: Email: conflict: expected salesforce, local, newest, nonblank or manual, not "
	    "`remote`" } },
	{ "rule, nearly",
	  "-> email",
	  "<->, conflict = newst",
	  { "15: Email: conflict: expected salesforce, local, newest, nonblank or manual, not "
	    "`newst`; did you mean `newest`?" } },
	{ "no rule",
	  "-> email",
	  "<-> email, conflict=",
	  { "15: Email: conflict: expected salesforce, local, newest, nonblank or manual, not "
	    "``" } },
	{ "rule twice",
	  "-> email",
	  "<-> email, conflict=newest, conflict=newest",
	  { "15: Email: the option `conflict` stands twice" } },
	{ "rule of a field that comes down",
	  "-> email",
	  "-> email, conflict=newest",
	  { "15: Email: conflict: belongs to <-> only: a field that goes one way takes what its "
	    "source holds" } },
	{ "rule of a field that goes up",
	  "Email = -> email",
	  "Email = ->\nPhone = <-, conflict=local",
	  { "16: Phone: conflict: belongs to <-> only" } },
	{ "rule of all that come down",
	  "Email = -> email",
	  "* = ->, conflict=local",
	  { "15: *: conflict: belongs to <-> only" } },
	{ "unknown policy",
	  "-> email",
	  "-> email, blank=ignore",
	  { "15: Email: blank: expected clear, keep or fill, not `ignore`" } },
	{ "policy twice",
	  "-> email",
	  "->, blank=keep, blank=fill",
	  { "15: Email: the option `blank` stands twice" } },
	{ "two columns",
	  "-> email",
	  "-> email mail",
	  { "15: Email: `email mail` is no plain name of a table or column" } },
	{ "long column",
	  "-> email",
	  "-> a123456789012345678901234567890123456789012345678901234567890123",
	  { "15: Email: `a123456789012345678901234567890123456789012345678901234567890123` is "
	    "longer "
	    "than 63 bytes" } },
	{ "no field", "Email", "E-mail", { "15: E-mail: expected a field's API name" } },
	{ "no relationship", "Email", "Owner.", { "15: Owner.: expected a field's API name" } },
	{ "too far",
	  "Email",
	  "Account.Owner.Email",
	  { "15: Account.Owner.Email: only one relationship can be followed" } },
	{ "all, into one",
	  "Email = -> email",
	  "* = -> email",
	  { "15: *: `*` stands for many fields and takes no column" } },
	{ "all, into one, both ways",
	  "Email = -> email",
	  "* = <-> email, blank=keep",
	  { "15: *: `*` stands for many fields and takes no column" } },
	{ "all, twice",
	  "Email = -> email",
	  "* = ->\n* = ->",
	  { "16: the field `*` stands twice; first on line 15" } },
	{ "field twice",
	  "Email = -> email",
	  "Email = -> email\nName = ->\nEMAIL = -> mail",
	  { "17: the field `EMAIL` stands twice; first on line 15" } },
	{ "column twice",
	  "Email = -> email",
	  "Email = -> email\nPersonEmail = -> Email",
	  { "16: the column `Email` stands twice; first on line 15" } },
	{ "column twice, by the field's name",
	  "Email = -> email",
	  "Owner.Email = ->\nOwner_Email__c = ->",
	  { "16: the column `owner_email` stands twice; first on line 15" } },
};

static const struct row pairing[] = {
	{ "match: no field",
	  "store = s\n",
	  "store = s\nmatch = ,\n",
	  { "14: match: expected API names" } },
	{ "match: no name",
	  "store = s\n",
	  "store = s\nmatch = Email, E-mail\n",
	  { "14: match: expected a field's API name such as Email or Score__c, not `E-mail`" } },
	{ "match: another's field",
	  "store = s\n",
	  "store = s\nmatch = Email Owner.Email\n",
	  { "14: match: `Owner.Email` is not of the object itself: expected API names of its own "
	    "fields" } },
	{ "match: everything",
	  "store = s\n",
	  "store = s\nmatch = *\n",
	  { "14: match: expected a field's API name such as Email or Score__c, not `*`" } },
	{ "match: a field twice",
	  "store = s\n",
	  "store = s\nmatch = Email,EMAIL\n",
	  { "14: match: the field `EMAIL` stands twice" } },
	{ "match: the key twice",
	  "store = s\n",
	  "store = s\nmatch = Email\nmatch = Phone\n",
	  { "15: the key `match` stands twice; first on line 14" } },
	{ "match: not mapped",
	  "store = s\n",
	  "store = s\nmatch = Phone Email Name\n",
	  { "14: match: `Name` is not mapped, so no column can be compared with it: add it to "
	    "[fields j]",
	    "14: match: `Phone` is not mapped" } },
	{ "match: mapped by a line with a mistake",
	  "store = s\n[fields j]\nEmail = ->",
	  "store = s\nmatch = Email\n[fields j]\nEmail = >",
	  { "16: Email: expected an arrow" } },
	{ "match: the external id",
	  "store = s\n[fields j]",
	  "store = s\nmatch = key__C\nexternal_id = Key__c\n[fields j]\n* = ->",
	  { "14: match: `key__C` is the external_id, which pairs by itself: take it out here" } },
	{ "external_id: no name",
	  "store = s\n",
	  "store = s\nexternal_id = Key c\n",
	  { "14: external_id: expected a field's API name such as Email or Score__c, not `Key "
	    "c`" } },
	{ "external_id: another's field",
	  "store = s\n",
	  "store = s\nexternal_id = Account.Key__c\n",
	  { "14: external_id: `Account.Key__c` is not of the object itself" } },
	{ "external_id: mapped",
	  "store = s\n[fields j]",
	  "store = s\nexternal_id = Key__c\n[fields j]\nKEY__c = ->",
	  { "14: external_id: `Key__c` may not be mapped, as the daemon writes it: take its line "
	    "out of [fields j] (/" } },
	{ "external_id: mapped by a line with a mistake",
	  "store = s\n[fields j]",
	  "store = s\nexternal_id = Key__c\n[fields j]\nKey__c =",
	  { "14: external_id: `Key__c` may not be mapped", "16: Key__c: expected an arrow" } },
	{ "create: word",
	  "store = s\n",
	  "store = s\ncreate = remote\n",
	  { "14: create: expected none, local, salesforce or both, not `remote`" } },
	{ "create: salesforce without a key",
	  "store = s\n[fields j]\nEmail = ->",
	  "store = s\ncreate = salesforce\n[fields j]\nEmail = <->",
	  { "14: create: salesforce needs external_id, a unique external id field by which no "
	    "record is made twice; if the object has none, allow_unsafe_create = yes takes that "
	    "risk" } },
	{ "create: both without a key",
	  "store = s\n[fields j]\nEmail = ->",
	  "store = s\nallow_unsafe_create = no\ncreate = both\n[fields j]\nEmail = <->",
	  { "15: create: both needs external_id" } },
	{ "create: with a key that is none",
	  "store = s\n[fields j]\nEmail = ->",
	  "store = s\nexternal_id = 1\ncreate = both\n[fields j]\nEmail = <->",
	  { "14: external_id: expected a field's API name" } },
	{ "create: records with nothing in them",
	  "store = s\n",
	  "store = s\nexternal_id = Key__c\ncreate = both\n",
	  { "15: create: both makes records, but no field goes up to fill them: map one with <-> "
	    "or <- in [fields j]" } },
	{ "create: records with what a mistake says",
	  "store = s\n[fields j]",
	  "store = s\nexternal_id = Key__c\ncreate = both\n[fields j]\nPhone = <- a-b",
	  { "17: Phone: `a-b` is no plain name" } },
	{ "create: rows with nothing in them, by default",
	  "Email = ->",
	  "Email = <-",
	  { "10: create: rows are made of records, but no field comes down to fill them: map one "
	    "with -> or <-> in [fields j], or set create to none" } },
	{ "create: rows with nothing in them",
	  "store = s\n[fields j]\nEmail = ->",
	  "store = s\nexternal_id = Key__c\ncreate = both\n[fields j]\n* = <-\nEmail = <-",
	  { "15: create: rows are made of records, but no field comes down to fill them: map one "
	    "with -> or <-> in [fields j], or set create to salesforce" } },
	{ "allow_unsafe_create",
	  "store = s\n",
	  "store = s\nallow_unsafe_create = maybe\n",
	  { "14: allow_unsafe_create: expected yes or no, not `maybe`" } },
};

static const struct row several[] = {
	{ "many at once",
	  good,
	  "stray = 1\n"                                /* 1 */
	  "[daemon]\n"                                 /* 2 */
	  "loopback_test = maybe\n"                    /* 3 */
	  "[acount x]\n"                               /* 4 */
	  "nothing = told\n"                           /* 5 */
	  "[account a]\n"                              /* 6 */
	  "login_url = https://login.salesforce.com\n" /* 7 */
	  "flow = soap\n"                              /* 8 */
	  "client_id = x\n"                            /* 9 */
	  "client_secret = " CANARY "\n"               /* 10 */
	  "parallel = 0\n"                             /* 11 */
	  "[job j]\n"                                  /* 12 */
	  "account = b\n"                              /* 13 */
	  "object = Contact\n"                         /* 14 */
	  "store = s\n"                                /* 15 */
	  "every = 5\n"                                /* 16 */
	  "[fields j]\n"                               /* 17 */
	  "Email = <> email\n",                        /* 18 */
	  { "1: stands before the first [section] of its file",
	    "3: loopback_test: expected yes or no",
	    "4: unknown section [acount]; did you mean `account`?",
	    "6: the key `provider` is missing: ",
	    "8: flow: expected web, jwt or client_credentials, not `soap`",
	    "10: client_secret: expected vault",
	    "11: parallel: expected a number from 1 to 25, not `0`",
	    "12: account: there is no [account b]", "12: store: there is no [store s]",
	    "16: every: `5` has no unit", "18: Email: expected an arrow" } },
};

static char *edited(const struct row *row)
{
	const char *at = strstr(good, row->find);

	if (!at)
		fail_msg("%s: `%s` is not in the good conf", row->name, row->find);
	return mem_format("%.*s%s%s", (int)(at - good), good, row->put, at + strlen(row->find));
}

static void check_row(const char *folder, const struct row *row)
{
	CLEANUP_FREE char *text = edited(row);
	struct conf_mistakes mistakes;
	CLEANUP(conf_free) struct conf *conf = NULL;
	size_t wanted = 0;

	scratch_text(folder, "a.conf", text);
	conf = scratch_read(folder, "a.conf", &mistakes);
	while (wanted < MOST_WANTED && row->want[wanted])
		wanted++;
	for (size_t i = 0; i < mistakes.count || i < wanted; i++) {
		CLEANUP_FREE char *got = i < mistakes.count
						 ? scratch_mistake(folder, &mistakes.items[i])
						 : mem_strdup("(nothing)");
		CLEANUP_FREE char *want = i < wanted ? mem_format("a.conf:%s", row->want[i])
						     : mem_strdup("(nothing)");

		if (strncmp(got, want, strlen(want)) != 0)
			fail_msg("%s, message %zu:\n got %s\nwant %s", row->name, i, got, want);
		assert_null(strstr(got, CANARY));
	}
	assert_int_equal(conf == NULL, wanted != 0);
	conf_mistakes_done(&mistakes);
}

static void check_rows(const struct row *rows, size_t count)
{
	char *folder = scratch_new();

	for (size_t i = 0; i < count; i++)
		check_row(folder, &rows[i]);
	scratch_remove(folder);
}

#define TEST_ROWS(rows)                                                                            \
	static void wrong_##rows(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		check_rows(rows, sizeof(rows) / sizeof(rows[0]));                                  \
	}
TEST_ROWS(syntax)
TEST_ROWS(sections)
TEST_ROWS(keys)
TEST_ROWS(flows)
TEST_ROWS(urls)
TEST_ROWS(jobs)
TEST_ROWS(fields)
TEST_ROWS(pairing)
TEST_ROWS(several)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_syntax),  cmocka_unit_test(wrong_sections),
		cmocka_unit_test(wrong_keys),    cmocka_unit_test(wrong_flows),
		cmocka_unit_test(wrong_urls),    cmocka_unit_test(wrong_jobs),
		cmocka_unit_test(wrong_fields),  cmocka_unit_test(wrong_pairing),
		cmocka_unit_test(wrong_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
