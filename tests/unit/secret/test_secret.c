/* The rows of secret: memory that is closed between uses, and the files it may be read from. */
#include "place.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void a_secret_keeps_its_bytes(void **state)
{
	static const char bytes[] = "a\0b\n";
	CLEANUP(secret_free) struct secret *in = secret_new(bytes, 4);
	CLEANUP(secret_free) struct secret *same = secret_new(bytes, 4);
	CLEANUP(secret_free) struct secret *shorter = secret_new(bytes, 3);
	CLEANUP(secret_free) struct secret *other = secret_new("a\0c\n", 4);
	CLEANUP(secret_free) struct secret *empty = secret_new(NULL, 0);
	CLEANUP(secret_free) struct secret *made = NULL;
	char *room;
	size_t len;

	(void)state;
	assert_secret(in, bytes, 4);
	assert_secret(empty, "", 0);
	assert_true(secret_equal(in, same));
	assert_true(secret_equal(in, in));
	assert_false(secret_equal(in, shorter));
	assert_false(secret_equal(in, other));
	assert_false(secret_equal(in, empty));

	made = secret_blank(4, &room);
	assert_memory_equal(room, "\0\0\0\0", 5);
	memcpy(room, bytes, 4);
	secret_close(made);
	assert_true(secret_equal(in, made));

	/* Opens nest: the inner close leaves it readable. */
	assert_ptr_equal(secret_open(in, &len), secret_open(in, &len));
	assert_true(secret_equal(in, same));
	secret_close(in);
	assert_int_equal(secret_open(in, &len)[2], 'b');
	secret_close(in);
	secret_close(in);

	char heap[] = "copy";
	secret_wipe(heap, 4);
	assert_memory_equal(heap, "\0\0\0\0", 4);
	secret_free(NULL);
}

static void random_secrets_are_fresh_and_url_safe(void **state)
{
	static const struct {
		size_t bytes, len;
	} rows[] = { { 0, 0 }, { 1, 2 }, { 2, 3 }, { 3, 4 }, { 32, 43 }, { 96, 128 } };
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789-_";
	bool seen[256] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(secret_free) struct secret *in = secret_random(rows[i].bytes);
		size_t len;
		const char *text = secret_open(in, &len);

		assert_int_equal(len, rows[i].len);
		assert_int_equal(strlen(text), len);
		assert_int_equal(strspn(text, alphabet), len);
		secret_close(in);
	}
	/* Every letter comes up in 64 KiB of them, and no two are the same. */
	CLEANUP(secret_free) struct secret *many = secret_random(49152);
	CLEANUP(secret_free) struct secret *more = secret_random(49152);
	size_t len;
	const char *text = secret_open(many, &len);

	for (size_t i = 0; i < len; i++)
		seen[(unsigned char)text[i]] = true;
	secret_close(many);
	for (const char *letter = alphabet; *letter; letter++)
		assert_true(seen[(unsigned char)*letter]);
	assert_false(secret_equal(many, more));
}

static void hashes_are_those_of_s256(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		/* RFC 7636, appendix B. */
		{ "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
		  "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" },
		/* FIPS 180-2: e3b0c442... and ba7816bf..., in base64url. */
		{ "", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" },
		{ "abc", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP(secret_free)
		struct secret *in = secret_new(rows[i].text, strlen(rows[i].text));
		CLEANUP_FREE char *got = secret_sha256(in);

		assert_string_equal(got, rows[i].want);
	}
}

enum misuse { READ_CLOSED, READ_AFTER_INNER_CLOSES, WRITE_OPEN, CLOSE_TWICE };

static void do_misuse(enum misuse what)
{
	struct secret *in = secret_new("hush", 4);
	size_t len;
	volatile char *bytes = (volatile char *)secret_open(in, &len);

	if (what == READ_AFTER_INNER_CLOSES) {
		secret_open(in, &len);
		secret_close(in);
	}
	if (what != WRITE_OPEN)
		secret_close(in);
	if (what == CLOSE_TWICE)
		secret_close(in);
	else if (what == WRITE_OPEN)
		*bytes = 'x';
	else
		(void)*bytes;
}

static void misuse_ends_the_process(void **state)
{
	static const struct {
		enum misuse what;
		int signal;
	} rows[] = {
		{ READ_CLOSED, SIGSEGV },
		{ READ_AFTER_INNER_CLOSES, SIGSEGV },
		{ WRITE_OPEN, SIGSEGV },
		{ CLOSE_TWICE, SIGABRT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
			signal(SIGSEGV, SIG_DFL);
			signal(SIGABRT, SIG_DFL);
			do_misuse(rows[i].what);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != rows[i].signal)
			fail_msg("row %zu: status %x", i, status);
	}
}

static void descriptors_are_read_to_the_end(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: refused */
		const char *code;
	} rows[] = {
		{ "word", "word", NULL },       { "word\n", "word", NULL },
		{ "word\n\n", "word\n", NULL }, { " two words \r\n", " two words \r", NULL },
		{ "", NULL, "empty-secret" },   { "\n", NULL, "empty-secret" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], rows[i].text, strlen(rows[i].text)),
				 strlen(rows[i].text));
		close(ends[1]);
		CLEANUP(secret_free)
		struct secret *got = secret_read_fd(ends[0], "standard input", &err);
		close(ends[0]);
		if (rows[i].want) {
			assert_non_null(got);
			assert_secret(got, rows[i].want, strlen(rows[i].want));
		} else {
			assert_null(got);
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_string_equal(err.code, rows[i].code);
			assert_non_null(strstr(err.text, "standard input"));
		}
	}
}

