/* The rows of cut: whoever is killed at any write, sync or rename leaves one whole state or the
 * other. The system calls are counted here, in the place of the C library's; a child dies at the
 * first, the next one at the second, and so on until one ends untouched. */
#include "fixture.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Where in the call: before it, or with half of it done (all of it, where there are no halves). */
enum moment { BEFORE, HALFWAY, MOMENTS };

enum call { WRITE, PWRITE, SYNC, TRUNCATE, RENAME, UNLINK, CALLS };

static size_t left; /* calls until the end; 0: not counted */
static enum moment moment;
static size_t *seen; /* by each kind of call, in the child that ended untouched too */

static bool dies(enum call call)
{
	if (left == 0)
		return false;
	seen[call]++;
	if (--left != 0)
		return false;
	if (moment == BEFORE)
		kill(getpid(), SIGKILL);
	return true;
}

static long after(long answer, bool dying)
{
	if (dying)
		kill(getpid(), SIGKILL);
	return answer;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	bool dying = dies(WRITE);

	return after(syscall(SYS_write, fd, bytes, dying ? len / 2 : len), dying);
}

/* As large files have it, which is how SQLite asks. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	bool dying = dies(PWRITE);

	return after(syscall(SYS_pwrite64, fd, bytes, dying ? len / 2 : len, at), dying);
}

int fsync(int fd)
{
	bool dying = dies(SYNC);

	return (int)after(syscall(SYS_fsync, fd), dying);
}

int fdatasync(int fd)
{
	bool dying = dies(SYNC);

	return (int)after(syscall(SYS_fdatasync, fd), dying);
}

int ftruncate(int fd, off_t len)
{
	bool dying = dies(TRUNCATE);

	return (int)after(syscall(SYS_ftruncate, fd, len), dying);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	bool dying = dies(RENAME);

	return (int)after(syscall(SYS_renameat, from_folder, from, to_folder, to), dying);
}

int unlinkat(int folder, const char *name, int flags)
{
	bool dying = dies(UNLINK);

	return (int)after(syscall(SYS_unlinkat, folder, name, flags), dying);
}

int unlink(const char *name)
{
	bool dying = dies(UNLINK);

	return (int)after(syscall(SYS_unlink, name), dying);
}

/* What is to be cut: done in a child, then looked at. */
struct deed {
	bool (*run)(const struct place *place, struct error *err);
	void (*look)(const struct place *place, bool ended);
};

static struct keyring *ring_a, *ring_b, *ring_both;

static void copy_file(const struct place *place, const char *from, const char *to)
{
	size_t len;
	CLEANUP_FREE unsigned char *bytes = read_all(PATH_IN(place, from), &len);

	write_file(PATH_IN(place, to), bytes, len);
}

static void keep(const struct place *place)
{
	copy_file(place, "state/state.db", "kept.db");
	copy_file(place, "state/marks", "kept.marks");
	copy_file(place, "seal.key", "kept.key");
}

static void bring_back(const struct place *place)
{
	static const char *const leftovers[] = { "state/state.db-wal", "state/state.db-shm",
						 "state/marks.new", "seal.key.new" };

	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
		unlink(PATH_IN(place, leftovers[i]));
	copy_file(place, "kept.db", "state/state.db");
	copy_file(place, "kept.marks", "state/marks");
	copy_file(place, "kept.key", "seal.key");
}

/* True if it ended before the `n`th call. */
static bool run_until(const struct place *place, const struct deed *deed, size_t n)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct error err;

		memset(seen, 0, CALLS * sizeof(*seen));
		left = n;
		_exit(deed->run(place, &err) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		return false;
	}
	assert_int_equal(status, 0);
	return true;
}

/* Of each kind in `calls` there must have been some, or they went past us. */
static void cut_everywhere(const struct place *place, const struct deed *deed,
			   const enum call *calls, size_t call_count)
{
	for (moment = BEFORE; moment < MOMENTS; moment++) {
		size_t n = 0;
		bool ended;

		do {
			bring_back(place);
			ended = run_until(place, deed, ++n);
			deed->look(place, ended);
		} while (!ended);
		for (size_t i = 0; i < call_count; i++)
			assert_true(seen[calls[i]] > 0);
	}
}

static void fill(const struct place *place)
{
	struct vault *vault = must_open(place, ring_a);
	struct error err;

	set_secret(vault, "one", "hush one");
	put_token(vault, "production", "a1", "r1");
	put_token(vault, "sandbox", "b1", "s1");
	queue(vault, "gone", "t1");
	/* More than a page or two. */
	for (int i = 0; i < 6; i++) {
		char name[20];

		snprintf(name, sizeof(name), "extra-%d", i);
		set_secret(vault, name, "a secret of some length, such as a key in PEM would be");
	}
	assert_true(vault_account_set_asked(vault, "production", 1, &err));
	vault_close(vault);
	keep(place);
}

