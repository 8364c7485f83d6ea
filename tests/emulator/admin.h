/* admin.h - everything under /_emulator/: what tests ask of the org behind Salesforce's back. */
#pragma once

struct call;

void admin_answer(struct call *call);

/* For the admin files. The caller frees nothing of what these give. */
struct json_object;

void admin_edit(struct call *call, struct json_object *in);
void admin_create(struct call *call, struct json_object *in);
void admin_delete(struct call *call, struct json_object *in);
void admin_undelete(struct call *call, struct json_object *in);
void admin_purge(struct call *call, struct json_object *in);
void admin_merge(struct call *call, struct json_object *in);
void admin_convert(struct call *call, struct json_object *in);
void admin_random(struct call *call, struct json_object *in);

void admin_write_sessions(struct call *call);
void admin_expire_sessions(struct call *call, struct json_object *in);
void admin_set_session_timeout(struct call *call, struct json_object *in);
void admin_revoke(struct call *call, struct json_object *in);
void admin_write_grants(struct call *call);
void admin_write_token_log(struct call *call);
void admin_write_oauth(struct call *call);
void admin_set_oauth(struct call *call, struct json_object *in);
void admin_move_instance(struct call *call, struct json_object *in);

void admin_set_rules(struct call *call, struct json_object *in);
void admin_add_validation(struct call *call, struct json_object *in);
void admin_write_validations(struct call *call);
void admin_clear_validations(struct call *call);
void admin_add_flow(struct call *call, struct json_object *in);
void admin_write_flows(struct call *call);
void admin_clear_flows(struct call *call);
void admin_add_denial(struct call *call, struct json_object *in);
void admin_write_denials(struct call *call);
void admin_clear_denials(struct call *call);
