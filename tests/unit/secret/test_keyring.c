/* The rows of keyring: key files taken and refused, and records that open only where they belong.
 */
#include "place.h"

#include <dirent.h>
#include <sys/file.h>

#include "secret/keyring.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"
#define HEX_C "0f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_D "1f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_E "2f0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/* HEX_A, upper case and as base64; and a raw key that ends like a line. */
#define UPPER_A  "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define BASE64_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define RAW_A                                                                                      \
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"                         \
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
#define RAW_NEWLINE                                                                                \
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"                         \
	"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x0a"

struct bytes {
	const char *at;
	size_t len;
};
#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static struct keyring *load(struct place *place, const char *bytes, size_t len, struct error *err)
{
	write_file(PATH_IN(place, "seal.key"), bytes, len);
	return keyring_load(PATH_IN(place, "seal.key"), PATH_IN(place, "state"), err);
}

static struct keyring *must_load(struct place *place, const char *text)
{
	struct error err;
	struct keyring *ring = load(place, text, strlen(text), &err);

	if (!ring)
		fail_msg("%s", err.text);
	return ring;
}

static void key_files_are_read(void **state)
{
	static const struct {
		const char *name;
		struct bytes file;
		bool is_a; /* the active key is HEX_A */
	} rows[] = {
		{ "hex", BYTES(HEX_A "\n"), true },
		{ "hex, no newline", BYTES(HEX_A), true },
		{ "upper case", BYTES(UPPER_A "\n"), true },
		{ "base64", BYTES(BASE64_A "\n"), true },
		{ "base64, no newline", BYTES(BASE64_A), true },
		{ "raw", BYTES(RAW_A), true },
		{ "raw, ending like a line", BYTES(RAW_NEWLINE), false },
		{ "two, mixed", BYTES(BASE64_A "\n" HEX_B "\n"), true },
		{ "two, the other first", BYTES(HEX_B "\n" HEX_A), false },
		{ "four", BYTES(HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D "\n"), true },
	};
	/* BLAKE2b-256 of the bytes 00 to 1f, its first eight. */
	static const char id_a[] = "cb2f5160fc1f7e05";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;
		CLEANUP(keyring_free)
		struct keyring *ring = load(*state, rows[i].file.at, rows[i].file.len, &err);

		if (!ring)
			fail_msg("%s: %s", rows[i].name, err.text);
		if ((strcmp(keyring_active_id(ring), id_a) == 0) != rows[i].is_a)
			fail_msg("%s: %s", rows[i].name, keyring_active_id(ring));
	}
}