static void note_key(const char *key_id, size_t count, bool active, void *arg)
{
	size_t *used = arg;

	(void)key_id, (void)active;
	*used += count > 0;
}

static void assert_opens_with(const struct place *place, struct keyring *ring)
{
	struct vault *vault = must_open(place, ring);
	struct error err;

	for (int i = 0; i < 6; i++) {
		char name[20];

		snprintf(name, sizeof(name), "extra-%d", i);
		CLEANUP(secret_free) struct secret *extra = vault_secret_get(vault, name, &err);
		assert_non_null(extra);
	}
	CLEANUP(secret_free) struct secret *one = vault_secret_get(vault, "one", &err);
	assert_non_null(one);
	assert_secret(one, "hush one", 8);
	assert_token(vault, "production", "a1", "r1", 1);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_false(account_of(vault, "production").stale);
	assert_queued(vault, 0, "gone", "t1");
	vault_close(vault);
}

static bool reseal(const struct place *place, struct error *err)
{
	struct vault *vault = vault_open(PATH_IN(place, "state"), ring_a, err);
	size_t count;
	bool done = vault && vault_reseal(vault, ring_both, &count, err);

	vault_close(vault);
	return done;
}

static void look_at_keys(const struct place *place, bool ended)
{
	struct vault *vault;
	struct error err;
	size_t used = 0;
	bool old;

	assert_opens_with(place, ring_both);
	vault = must_open(place, ring_both);
	assert_true(vault_key_list(vault, note_key, &used, &err));
	assert_int_equal(used, 1); /* all as before, or all new */
	vault_close(vault);
	vault = vault_open(PATH_IN(place, "state"), ring_a, &err);
	old = vault != NULL;
	vault_close(vault);
	if (ended)
		assert_false(old);
	assert_opens_with(place, old ? ring_a : ring_b);
	/* Done again, it is done. */
	assert_true(reseal(place, &err) == old);
	assert_opens_with(place, ring_b);
}

static void a_reseal_is_whole(void **state)
{
	static const struct deed deed = { reseal, look_at_keys };
	static const enum call calls[] = { PWRITE, SYNC, TRUNCATE, UNLINK };

	fill(*state);
	cut_everywhere(*state, &deed, calls, sizeof(calls) / sizeof(calls[0]));
}

/* No cmocka in a child: it would go on with the next test. */
static bool put(const struct place *place, const char *account, struct error *err)
{
	struct vault *vault = vault_open(PATH_IN(place, "state"), ring_a, err);
	struct vault_token token = token_of("a2", "r2");
	bool done = vault && vault_token_put(vault, account, &token, err);

	vault_close(vault);
	return done;
}

static bool put_next(const struct place *place, struct error *err)
{
	return put(place, "production", err);
}

static bool put_first(const struct place *place, struct error *err)
{
	return put(place, "first", err);
}

/* As it stands in the file; 0 without one, or without a line. */
static uint64_t mark_of(const struct place *place, const char *account)
{
	size_t len;

	if (access(PATH_IN(place, "state/marks"), F_OK) != 0)
		return 0;
	CLEANUP_FREE unsigned char *text = read_all(PATH_IN(place, "state/marks"), &len);
	CLEANUP_FREE char *start = mem_format("%s ", account);
	const char *line = strstr((char *)text, start);

	return line ? strtoull(line + strlen(start), NULL, 10) : 0;
}

/* 0 without a token. */
static uint64_t generation_of(struct vault *vault, const char *account)
{
	struct vault_token token = { 0 };
	struct error err;
	uint64_t generation;
	bool found;

	if (!vault_token_get(vault, account, &token, &found, &err))
		fail_msg("%s", err.text);
	generation = token.generation;
	vault_token_done(&token);
	return generation;
}

static void look_at_next(const struct place *place, bool ended)
{
	uint64_t mark = mark_of(place, "production"), generation;
	struct vault *vault = must_open(place, ring_a);
	bool is_new;

	generation = generation_of(vault, "production");
	is_new = generation == 2;
	if (ended)
		assert_true(is_new && mark == 2);
	assert_true(mark >= 1 && mark <= generation);
	assert_token(vault, "production", is_new ? "a2" : "a1", is_new ? "r2" : "r1",
		     is_new ? 2 : 1);
	assert_false(account_of(vault, "production").stale);
	assert_int_equal(account_of(vault, "production").asked, is_new ? 0 : 1);
	/* Opening has raised what the killed one could not. */
	assert_int_equal(mark_of(place, "production"), generation);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_false(account_of(vault, "sandbox").stale);
	/* And it goes on. */
	assert_int_equal(put_token(vault, "production", "a3", "r3"), generation + 1);
	vault_close(vault);
}

