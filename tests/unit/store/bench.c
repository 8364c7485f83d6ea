/* bench.c */
#include "bench.h"

static void count_problem(const struct error *problem, void *arg)
{
	struct bench *in = arg;

	assert_int_equal(problem->kind, ERROR_HUMAN);
	in->problems++;
}

void map(struct bench *in, const char *field, const char *column, enum value_type type)
{
	in->fields[in->mapping.count++] = (struct mapping_field){
		.field = (char *)field,
		.column = (char *)column,
		.type = type,
		.scale = 2,
	};
}

int set_up(void **state)
{
	struct bench *in = mem_new(struct bench);

	strcpy(in->dir, "/tmp/leadsync-test-XXXXXX");
	assert_non_null(mkdtemp(in->dir));
	snprintf(in->path, sizeof(in->path), "%s/crm.db", in->dir);
	in->arena = arena_new();
	in->mapping = (struct mapping){ .fields = in->fields, .shares = 1 };
	map(in, "LastName", "last_name", VALUE_TEXT);
	map(in, "Score__c", "score", VALUE_DECIMAL);
	map(in, "Active__c", "active", VALUE_BOOLEAN);
	in->job = (struct store_job){ .name = "contacts",
				      .object = "Contact",
				      .table = "contact",
				      .key = "id",
				      .org_id = "00D1",
				      .instance = "ours",
				      .mapping = &in->mapping,
				      .problem = count_problem,
				      .problem_arg = in };
	*state = in;
	return 0;
}

void shut(struct bench *in)
{
	if (in->session)
		in->store->ops->release(TAKE(in->session));
	store_state_clear(&in->state);
	store_close(TAKE(in->store));
	sqlite3_close(in->look);
	in->look = NULL;
}

int tear_down(void **state)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	struct bench *in = *state;
	char path[80];

	shut(in);
	arena_free(in->arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", in->path, files[i]);
		unlink(path);
	}
	rmdir(in->dir);
	free(in);
	return 0;
}

static sqlite3 *look(struct bench *in)
{
	if (!in->look)
		assert_int_equal(sqlite3_open(in->path, &in->look), SQLITE_OK);
	return in->look;
}

void sql(struct bench *in, const char *text)
{
	char *error = NULL;

	if (sqlite3_exec(look(in), text, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", text, error);
}

const char *ask(struct bench *in, const char *text)
{
	static char answer[600];
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(look(in), text, -1, &s, NULL), SQLITE_OK);
	*answer = '\0';
	if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_text(s, 0))
		snprintf(answer, sizeof(answer), "%s", sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return answer;
}

bool prepare(struct bench *in)
{
	if (!in->store)
		in->store = sqlite_store_open(in->path, &in->err);
	if (!in->store)
		fail_msg("%s", in->err.text);
	if (in->session)
		in->store->ops->release(TAKE(in->session));
	store_state_clear(&in->state);
	in->problems = 0;
	in->session = in->store->ops->prepare(in->store, &in->job, &in->state, &in->err);
	return in->session;
}

void must_prepare(struct bench *in)
{
	if (!prepare(in))
		fail_msg("%s: %s", in->err.code, in->err.text);
}

void begin(struct bench *in)
{
	must(in, in->store->ops->begin(in->session, &in->err), "begin");
}

void commit(struct bench *in)
{
	must(in, in->store->ops->commit(in->session, &in->err), "commit");
}

void must(struct bench *in, bool ok, const char *what)
{
	if (!ok)
		fail_msg("%s: %s: %s", what, in->err.code, in->err.text);
}

struct value text(const char *text)
{
	return (struct value){ text, text ? (uint32_t)strlen(text) : 0 };
}

void link_row(struct bench *in, const char *remote_id, const char *key)
{
	struct store_write write = { .remote_id = remote_id,
				     .puts_link = true,
				     .link = { .found = true, .key = text(key) } };

	begin(in);
	DO(in, write, &write, 1, in->arena);
	commit(in);
}