static void bad_key_files_are_refused(void **state)
{
	static const struct {
		const char *name;
		struct bytes file;
		const char *code, *text;
	} rows[] = {
		{ "empty", BYTES(""), "empty-secret", "is empty" },
		{ "newline", BYTES("\n"), "bad-key", "line 1" },
		{ "short hex", BYTES("0011\n"), "bad-key", "expected 64 hex digits" },
		{ "63 hex", { HEX_A, 63 }, "bad-key", "line 1" },
		{ "65 hex", BYTES(HEX_A "0"), "bad-key", "line 1" },
		{ "not hex",
		  BYTES("g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
		  "bad-key", "line 1" },
		{ "carriage return", BYTES(HEX_A "\r\n"), "bad-key", "line 1" },
		{ "space before", BYTES(" " HEX_A), "bad-key", "line 1" },
		{ "comment", BYTES("# key\n" HEX_A), "bad-key", "line 1" },
		{ "blank between", BYTES(HEX_A "\n\n" HEX_B), "bad-key", "line 2" },
		{ "second is bad", BYTES(HEX_A "\nnothing\n"), "bad-key", "line 2" },
		{ "base64 of 31", BYTES("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="), "bad-key",
		  "line 1" },
		{ "base64 url", BYTES("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBka-_wdHh8="), "bad-key",
		  "line 1" },
		{ "base64, loose bits", BYTES("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="),
		  "bad-key", "line 1" },
		{ "raw 31", { RAW_A, 31 }, "bad-key", "line 1" },
		{ "raw 33", { RAW_A "\xff", 33 }, "bad-key", "line 1" },
		{ "password of 32", BYTES("correct horse battery staple 123"), "bad-key",
		  "line 1" },
		{ "zeros",
		  BYTES("0000000000000000000000000000000000000000000000000000000000000000"),
		  "bad-key", "over and over" },
		{ "same twice", BYTES(HEX_A "\n" HEX_B "\n" HEX_A "\n"), "bad-key",
		  "keys 1 and 3 are the same" },
		{ "same in two forms", BYTES(HEX_A "\n" BASE64_A "\n"), "bad-key",
		  "keys 1 and 2 are the same" },
		{ "five", BYTES(HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D "\n" HEX_E "\n"), "bad-key",
		  "more than 4" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;
		CLEANUP(keyring_free)
		struct keyring *ring = load(*state, rows[i].file.at, rows[i].file.len, &err);

		if (ring)
			fail_msg("%s: was taken", rows[i].name);
		if (err.kind != ERROR_HUMAN || strcmp(err.code, rows[i].code) != 0 ||
		    !strstr(err.text, rows[i].text) || !strstr(err.text, "seal.key"))
			fail_msg("%s: %s: %s", rows[i].name, err.code, err.text);
	}
}

static void sources_are_checked(void **state)
{
	struct place *place = *state;
	const char *key = PATH_IN(place, "seal.key"), *dir = PATH_IN(place, "state"),
		   *inside = PATH_IN(place, "state/seal.key"),
		   *sideways = PATH_IN(place, "state/../state/seal.key"),
		   *sub = PATH_IN(place, "state/sub"), *link = PATH_IN(place, "link"),
		   *by_link = PATH_IN(place, "link/seal.key"),
		   *like = PATH_IN(place, "state-of-affairs"),
		   *beside = PATH_IN(place, "state-of-affairs/seal.key");
	const char *const below[] = { inside, sideways, by_link };
	static const char *const bad[] = { "", "seal.key", "file:seal.key", "vault", "file:" };
	struct error err;

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_int_equal(mkdir(like, 0700), 0);
	assert_int_equal(symlink("state/sub", link), 0);
	write_file(key, HEX_A, 64);
	write_file(inside, HEX_A, 64);
	write_file(by_link, HEX_A, 64);
	write_file(beside, HEX_A, 64);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(keyring_load(bad[i], dir, &err));
		assert_string_equal(err.code, "bad-key-source");
	}
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		assert_null(keyring_load(below[i], dir, &err));
		assert_string_equal(err.code, "key-below-state");
		assert_non_null(strstr(err.text, below[i]));
	}
	/* The state directory may be a link itself. */
	assert_null(keyring_load(by_link, link, &err));
	assert_string_equal(err.code, "key-below-state");

	keyring_free(keyring_load(beside, dir, &err));
	CLEANUP_FREE char *as_file = mem_format("file:%s", key);
	CLEANUP(keyring_free) struct keyring *by_file = keyring_load(as_file, dir, &err);
	assert_non_null(by_file);

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_null(keyring_load("credential:seal.key", dir, &err));
	assert_string_equal(err.code, "no-credential");
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_null(keyring_load("credential:seal.key", dir, &err));
	assert_string_equal(err.code, "key-below-state");
	setenv("CREDENTIALS_DIRECTORY", place->folder, 1);
	CLEANUP(keyring_free)
	struct keyring *by_credential = keyring_load("credential:seal.key", dir, &err);
	assert_non_null(by_credential);
	unsetenv("CREDENTIALS_DIRECTORY");

	assert_int_equal(chmod(key, 0644), 0);
	assert_null(keyring_load(key, dir, &err));
	assert_non_null(strstr(err.text, "chmod 600"));
}

static void key_files_are_made_once(void **state)
{
	struct place *place = *state;
	const char *key = PATH_IN(place, "seal.key"), *dir = PATH_IN(place, "state"),
		   *inside = PATH_IN(place, "state/seal.key"),
		   *nowhere = PATH_IN(place, "none/seal.key"), *other = PATH_IN(place, "b.key");
	struct error err;
	struct stat st;

	/* Before there is a state directory, too. */
	if (!keyring_make_file(key, dir, &err))
		fail_msg("%s", err.text);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	CLEANUP(keyring_free) struct keyring *ring = keyring_load(key, dir, &err);
	assert_non_null(ring);

	assert_false(keyring_make_file(key, dir, &err));
	assert_string_equal(err.code, "key-exists");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_false(keyring_make_file(inside, dir, &err));
	assert_string_equal(err.code, "key-below-state");
	assert_int_equal(access(inside, F_OK), -1);
	assert_false(keyring_make_file(nowhere, dir, &err));

	assert_true(keyring_make_file(other, dir, &err));
	CLEANUP(keyring_free) struct keyring *second = keyring_load(other, dir, &err);
	assert_non_null(second);
	assert_string_not_equal(keyring_active_id(ring), keyring_active_id(second));
}

