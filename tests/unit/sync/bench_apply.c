/* How fast pages go into a store: all records new, then none changed. Not a test: run by hand.
 *
 *     bench_apply [RECORDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/utc.h"
#include "loop/loop.h"
#include "record/mapping.h"
#include "record/record.h"
#include "record/schema.h"
#include "remote/remote.h"
#include "sync/run.h"
#include "sync/sync_store.h"

#define FIELDS 30
#define PAGE   2000

/* Makes pages up as they are asked for. */
struct source {
	struct remote remote;
	struct loop *loop;
	struct schema *schema;
	struct mapping_rule rules[FIELDS];
	char names[FIELDS][24], columns[FIELDS][24];
	size_t records, at;
	bool changes; /* an increment shows them all */
	char pool[65536];
};
struct remote_call {
	struct source *source;
	struct mapping *mapping;
	remote_schema_fn *schema_done;
	remote_page_fn *page_done;
	void *arg;
	bool empty;
};

static void answer(void *arg)
{
	struct remote_call call = *(struct remote_call *)arg;
	struct source *in = call.source;
	struct record_page *page;
	char text[64];

	free(arg);
	if (call.schema_done) {
		call.schema_done(in->schema, false, utc_now_ms(), NULL, call.arg);
		return;
	}
	page = record_page_new(call.mapping);
	mapping_free(call.mapping);
	for (size_t n = 0; n < PAGE && in->at < in->records && !call.empty; n++, in->at++) {
		struct record *record = record_page_add(page);
		char id[19];

		snprintf(text, sizeof(text), "003%012zu", in->at);
		value_id18(text, 15, id);
		record->id = arena_copy(page->arena, id, 18);
		/* Cheap to make, and different in every record. */
		for (size_t i = 0; i < FIELDS; i++)
			record->values[i] = (struct value){
				in->pool + (in->at * 31 + i * 7) % (sizeof(in->pool) - 16), 14
			};
	}
	page->server_ms = utc_now_ms();
	if (!call.empty && in->at < in->records)
		page->next = mem_strdup("more");
	call.page_done(page, NULL, call.arg);
}

static struct remote_call *start(struct source *in, struct remote_call made)
{
	struct remote_call *call = mem_new(struct remote_call);

	made.source = in;
	*call = made;
	loop_soon(in->loop, answer, call);
	return call;
}

static struct remote_call *do_describe(struct remote *in, const char *object,
				       remote_schema_fn *done, void *arg)
{
	(void)object;
	return start((struct source *)in, (struct remote_call){ .schema_done = done, .arg = arg });
}

static const struct schema *get_schema(struct remote *in, const char *object)
{
	(void)object;
	return ((struct source *)in)->schema;
}

static struct remote_call *do_read(struct remote *in, const struct remote_query *query,
				   remote_page_fn *done, void *arg)
{
	return start((struct source *)in,
		     (struct remote_call){ .page_done = done,
					   .arg = arg,
					   .mapping = mapping_share(query->mapping),
					   .empty = query->order == REMOTE_BY_STAMP &&
						    !((struct source *)in)->changes });
}

static struct remote_call *do_read_more(struct remote *in, struct mapping *mapping,
					const char *next, remote_page_fn *done, void *arg)
{
	(void)next;
	return start((struct source *)in,
		     (struct remote_call){
			     .page_done = done, .arg = arg, .mapping = mapping_share(mapping) });
}

static void do_cancel(struct remote_call *call)
{
	(void)call;
	abort(); /* never asked to */
}

static const char *org_id(struct remote *in)
{
	(void)in;
	return "00D000000000001EAA";
}

static const struct remote_ops ops = { .describe = do_describe,
				       .schema = get_schema,
				       .read = do_read,
				       .read_more = do_read_more,
				       .cancel = do_cancel,
				       .org_id = org_id };

static void ended(const struct run_outcome *outcome, void *arg)
{
	if (outcome->err) {
		fprintf(stderr, "%s\n", outcome->err->text);
		exit(1);
	}
	loop_stop(arg);
}

static double cpu_us(const struct rusage *from, const struct rusage *to)
{
	return (double)(to->ru_utime.tv_sec - from->ru_utime.tv_sec + to->ru_stime.tv_sec -
			from->ru_stime.tv_sec) *
		       1e6 +
	       (double)(to->ru_utime.tv_usec - from->ru_utime.tv_usec + to->ru_stime.tv_usec -
			from->ru_stime.tv_usec);
}

static void measure(struct source *in, const struct run_job *job, bool full, const char *what)
{
	struct run_args args = { .loop = in->loop, .job = job, .instance = "bench", .full = full };
	int64_t before_ms = utc_now_ms(), took_ms;
	struct rusage before, usage;

	in->at = 0;
	getrusage(RUSAGE_SELF, &before);
	run_start(&args, NULL, ended, in->loop);
	loop_run(in->loop);
	took_ms = utc_now_ms() - before_ms;
	getrusage(RUSAGE_SELF, &usage);
	printf("%s: %zu records in %lld ms, %lld a second, CPU %.2f us a record, %ld MiB\n", what,
	       in->records, (long long)took_ms,
	       (long long)((int64_t)in->records * 1000 / (took_ms ? took_ms : 1)),
	       cpu_us(&before, &usage) / (double)in->records, usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	static struct source in = { .remote.ops = &ops };
	char dir[] = "/tmp/leadsync-bench-XXXXXX", path[64];
	struct run_job job;

	in.records = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	in.loop = loop_new();
	for (size_t i = 0; i < sizeof(in.pool); i++)
		in.pool[i] = (char)('a' + (i * i / 7 + i) % 26);
	in.schema = schema_new("Contact");
	for (size_t i = 0; i < FIELDS; i++) {
		snprintf(in.names[i], sizeof(in.names[i]), "Field%zu", i);
		snprintf(in.columns[i], sizeof(in.columns[i]), "field%zu", i);
		in.rules[i] = (struct mapping_rule){ in.names[i], in.columns[i], MAPPING_DOWN, 0 };
		schema_add(in.schema, (struct schema_field){ .name = mem_strdup(in.names[i]),
							     .readable = true,
							     .type = VALUE_TEXT });
	}
	schema_add(in.schema, (struct schema_field){ .name = mem_strdup("SystemModstamp"),
						     .readable = true,
						     .type = VALUE_DATETIME });
	schema_finish(in.schema);
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/crm.db", dir);
	job = (struct run_job){ .name = "bench",
				.object = "Contact",
				.table = "contact",
				.key = "id",
				.rules = in.rules,
				.rule_count = FIELDS,
				.overlap_s = 600,
				.remote = &in.remote,
				.store = sync_store_new(in.loop, "crm", path) };
	measure(&in, &job, false, "new");
	in.changes = true;
	measure(&in, &job, false, "unchanged");
	in.changes = false;
	measure(&in, &job, true, "unchanged, full read with rows compared");
	sync_store_free(job.store);
	printf("%s is left to look at\n", path);
	schema_free(in.schema);
	loop_free(in.loop);
	return 0;
}
