/* main.c - leadsync-emulator: options, the store, the listening socket, the loop. */
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <getopt.h>
#include <locale.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "app.h"
#include "clock.h"
#include "data.h"
#include "limits.h"
#include "oauth_base.h"
#include "reply.h"
#include "server.h"
#include "session.h"
#include "sfid.h"
#include "store.h"

struct options {
	int64_t port, contacts, leads, session_timeout_s, daily_calls, latency_ms;
	const char *client_id, *client_secret, *username, *password, *jwt_cert, *db, *host,
		*login_host, *tls_cert, *tls_key;
	bool is_public, rotate;
};

static const char usage[] =
	"usage: leadsync-emulator [options]\n"
	"  --port N               0 picks one (the default)\n"
	"  --contacts N           contacts to begin with (default 0)\n"
	"  --leads N              leads to begin with (default 0)\n"
	"  --client-id X          of the connected app\n"
	"  --client-secret Y\n"
	"  --username U           who logs in (default sync@acme.example)\n"
	"  --password P           (default Passw0rd-EXAMPLE)\n"
	"  --redirect-uri URI     a callback of the app; may be repeated\n"
	"                         (default http://localhost:8765/callback)\n"
	"  --public-client        the app demands no secret for codes and refreshes\n"
	"  --rotate               each refresh gives a new refresh token\n"
	"  --jwt-cert FILE        X.509 certificate of the key that signs assertions\n"
	"  --session-timeout S    seconds of idleness a session bears (default 7200)\n"
	"  --daily-calls N        API calls per 24 hours (default 15000)\n"
	"  --latency-ms N         wait before each answer (default 0)\n"
	"  --db FILE              keep the org there; reopened if it exists\n"
	"  --host NAME            name in URLs given out (default 127.0.0.1)\n"
	"  --login-host NAME      host that plays login.salesforce.com: OAuth only\n"
	"  --tls-cert F --tls-key F\n";

static bool read_number(const char *from, int64_t *out)
{
	char *end;
	long long number = strtoll(from, &end, 10);

	if (end == from || *end || number < 0)
		return false;
	*out = number;
	return true;
}

static bool read_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "contacts", required_argument, NULL, 'c' },
		{ "leads", required_argument, NULL, 'l' },
		{ "client-id", required_argument, NULL, 'i' },
		{ "client-secret", required_argument, NULL, 's' },
		{ "username", required_argument, NULL, 'u' },
		{ "password", required_argument, NULL, 'P' },
		{ "redirect-uri", required_argument, NULL, 'R' },
		{ "public-client", no_argument, NULL, 'b' },
		{ "rotate", no_argument, NULL, 'r' },
		{ "jwt-cert", required_argument, NULL, 'j' },
		{ "login-host", required_argument, NULL, 'L' },
		{ "session-timeout", required_argument, NULL, 't' },
		{ "daily-calls", required_argument, NULL, 'd' },
		{ "latency-ms", required_argument, NULL, 'w' },
		{ "db", required_argument, NULL, 'f' },
		{ "host", required_argument, NULL, 'h' },
		{ "tls-cert", required_argument, NULL, 'C' },
		{ "tls-key", required_argument, NULL, 'K' },
		{ NULL, 0, NULL, 0 },
	};
	bool good = true;
	int which;

	while (good && (which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (which) {
		case 'p': good = read_number(optarg, &out->port) && out->port < 65536; break;
		case 'c': good = read_number(optarg, &out->contacts); break;
		case 'l': good = read_number(optarg, &out->leads); break;
		case 't': good = read_number(optarg, &out->session_timeout_s); break;
		case 'd': good = read_number(optarg, &out->daily_calls); break;
		case 'w': good = read_number(optarg, &out->latency_ms); break;
		case 'i': out->client_id = optarg; break;
		case 's': out->client_secret = optarg; break;
		case 'u': out->username = optarg; break;
		case 'P': out->password = optarg; break;
		case 'R': good = app_add_callback(optarg); break;
		case 'b': out->is_public = true; break;
		case 'r': out->rotate = true; break;
		case 'j': out->jwt_cert = optarg; break;
		case 'L': out->login_host = optarg; break;
		case 'f': out->db = optarg; break;
		case 'h': out->host = optarg; break;
		case 'C': out->tls_cert = optarg; break;
		case 'K': out->tls_key = optarg; break;
		default: good = false; break;
		}
	}
	return good && optind == argc && !out->tls_cert == !out->tls_key;
}