static size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len = read(fd, text, size - 1);

	close(fd);
	assert_true(len >= 0);
	text[len] = '\0';
	return (size_t)len;
}

/* How many entries its folder has. */
static size_t count_entries(const struct place *place)
{
	struct dirent **list;
	int count = scandir(place->folder, &list, NULL, NULL);

	assert_true(count >= 2);
	for (int i = 0; i < count; i++)
		free(list[i]);
	free(list);
	return (size_t)count - 2; /* without . and .. */
}

static void a_key_is_added_before_the_others(void **state)
{
	static const struct {
		const char *name;
		struct bytes file;
		const char *rest; /* what stands behind the new key's line */
	} rows[] = {
		{ "hex", BYTES(HEX_A "\n"), HEX_A "\n" },
		{ "no newline", BYTES(HEX_A), HEX_A "\n" },
		{ "base64", BYTES(BASE64_A "\n"), HEX_A "\n" },
		{ "raw", BYTES(RAW_A), HEX_A "\n" },
		{ "three", BYTES(HEX_B "\n" BASE64_A "\n" HEX_C),
		  HEX_B "\n" HEX_A "\n" HEX_C "\n" },
	};
	struct place *place = *state;
	const char *key = PATH_IN(place, "seal.key"), *dir = PATH_IN(place, "state");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[400];
		struct error err;
		struct stat st;
		CLEANUP(keyring_free)
		struct keyring *before = load(place, rows[i].file.at, rows[i].file.len, &err);

		/* What a crash left behind is in nobody's way. */
		write_file(PATH_IN(place, "seal.key.new"), "half", 4);
		assert_int_equal(chmod(key, 0400), 0);
		if (!keyring_add_to_file(key, dir, &err))
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_int_equal(stat(key, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0400);
		assert_int_equal(count_entries(place), 1);
		assert_int_equal(read_text(key, text, sizeof(text)), 65 + strlen(rows[i].rest));
		assert_int_equal(strspn(text, "0123456789abcdef"), 64);
		assert_string_equal(text + 65, rows[i].rest);
		CLEANUP(keyring_free) struct keyring *after = keyring_load(key, dir, &err);
		assert_non_null(after);
		assert_string_not_equal(keyring_active_id(after), keyring_active_id(before));
		assert_true(keyring_has(after, keyring_active_id(before)));
		assert_true(keyring_has(after, keyring_active_id(after)));
		assert_false(keyring_has(before, keyring_active_id(after)));
		assert_int_equal(chmod(key, 0600), 0);
	}
}