static void look_at_first(const struct place *place, bool ended)
{
	uint64_t mark = mark_of(place, "first"), generation;
	struct vault *vault = must_open(place, ring_a);

	generation = generation_of(vault, "first");
	assert_true(generation <= 1 && mark <= generation);
	if (ended)
		assert_true(generation == 1 && mark == 1);
	if (generation)
		assert_token(vault, "first", "a2", "r2", 1);
	/* A login is not lost with the mark that came after it. */
	assert_false(account_of(vault, "first").stale);
	assert_int_equal(mark_of(place, "first"), generation);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	assert_false(account_of(vault, "sandbox").stale);
	assert_int_equal(put_token(vault, "first", "a3", "r3"), generation + 1);
	vault_close(vault);
}

static bool put_unmarked(const struct place *place, struct error *err)
{
	unlink(PATH_IN(place, "state/marks"));
	return put(place, "production", err);
}

static void look_at_unmarked(const struct place *place, bool ended)
{
	struct vault *vault;
	bool is_new, is_stale;

	/* Killed before the file was even gone: nothing to look at. */
	if (mark_of(place, "sandbox"))
		return;
	vault = must_open(place, ring_a);
	is_new = generation_of(vault, "production") == 2;
	is_stale = account_of(vault, "production").stale;
	/* What nobody vouched for does not become good by half a put. */
	assert_true(is_new || is_stale);
	assert_true(account_of(vault, "sandbox").stale);
	if (ended)
		assert_true(is_new && !is_stale);
	put_token(vault, "production", "a3", "r3");
	assert_false(account_of(vault, "production").stale);
	vault_close(vault);
}

static void a_put_is_whole(void **state)
{
	static const struct deed next = { put_next, look_at_next },
				 first = { put_first, look_at_first },
				 unmarked = { put_unmarked, look_at_unmarked };
	static const enum call calls[] = { WRITE, PWRITE, SYNC, RENAME, UNLINK };

	fill(*state);
	cut_everywhere(*state, &next, calls, sizeof(calls) / sizeof(calls[0]));
	cut_everywhere(*state, &first, calls, sizeof(calls) / sizeof(calls[0]));
	cut_everywhere(*state, &unmarked, calls, sizeof(calls) / sizeof(calls[0]));
}

static bool disconnect(const struct place *place, struct error *err)
{
	struct vault *vault = vault_open(PATH_IN(place, "state"), ring_a, err);
	bool done = vault && vault_disconnect(vault, "production", 5000, err);

	vault_close(vault);
	return done;
}

static void look_at_connection(const struct place *place, bool ended)
{
	struct vault *vault = must_open(place, ring_a);
	struct vault_account account = account_of(vault, "production");
	uint64_t generation = generation_of(vault, "production");

	if (ended)
		assert_true(account.disconnected);
	assert_int_equal(generation, account.disconnected ? 0 : 1);
	assert_int_equal(account.asked, account.disconnected ? 0 : 1);
	/* What is gone from one place stands in the other. */
	assert_queued(vault, 1, "production", account.disconnected ? "r1" : NULL);
	assert_token(vault, "sandbox", "b1", "s1", 1);
	vault_close(vault);
}

static void a_disconnect_is_whole(void **state)
{
	static const struct deed deed = { disconnect, look_at_connection };
	static const enum call calls[] = { PWRITE, SYNC };

	fill(*state);
	cut_everywhere(*state, &deed, calls, sizeof(calls) / sizeof(calls[0]));
}

static bool add_key(const struct place *place, struct error *err)
{
	return keyring_add_to_file(PATH_IN(place, "seal.key"), PATH_IN(place, "state"), err);
}

static void look_at_key_file(const struct place *place, bool ended)
{
	struct error err;
	CLEANUP(keyring_free)
	struct keyring *ring =
		keyring_load(PATH_IN(place, "seal.key"), PATH_IN(place, "state"), &err);

	assert_non_null(ring);
	assert_true(keyring_has(ring, keyring_active_id(ring_b)));
	if (ended)
		assert_string_not_equal(keyring_active_id(ring), keyring_active_id(ring_b));
	assert_true(add_key(place, &err));
}

static void a_key_file_is_whole(void **state)
{
	static const struct deed deed = { add_key, look_at_key_file };
	static const enum call calls[] = { WRITE, SYNC, RENAME, UNLINK };

	fill(*state);
	cut_everywhere(*state, &deed, calls, sizeof(calls) / sizeof(calls[0]));
}

static int load_rings(void **state)
{
	make_place(state);
	ring_a = ring_of(*state, KEY_A);
	ring_both = ring_of(*state, KEY_B "\n" KEY_A);
	ring_b = ring_of(*state, KEY_B);
	seen = mmap(NULL, CALLS * sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	assert_true(seen != MAP_FAILED);
	return 0;
}

static int drop_rings(void **state)
{
	keyring_free(ring_a);
	keyring_free(ring_b);
	keyring_free(ring_both);
	munmap(seen, CALLS * sizeof(*seen));
	return drop_place(state);
}

#define cut(test) cmocka_unit_test_setup_teardown(test, load_rings, drop_rings)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cut(a_reseal_is_whole),
		cut(a_put_is_whole),
		cut(a_disconnect_is_whole),
		cut(a_key_file_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
