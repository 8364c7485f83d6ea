#include "conf/keys.h"

#include <string.h>

#include "conf/conf.h"

const struct conf_section_row conf_sections[CONF_SECTION_COUNT] = {
	[CONF_DAEMON] = { "daemon", NULL, "The program itself. May be left out." },
	[CONF_ACCOUNT] = { "account", "production", "One login at a provider." },
	[CONF_STORE] = { "store", "crm", "A SQL database with people in it." },
	[CONF_JOB] = { "job", "contacts",
		       "One remote object and the table that is kept equal to it. Each needs a "
		       "[fields] section of the same name." },
	[CONF_FIELDS] = { "fields", "contacts",
			  "What is kept in which column: Field = -> column from Salesforce to the "
			  "table, <- the other way, <-> both ways. Without a column its name is "
			  "the field's in snake_case; `*` is every field without a line of its "
			  "own. "
			  "Options follow behind commas: conflict = RULE (of a <->, instead of the "
			  "job's), blank = clear, keep or fill." },
};

static const struct conf_word log_levels[] = {
	{ "error", LOG_LEVEL_ERR },     { "warning", LOG_LEVEL_WARNING },
	{ "notice", LOG_LEVEL_NOTICE }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },   { 0 },
};
static const struct conf_word providers[] = { { "salesforce", CONF_SALESFORCE }, { 0 } };
static const struct conf_word drivers[] = { { "sqlite", CONF_SQLITE }, { 0 } };
static const struct conf_word flows[] = {
	{ "web", CONF_FLOW_WEB },
	{ "jwt", CONF_FLOW_JWT },
	{ "client_credentials", CONF_FLOW_CLIENT_CREDENTIALS },
	{ 0 },
};
static const struct conf_word conflicts[] = {
	{ "salesforce", CONF_CONFLICT_SALESFORCE }, { "local", CONF_CONFLICT_LOCAL },
	{ "newest", CONF_CONFLICT_NEWEST },         { "nonblank", CONF_CONFLICT_NONBLANK },
	{ "manual", CONF_CONFLICT_MANUAL },         { 0 },
};
static const struct conf_word creates[] = {
	{ "none", CONF_CREATE_NONE },
	{ "local", CONF_CREATE_LOCAL },
	{ "salesforce", CONF_CREATE_SALESFORCE },
	{ "both", CONF_CREATE_BOTH },
	{ 0 },
};
static const struct conf_word on_remote_deletes[] = {
	{ "keep", CONF_DELETE_KEEP },
	{ "mark", CONF_DELETE_MARK },
	{ "delete", CONF_DELETE_ROW },
	{ 0 },
};
static const struct conf_word on_local_deletes[] = {
	{ "keep", CONF_LOCAL_DELETE_KEEP },
	{ "delete", CONF_LOCAL_DELETE_RECORD },
	{ 0 },
};

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* What the kernel takes as the path of a Unix socket, and of a file. */
#define SOCKET_PATH_MOST 107
#define PATH_MOST        4095

#define AT_DAEMON(field)  offsetof(struct conf_daemon, field)
#define AT_ACCOUNT(field) offsetof(struct conf_account, field)
#define AT_STORE(field)   offsetof(struct conf_store, field)
#define AT_JOB(field)     offsetof(struct conf_job, field)