static void an_owner_stays_the_owner(void **state)
{
	struct place *place = *state;
	const char *key = PATH_IN(place, "seal.key"), *dir = PATH_IN(place, "state");
	gid_t group = geteuid() == 0 ? 12345 : getegid();
	struct error err;
	struct stat st;

	write_file(key, HEX_A, 64);
	assert_int_equal(chown(key, (uid_t)-1, group), 0);
	assert_true(keyring_add_to_file(key, dir, &err));
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, group);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void files_that_take_no_key_stay_as_they_are(void **state)
{
	static const struct {
		const char *name;
		struct bytes file;
		mode_t mode;
		const char *code;
	} rows[] = {
		{ "four", BYTES(HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D "\n"), 0600,
		  "too-many-keys" },
		{ "five", BYTES(HEX_A "\n" HEX_B "\n" HEX_C "\n" HEX_D "\n" HEX_E "\n"), 0600,
		  "bad-key" },
		{ "no key", BYTES("hello\n"), 0600, "bad-key" },
		{ "empty", BYTES(""), 0600, "empty-secret" },
		{ "open to others", BYTES(HEX_A "\n"), 0640, "unsafe-file" },
	};
	struct place *place = *state;
	const char *key = PATH_IN(place, "seal.key"), *dir = PATH_IN(place, "state"),
		   *inside = PATH_IN(place, "state/seal.key"), *link = PATH_IN(place, "link"),
		   *temp = PATH_IN(place, "seal.key.new");
	struct error err;
	char text[400];
	int held;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(key, rows[i].file.at, rows[i].file.len);
		assert_int_equal(chmod(key, rows[i].mode), 0);
		if (keyring_add_to_file(key, dir, &err))
			fail_msg("%s: taken", rows[i].name);
		assert_int_equal(err.kind, ERROR_HUMAN);
		if (strcmp(err.code, rows[i].code) != 0)
			fail_msg("%s: %s: %s", rows[i].name, err.code, err.text);
		assert_non_null(strstr(err.text, "seal.key"));
		read_text(key, text, sizeof(text));
		assert_string_equal(text, rows[i].file.at);
		assert_int_equal(count_entries(place), 1);
		assert_int_equal(chmod(key, 0600), 0);
	}
	write_file(key, HEX_A, 64);

	assert_int_equal(symlink("seal.key", link), 0);
	assert_false(keyring_add_to_file(link, dir, &err));
	assert_string_equal(err.code, "unsafe-file");
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(unlink(link), 0);

	assert_int_equal(mkdir(dir, 0700), 0);
	write_file(inside, HEX_A, 64);
	assert_false(keyring_add_to_file(inside, dir, &err));
	assert_string_equal(err.code, "key-below-state");

	assert_false(keyring_add_to_file(PATH_IN(place, "none.key"), dir, &err));
	assert_string_equal(err.code, "no-secret-file");
	assert_false(keyring_add_to_file(PATH_IN(place, "none/seal.key"), dir, &err));
	assert_string_equal(err.code, "no-secret-file");

	/* Somebody is adding one just now. */
	held = open(place->folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(held, LOCK_EX), 0);
	assert_false(keyring_add_to_file(key, dir, &err));
	assert_string_equal(err.code, "no-secret-file");
	close(held);

	/* A folder in the way of the new file: nothing is removed, nothing written. */
	assert_int_equal(mkdir(temp, 0700), 0);
	assert_false(keyring_add_to_file(key, dir, &err));
	assert_string_equal(err.code, "no-secret-file");
	assert_int_equal(rmdir(temp), 0);
	read_text(key, text, sizeof(text));
	assert_string_equal(text, HEX_A);

	/* Nor does a link in its place lead anywhere. */
	assert_int_equal(symlink("elsewhere", temp), 0);
	assert_true(keyring_add_to_file(key, dir, &err));
	assert_int_equal(access(PATH_IN(place, "elsewhere"), F_OK), -1);
}

static const struct seal_context context = { .table = "token",
					     .row = "5d1f",
					     .purpose = "refresh",
					     .account = "production",
					     .org_id = "00D000000000001EAA",
					     .generation = 7 };

static void sealed_records_open_again(void **state)
{
	static const size_t lengths[] = { 0, 1, 31, 4096, 65536 };
	CLEANUP(keyring_free) struct keyring *ring = must_load(*state, HEX_A);
	CLEANUP_FREE char *bytes = mem_zeroed(1, 65536);
	CLEANUP_FREE unsigned char *sealed = mem_zeroed(1, 65536 + KEYRING_OVERHEAD);
	CLEANUP_FREE unsigned char *again = mem_zeroed(1, 65536 + KEYRING_OVERHEAD);

	memset(bytes, 'p', 65536);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct error err;
		size_t len = lengths[i] + KEYRING_OVERHEAD;
		CLEANUP(secret_free) struct secret *plain = secret_new(bytes, lengths[i]);

		keyring_seal(ring, &context, plain, sealed);
		keyring_seal(ring, &context, plain, again);
		assert_memory_not_equal(sealed + 10, again + 10, len - 10);
		CLEANUP(secret_free)
		struct secret *opened = keyring_open(ring, &context, sealed, len, &err);
		assert_non_null(opened);
		assert_secret(opened, bytes, lengths[i]);
	}
}

static void records_open_only_where_they_belong(void **state)
{
	struct row {
		const char *name;
		struct seal_context changed;
	} rows[7];
	CLEANUP(keyring_free) struct keyring *ring = must_load(*state, HEX_A);
	CLEANUP(secret_free) struct secret *plain = secret_new("hush", 4);
	unsigned char sealed[4 + KEYRING_OVERHEAD];

	for (size_t i = 0; i < 7; i++)
		rows[i].changed = context;
	rows[0].name = "table", rows[0].changed.table = "secret";
	rows[1].name = "row", rows[1].changed.row = "5d1e";
	rows[2].name = "purpose", rows[2].changed.purpose = "access";
	rows[3].name = "account", rows[3].changed.account = "sandbox";
	rows[4].name = "org", rows[4].changed.org_id = "";
	rows[5].name = "generation", rows[5].changed.generation = 8;
	/* The same letters, cut elsewhere. */
	rows[6].name = "cut", rows[6].changed.table = "token5", rows[6].changed.row = "d1f";

	keyring_seal(ring, &context, plain, sealed);
	for (size_t i = 0; i < 7; i++) {
		struct error err;

		if (keyring_open(ring, &rows[i].changed, sealed, sizeof(sealed), &err))
			fail_msg("%s: opened", rows[i].name);
		assert_int_equal(err.kind, ERROR_STATE);
		assert_string_equal(err.code, "tampered");
	}
}