static void length_has_a_limit(void **state)
{
	const char *path = PATH_IN(*state, "long");
	CLEANUP_FREE char *bytes = mem_zeroed(1, SECRET_LONGEST + 1);
	struct error err;

	memset(bytes, 'x', SECRET_LONGEST + 1);
	write_file(path, bytes, SECRET_LONGEST);
	CLEANUP(secret_free) struct secret *longest = secret_read_file(path, &err);
	assert_non_null(longest);
	assert_secret(longest, bytes, SECRET_LONGEST);
	write_file(path, bytes, SECRET_LONGEST + 1);
	assert_null(secret_read_file(path, &err));
	assert_string_equal(err.code, "secret-too-long");
}

static void unsafe_files_are_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool ok;
	} modes[] = {
		{ 0600, true },  { 0400, true },  { 0700, true },  { 0640, false },
		{ 0604, false }, { 0620, false }, { 0601, false }, { 0644, false },
	};
	struct place *place = *state;
	const char *path = PATH_IN(place, "secret"), *link = PATH_IN(place, "link"),
		   *fifo = PATH_IN(place, "fifo"), *none = PATH_IN(place, "none");
	struct error err;
	char remedy[400];

	write_file(path, "hush\n", 5);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i].mode), 0);
		CLEANUP(secret_free) struct secret *got = secret_read_file(path, &err);
		if (!modes[i].ok) {
			assert_null(got);
			assert_int_equal(err.kind, ERROR_HUMAN);
			assert_string_equal(err.code, "unsafe-file");
			snprintf(remedy, sizeof(remedy), "chmod 600 %s", path);
			assert_non_null(strstr(err.text, remedy));
		} else {
			assert_non_null(got);
			assert_secret(got, "hush", 4);
		}
	}
	assert_int_equal(chmod(path, 0600), 0);

	assert_int_equal(symlink("secret", link), 0);
	assert_null(secret_read_file(link, &err));
	assert_string_equal(err.code, "unsafe-file");
	assert_non_null(strstr(err.text, "symbolic link"));

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_null(secret_read_file(fifo, &err));
	assert_string_equal(err.code, "unsafe-file");
	assert_null(secret_read_file(place->folder, &err));
	assert_string_equal(err.code, "unsafe-file");
	assert_null(secret_read_file(none, &err));
	assert_string_equal(err.code, "no-secret-file");
	assert_non_null(strstr(err.text, none));

	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_null(secret_read_file(path, &err));
		assert_string_equal(err.code, "unsafe-file");
		assert_non_null(strstr(err.text, "user 12345"));
		assert_non_null(strstr(err.text, "chown 0 "));
	}
}

static void credentials_are_found(void **state)
{
	static const char *const names[] = { "", ".", "..", "a/b", "/etc/passwd" };
	struct place *place = *state;
	const char *path = PATH_IN(place, "db.password");
	struct error err;

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(secret_read_credential("db.password", &err));
	assert_string_equal(err.code, "no-credential");
	assert_non_null(strstr(err.text, "LoadCredentialEncrypted=db.password"));

	setenv("CREDENTIALS_DIRECTORY", place->folder, 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_null(secret_read_credential(names[i], &err));
		assert_string_equal(err.code, "no-credential");
	}
	assert_null(secret_read_credential("db.password", &err));
	assert_string_equal(err.code, "no-secret-file");
	write_file(path, "hush\n", 5);
	/* What an ACL for the service's user looks like. */
	assert_int_equal(chmod(path, 0440), 0);
	CLEANUP(secret_free) struct secret *got = secret_read_credential("db.password", &err);
	assert_non_null(got);
	assert_secret(got, "hush", 4);
	assert_int_equal(chmod(path, 0444), 0);
	assert_null(secret_read_credential("db.password", &err));
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* A shortage of the machine's is no fault of the file's: waiting mends it, and nobody has to act. */
static void a_shortage_is_tried_again(void **state)
{
	struct place *place = *state;
	const char *path = PATH_IN(place, "secret");
	struct rlimit before, none;
	/* Nothing is mapped at its start: EIO. */
	int unreadable = open("/proc/self/mem", O_RDONLY), folder = open(place->folder, O_RDONLY);
	struct error err;

	write_file(path, "hush\n", 5);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	setenv("CREDENTIALS_DIRECTORY", place->folder, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	struct secret *by_file = secret_read_file(path, &err);
	struct error by_credential_err;
	struct secret *by_credential = secret_read_credential("secret", &by_credential_err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(by_file);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "secret-not-read");
	assert_non_null(strstr(err.text, path));
	assert_null(by_credential);
	assert_int_equal(by_credential_err.kind, ERROR_RETRY);

	assert_null(secret_read_fd(unreadable, "memory", &err));
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.code, "secret-not-read");
	assert_null(secret_read_fd(folder, "a folder", &err));
	assert_int_equal(err.kind, ERROR_HUMAN);
	assert_string_equal(err.code, "no-secret-file");
	close(unreadable);
	close(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(random_secrets_are_fresh_and_url_safe),
		in_place(hashes_are_those_of_s256),
		in_place(a_secret_keeps_its_bytes),
		in_place(misuse_ends_the_process),
		in_place(descriptors_are_read_to_the_end),
		in_place(length_has_a_limit),
		in_place(unsafe_files_are_refused),
		in_place(credentials_are_found),
		in_place(a_shortage_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
