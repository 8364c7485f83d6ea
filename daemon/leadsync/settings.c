#include "settings.h"

#include <stdbool.h>
#include <string.h>

#include "json_get.h"

static void print_head(struct json_object *account, FILE *out)
{
	fprintf(out,
		"Settings in Salesforce for account %s\n"
		"  Setup > External Client App Manager > New External Client App, or an app of "
		"yours\n"
		"  (a connected app does as well); then in its OAuth settings:\n",
		json_get_text(account, "name"));
}

static void print_web(struct json_object *account, FILE *out)
{
	bool secret = strcmp(json_get_text(account, "credential"), "none") != 0;

	fprintf(out,
		"    Callback URL                             %s\n"
		"    OAuth scopes                             Manage user data via APIs (api)\n"
		"                                             Perform requests at any time\n"
		"                                             (refresh_token, offline_access)\n"
		"    Require Proof Key for Code Exchange      on (PKCE)\n"
		"    Require secret for Web Server Flow       %s\n"
		"    Require secret for Refresh Token Flow    %s\n"
		"    Enable Refresh Token Rotation            as you like\n"
		"  and in its policies:\n"
		"    Refresh Token Policy                     valid until revoked, or expire if "
		"not\n"
		"                                             used for more than some days\n"
		"    IP Relaxation                            this host's address must be "
		"allowed\n",
		json_get_text(account, "redirect_uri"), secret ? "on" : "off",
		secret ? "on" : "off");
}

static void print_jwt(struct json_object *account, FILE *out)
{
	fprintf(out,
		"    OAuth scopes                             Manage user data via APIs (api)\n"
		"                                             Perform requests at any time\n"
		"    Enable JWT Bearer Flow                   on, with the certificate of the "
		"private\n"
		"                                             key; a pair is made by\n"
		"      openssl req -x509 -newkey rsa:3072 -nodes -days 3650 \\\n"
		"          -subj /CN=leadsyncd -keyout leadsyncd.pem -out leadsyncd.crt\n"
		"  and in its policies:\n"
		"    Permitted Users                          Admin approved users are "
		"pre-authorized,\n"
		"                                             by a profile or permission set of\n"
		"                                             %s\n",
		json_get_text(account, "username"));
}

static void print_client_credentials(FILE *out)
{
	fputs("    OAuth scopes                             Manage user data via APIs (api)\n"
	      "    Enable Client Credentials Flow           on\n"
	      "    Require Proof Key for Code Exchange      off\n"
	      "  and in its policies:\n"
	      "    Enable Client Credentials Flow, Run As   the user leadsyncd shall be\n"
	      "  login_url must be the org's My Domain, as Setup shows it under My Domain\n",
	      out);
}

void settings_print(struct json_object *account, FILE *out)
{
	const char *flow = json_get_text(account, "flow");

	print_head(account, out);
	if (strcmp(flow, "web") == 0)
		print_web(account, out);
	else if (strcmp(flow, "jwt") == 0)
		print_jwt(account, out);
	else
		print_client_credentials(out);
	fprintf(out,
		"  The user needs the permission API Enabled, and field access to what is mapped.\n"
		"  The consumer key belongs into client_id (now %s).\n"
		"  A new app takes up to ten minutes to be known everywhere.\n\n",
		json_get_text(account, "client_id"));
}