static bool open_org(const struct options *options)
{
	bool fresh;

	if (!store_open(options->db, &fresh))
		return false;
	if (fresh)
		data_fill(options->contacts, options->leads);
	store_index();
	clock_set_offset_ms(store_meta("clock_offset_ms", 0));
	session_set_timeout(options->session_timeout_s);
	limits_set_max(options->daily_calls);
	return true;
}

static bool open_app(const struct options *options)
{
	if (!app_has_callback(NULL))
		app_add_callback("http://localhost:8765/callback");
	return app_configure(&(struct app_options){ .client_id = options->client_id,
						    .client_secret = options->client_secret,
						    .username = options->username,
						    .password = options->password,
						    .certificate = options->jwt_cert,
						    .is_public = options->is_public,
						    .rotate = options->rotate });
}

static struct bufferevent *make_tls(struct event_base *base, void *arg)
{
	struct bufferevent *out =
		bufferevent_openssl_socket_new(base, -1, SSL_new(arg), BUFFEREVENT_SSL_ACCEPTING,
					       BEV_OPT_CLOSE_ON_FREE);

	bufferevent_openssl_set_allow_dirty_shutdown(out, 1);
	return out;
}

static bool start_tls(struct evhttp *http, const struct options *options, SSL_CTX *context)
{
	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
	    SSL_CTX_use_certificate_chain_file(context, options->tls_cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, options->tls_key, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "leadsync-emulator: cannot use certificate or key\n");
		return false;
	}
	evhttp_set_bevcb(http, make_tls, context);
	return true;
}

static int bound_port(struct evhttp_bound_socket *bound)
{
	struct sockaddr_in address = { 0 };
	socklen_t length = sizeof(address);

	if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &length) !=
	    0)
		return 0;
	return ntohs(address.sin_port);
}

static void on_signal(evutil_socket_t number, short events, void *arg)
{
	(void)number;
	(void)events;
	event_base_loopbreak(arg);
}

static int serve(struct event_base *base, struct evhttp *http, const struct options *options)
{
	struct evhttp_bound_socket *bound;
	struct event *term, *interrupt;
	const char *scheme = options->tls_cert ? "https" : "http";
	char url[200], login_url[200];

	bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", (ev_uint16_t)options->port);
	if (!bound) {
		fprintf(stderr, "leadsync-emulator: cannot listen on port %lld\n",
			(long long)options->port);
		return 1;
	}
	term = evsignal_new(base, SIGTERM, on_signal, base);
	interrupt = evsignal_new(base, SIGINT, on_signal, base);
	event_add(term, NULL);
	event_add(interrupt, NULL);
	snprintf(url, sizeof(url), "%s://%s:%d", scheme, options->host, bound_port(bound));
	snprintf(login_url, sizeof(login_url), "%s://%s:%d", scheme,
		 options->login_host ? options->login_host : "", bound_port(bound));
	oauth_base_configure(url, options->login_host ? login_url : NULL);
	reply_configure(base, options->latency_ms);
	server_start(http);
	printf("{\"url\":\"%s\",\"org_id\":\"" SFID_ORG "\"}\n", url);
	fflush(stdout);
	event_base_dispatch(base);
	event_free(term);
	event_free(interrupt);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.session_timeout_s = 7200,
		.daily_calls = 15000,
		.client_id = "3MVG9leadsync.EXAMPLE_key",
		.client_secret = "7F00EXAMPLE",
		.username = "sync@acme.example",
		.password = "Passw0rd-EXAMPLE",
		.host = "127.0.0.1",
	};
	struct event_base *base;
	struct evhttp *http;
	SSL_CTX *tls = NULL;
	int status = 1;

	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	setlocale(LC_CTYPE, "C.UTF-8"); /* for comparing text without case */
	signal(SIGPIPE, SIG_IGN);
	if (!open_app(&options) || !open_org(&options))
		return 1;
	base = event_base_new();
	http = evhttp_new(base);
	if (options.tls_cert)
		tls = SSL_CTX_new(TLS_server_method());
	if (!options.tls_cert || start_tls(http, &options, tls))
		status = serve(base, http, &options);
	evhttp_free(http);
	SSL_CTX_free(tls);
	event_base_free(base);
	store_close();
	return status;
}
