/* flows.h - what an account's flow asks of its other keys. */
#pragma once
#include <stdbool.h>

#include "conf/keys.h"

struct conf;
struct conf_block;
struct conf_mistakes;
struct error;

/* The flow as its line says; NULL if the section is no account's, or no flow is said rightly. Then
 * nothing is known of what the other keys should be, and nothing of it is told. */
const struct conf_word *conf_flow_of(const struct conf_block *block);

/* False for a key of other flows; the error's text names them. Any key may stand with NULL. */
bool conf_flow_admits(const struct conf_word *flow, const struct conf_key *key, struct error *err);

bool conf_flow_needs(const struct conf_word *flow, const struct conf_key *key);

/* The generic login hosts know no client_credentials. */
void conf_flow_check_host(const struct conf_block *account, struct conf_mistakes *mistakes);

/* One redirect_uri at two accounts: an answer could be taken for the other's. */
void conf_flows_check_redirects(const struct conf *in, struct conf_mistakes *mistakes);