static void every_changed_bit_is_seen(void **state)
{
	CLEANUP(keyring_free) struct keyring *ring = must_load(*state, HEX_A);
	CLEANUP(secret_free) struct secret *plain = secret_new("hush", 4);
	unsigned char sealed[4 + KEYRING_OVERHEAD + 1] = { 0 };
	const size_t len = sizeof(sealed) - 1;
	struct error err;

	keyring_seal(ring, &context, plain, sealed);
	for (size_t at = 0; at < len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			bool in_id = at >= 2 && at < 2 + KEYRING_ID_SIZE;

			sealed[at] ^= (unsigned char)(1 << bit);
			assert_null(keyring_open(ring, &context, sealed, len, &err));
			assert_int_equal(err.kind, ERROR_STATE);
			assert_string_equal(err.code, in_id ? "wrong-key" : "tampered");
			sealed[at] ^= (unsigned char)(1 << bit);
		}
	}
	for (size_t shorter = 0; shorter < len; shorter++)
		assert_null(keyring_open(ring, &context, sealed, shorter, &err));
	assert_null(keyring_open(ring, &context, sealed, len + 1, &err));
	CLEANUP(secret_free)
	struct secret *opened = keyring_open(ring, &context, sealed, len, &err);
	assert_non_null(opened);
}

static void a_ring_opens_what_its_older_keys_sealed(void **state)
{
	CLEANUP(keyring_free) struct keyring *old = must_load(*state, HEX_A);
	CLEANUP(keyring_free) struct keyring *both = must_load(*state, HEX_B "\n" HEX_A);
	CLEANUP(keyring_free) struct keyring *new = must_load(*state, HEX_B);
	CLEANUP(secret_free) struct secret *plain = secret_new("hush", 4);
	unsigned char sealed[4 + KEYRING_OVERHEAD], check[KEYRING_CHECK_SIZE];
	struct error err;

	assert_string_equal(keyring_active_id(both), keyring_active_id(new));
	keyring_seal(old, &context, plain, sealed);
	CLEANUP(secret_free)
	struct secret *opened = keyring_open(both, &context, sealed, sizeof(sealed), &err);
	assert_non_null(opened);
	assert_null(keyring_open(new, &context, sealed, sizeof(sealed), &err));
	assert_string_equal(err.code, "wrong-key");
	assert_non_null(strstr(err.text, keyring_active_id(old)));
	assert_non_null(strstr(err.text, keyring_active_id(new)));
	/* What is sealed anew is under the first key. */
	keyring_seal(both, &context, plain, sealed);
	assert_null(keyring_open(old, &context, sealed, sizeof(sealed), &err));

	keyring_make_check(old, check);
	assert_true(keyring_check(old, check, sizeof(check), &err));
	assert_true(keyring_check(both, check, sizeof(check), &err));
	assert_false(keyring_check(new, check, sizeof(check), &err));
	assert_int_equal(err.kind, ERROR_STATE);
	assert_string_equal(err.code, "wrong-key");
	assert_non_null(strstr(err.text, keyring_active_id(old)));
	assert_non_null(strstr(err.text, keyring_active_id(new)));
	check[20] ^= 1;
	assert_false(keyring_check(old, check, sizeof(check), &err));
	assert_string_equal(err.code, "tampered");
	assert_false(keyring_check(old, check, 3, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_place(key_files_are_read),
		in_place(bad_key_files_are_refused),
		in_place(sources_are_checked),
		in_place(key_files_are_made_once),
		in_place(a_key_is_added_before_the_others),
		in_place(an_owner_stays_the_owner),
		in_place(files_that_take_no_key_stay_as_they_are),
		in_place(sealed_records_open_again),
		in_place(records_open_only_where_they_belong),
		in_place(every_changed_bit_is_seen),
		in_place(a_ring_opens_what_its_older_keys_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