const struct conf_key conf_keys[] = {
	{ CONF_DAEMON, "state_dir", CONF_KIND_PATH, AT_DAEMON(state_dir),
	  .preset = "/var/lib/leadsyncd", .max = PATH_MOST,
	  .help = "Where the daemon keeps its sealed tokens; nobody else's business (mode 0700)." },
	{ CONF_DAEMON, "control", CONF_KIND_PATH, AT_DAEMON(control),
	  .preset = "/run/leadsync.sock", .max = SOCKET_PATH_MOST,
	  .help = "The socket on which the leadsync command talks to the daemon." },
	{ CONF_DAEMON, "seal_key", CONF_KIND_SEAL_KEY, AT_DAEMON(seal_key),
	  .preset = "credential:leadsyncd.key",
	  .help = "The key that seals the vault: credential:NAME is a systemd credential, "
		  "file:/PATH a file made with `leadsync key init`, never below state_dir." },
	{ CONF_DAEMON, "log_level", CONF_KIND_WORD, AT_DAEMON(log_level), .preset = "info",
	  .words = log_levels, .help = "The least important events that are still logged." },
	{ CONF_DAEMON, "loopback_test", CONF_KIND_FLAG, AT_DAEMON(loopback_test), .preset = "no",
	  .help = "For tests only: admits plain http to 127.0.0.1 and [::1]." },
	{ CONF_DAEMON, "hook", CONF_KIND_PROGRAM, AT_DAEMON(hook), .max = PATH_MOST,
	  .example = "/usr/local/sbin/leadsyncd-hook",
	  .help = "A program to be run, without a shell and without arguments, whenever an account "
		  "or a job stops, goes on or moves; what happened is in its environment." },

	{ CONF_ACCOUNT, "provider", CONF_KIND_WORD, AT_ACCOUNT(provider), .required = true,
	  .example = "salesforce", .words = providers, .help = "Whose login this is." },
	{ CONF_ACCOUNT, "login_url", CONF_KIND_LOGIN_URL, AT_ACCOUNT(login_url), .required = true,
	  .example = "https://acme.my.salesforce.com",
	  .help = "Where to log in: the org's own host, as Setup shows it under My Domain; or "
		  "https://login.salesforce.com for production and https://test.salesforce.com for "
		  "a sandbox, which client_credentials cannot use." },
	{ CONF_ACCOUNT, "flow", CONF_KIND_WORD, AT_ACCOUNT(flow), .required = true,
	  .example = "client_credentials", .words = flows,
	  .help = "How tokens are obtained. jwt: signed with the app's private key, best for a "
		  "server; client_credentials: with the app's id and secret; web: once by a person "
		  "at a browser, with `leadsync connect`." },
	{ CONF_ACCOUNT, "client_id", CONF_KIND_TEXT, AT_ACCOUNT(client_id), .required = true,
	  .example = "3MVG9.example", .max = 512, .help = "The app's consumer key." },
	{ CONF_ACCOUNT, "client_secret", CONF_KIND_SECRET, AT_ACCOUNT(client_secret),
	  .flows = CONF_IN(CONF_FLOW_WEB) | CONF_IN(CONF_FLOW_CLIENT_CREDENTIALS),
	  .needed_in = CONF_IN(CONF_FLOW_CLIENT_CREDENTIALS), .example = "vault",
	  .help = "Where the app's consumer secret is, never the secret itself; for web only if "
		  "the app has one. vault: typed in once with `leadsync secret set ACCOUNT`; "
		  "vault:NAME: under another name; credential:NAME: a systemd credential; "
		  "file:/PATH: a file of mode 0600." },
	{ CONF_ACCOUNT, "redirect_uri", CONF_KIND_REDIRECT_URI, AT_ACCOUNT(redirect_uri),
	  .flows = CONF_IN(CONF_FLOW_WEB), .preset = "http://localhost:8717/callback", .max = 2000,
	  .help = "Where the browser takes the answer of a login: one of the app's callback URLs, "
		  "to the letter, and no other account's." },
	{ CONF_ACCOUNT, "username", CONF_KIND_USERNAME, AT_ACCOUNT(username),
	  .flows = CONF_IN(CONF_FLOW_JWT), .needed_in = CONF_IN(CONF_FLOW_JWT),
	  .example = "sync@acme.example", .max = 80,
	  .help = "The Salesforce user in whose name is synced; the app must be approved for "
		  "them." },
	{ CONF_ACCOUNT, "private_key", CONF_KIND_PRIVATE_KEY, AT_ACCOUNT(private_key),
	  .flows = CONF_IN(CONF_FLOW_JWT), .needed_in = CONF_IN(CONF_FLOW_JWT), .example = "vault",
	  .help = "Where the RSA key is whose certificate the app has, never the key itself. "
		  "vault: handed in once with `leadsync secret set ACCOUNT < KEY.pem`; the others "
		  "as for client_secret: vault:NAME, credential:NAME, file:/PATH." },
	{ CONF_ACCOUNT, "audience", CONF_KIND_AUDIENCE, AT_ACCOUNT(audience),
	  .flows = CONF_IN(CONF_FLOW_JWT), .example = "https://login.salesforce.com",
	  .help = "Whom the signed request is for, if not the login_url." },
	{ CONF_ACCOUNT, "api_version", CONF_KIND_VERSION, AT_ACCOUNT(api_version), .preset = "66.0",
	  .min = 31, .max = 199, .help = "Of the Salesforce API." },
	{ CONF_ACCOUNT, "proxy", CONF_KIND_PROXY, AT_ACCOUNT(proxy),
	  .example = "http://proxy.example.com:3128",
	  .help = "An HTTP proxy on the way out; the environment's is not looked at." },
	{ CONF_ACCOUNT, "ca_file", CONF_KIND_PATH, AT_ACCOUNT(ca_file), .max = PATH_MOST,
	  .example = "/etc/ssl/certs/ca-certificates.crt",
	  .help = "Certificates to trust instead of the system's." },
	{ CONF_ACCOUNT, "allow_host", CONF_KIND_HOSTS, AT_ACCOUNT(allow_hosts),
	  .example = "acme.my.salesforce.mil",
	  .help = "Hosts (HOST or HOST:PORT) to be spoken to besides those of salesforce.com. "
		  "Several stand with blanks between them, or the key is repeated." },
	{ CONF_ACCOUNT, "session_lifetime", CONF_KIND_DURATION, AT_ACCOUNT(session_lifetime_s),
	  .preset = "2h", .min = 15 * MINUTE, .max = DAY,
	  .help = "The org's session timeout: how long a token is good where the server does not "
		  "say." },
	{ CONF_ACCOUNT, "parallel", CONF_KIND_COUNT, AT_ACCOUNT(parallel), .preset = "4", .min = 1,
	  .max = 25, .help = "Requests under way at once." },

	{ CONF_STORE, "driver", CONF_KIND_WORD, AT_STORE(driver), .required = true,
	  .example = "sqlite", .words = drivers, .help = "The kind of database." },
	{ CONF_STORE, "path", CONF_KIND_PATH, AT_STORE(path), .required = true, .max = PATH_MOST,
	  .example = "/srv/leadsync/crm.db",
	  .help = "The database's file, in a folder to which every program that uses it can "
		  "write." },

	{ CONF_JOB, "account", CONF_KIND_TITLE, AT_JOB(account_name), .required = true,
	  .example = "production", .help = "Which [account]." },
	{ CONF_JOB, "object", CONF_KIND_NAME, AT_JOB(object), .required = true,
	  .example = "Contact", .help = "API name of the object: Contact, Lead, Thing__c." },
	{ CONF_JOB, "store", CONF_KIND_TITLE, AT_JOB(store_name), .required = true,
	  .example = "crm", .help = "Which [store]." },
	{ CONF_JOB, "table", CONF_KIND_TABLE, AT_JOB(table), .example = "contact",
	  .help = "The table; by default the object's name in snake_case. Made if it is not "
		  "there." },
	{ CONF_JOB, "key", CONF_KIND_COLUMN, AT_JOB(key), .preset = "id",
	  .help = "The table's key: a NOT NULL column with unique values." },
	{ CONF_JOB, "match", CONF_KIND_FIELDS, AT_JOB(match), .example = "Email",
	  .help = "How a row and a record that are not linked yet are recognised as the same: all "
		  "of these mapped fields are equal, on exactly one row and one record. Several "
		  "stand with blanks or commas between them." },
	{ CONF_JOB, "external_id", CONF_KIND_FIELD, AT_JOB(external_id),
	  .example = "Leadsync_Key__c",
	  .help = "A unique external id field of the object, text of 32 characters or more, that "
		  "nobody else writes: it makes sure that no record is made twice." },
	{ CONF_JOB, "create", CONF_KIND_WORD, AT_JOB(create), .preset = "local", .words = creates,
	  .help = "What is made where no counterpart is found. local: rows for records; "
		  "salesforce: records for rows, which needs external_id; both." },
	{ CONF_JOB, "allow_unsafe_create", CONF_KIND_FLAG, AT_JOB(allow_unsafe_create),
	  .preset = "no",
	  .help = "Make records even without external_id: one whose answer is lost waits for a "
		  "person." },
	{ CONF_JOB, "conflict", CONF_KIND_WORD, AT_JOB(conflict), .preset = "salesforce",
	  .words = conflicts,
	  .help = "Who wins where both sides of a two-way field changed, or differ when just "
		  "matched; a field's own conflict goes first." },
	{ CONF_JOB, "every", CONF_KIND_DURATION, AT_JOB(every_s), .preset = "5m", .min = 10,
	  .max = 7 * DAY, .help = "Time from one run's start to the next." },
	{ CONF_JOB, "where", CONF_KIND_CONDITION, AT_JOB(where),
	  .example = "MailingCountry = 'France'",
	  .help = "Only the records for which this SOQL condition is true." },
	{ CONF_JOB, "overlap", CONF_KIND_DURATION, AT_JOB(overlap_s), .preset = "10m", .min = 0,
	  .max = HOUR,
	  .help = "How far a run reads back before the last one's end: a record is seen only when "
		  "its transaction commits." },
	{ CONF_JOB, "guard", CONF_KIND_DURATION, AT_JOB(guard_s), .preset = "10s", .min = 0,
	  .max = 5 * MINUTE,
	  .help = "A record that was read longer ago than this is read again before it is written "
		  "to." },
	{ CONF_JOB, "on_remote_delete", CONF_KIND_WORD, AT_JOB(on_remote_delete), .preset = "keep",
	  .words = on_remote_deletes,
	  .help = "What becomes of the row of a deleted record. keep: it stays as it is; mark: its "
		  "IsDeleted column becomes true; delete: it is deleted." },
	{ CONF_JOB, "on_local_delete", CONF_KIND_WORD, AT_JOB(on_local_delete), .preset = "keep",
	  .words = on_local_deletes,
	  .help = "What becomes of the record of a deleted row. keep: it stays as it is; delete: "
		  "it is deleted." },
	{ CONF_JOB, "history", CONF_KIND_DURATION, AT_JOB(history_s), .preset = "30d", .min = HOUR,
	  .max = 3650 * DAY, .help = "How long overwritten values are kept in the ledger." },
};
const size_t conf_key_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

const struct conf_key *conf_key_find(enum conf_section section, const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_keys[i].section == section && strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	return NULL;
}
