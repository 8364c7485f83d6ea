/* The shipped conf file, the listing of the keys and the man page against the key table; and what
 * becomes of the shipped file when it is cut or damaged. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/keys.h"
#include "scratch.h"

struct sample {
	char *folder;
	char *text;
	size_t len;
};

static int load(void **state)
{
	struct sample *in = mem_new(struct sample);

	in->folder = scratch_new();
	in->text = scratch_load(CONF_SOURCE "/leadsyncd.conf", &in->len);
	*state = in;
	return 0;
}

static int unload(void **state)
{
	struct sample *in = *state;

	scratch_remove(in->folder);
	free(in->text);
	free(in);
	return 0;
}

static void read_without_mistake(const struct sample *in, const char *text)
{
	struct conf_mistakes mistakes;

	scratch_text(in->folder, "leadsyncd.conf", text);
	conf_free(scratch_read(in->folder, "leadsyncd.conf", &mistakes));
	for (size_t i = 0; i < mistakes.count; i++)
		print_error("%s:%d: %s\n", mistakes.items[i].file, mistakes.items[i].line,
			    mistakes.items[i].text);
	assert_int_equal(mistakes.count, 0);
}

static void the_sample_is_read(void **state)
{
	const struct sample *in = *state;

	read_without_mistake(in, in->text);
}

/* `#key = value` is a key or a field that is commented out, `#[` a section; `# text` is a comment. */
static char *uncomment(const char *text)
{
	char *out = mem_strdup(text);
	size_t used = 0;

	for (size_t i = 0; text[i]; i++)
		if (text[i] != '#' || (i && text[i - 1] != '\n') ||
		    (!isalpha((unsigned char)text[i + 1]) && text[i + 1] != '['))
			out[used++] = text[i];
	out[used] = '\0';
	return out;
}

static void what_is_commented_out_is_good_too(void **state)
{
	const struct sample *in = *state;
	CLEANUP_FREE char *text = uncomment(in->text);

	assert_true(strlen(text) < in->len);
	read_without_mistake(in, text);
}

/* In how many sections of that word does the key stand, and is it right when commented out? In a
 * section that is itself commented out, it may say anything. */
static size_t count_key(const char *text, const struct conf_key *key)
{
	CLEANUP_FREE char *copy = mem_strdup(text);
	CLEANUP_FREE char *header = mem_format("[%s", conf_sections[key->section].word);
	CLEANUP_FREE char *off =
		mem_format("#%s = %s", key->name, key->preset ? key->preset : key->example);
	bool here = false, is_section_off = false;
	size_t count = 0;

	for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
		size_t len = strlen(key->name);
		bool is_off = *line == '#';

		if (line[is_off] == '[') {
			here = strncmp(line + is_off, header, strlen(header)) == 0;
			is_section_off = is_off;
		}
		if (!here || strncmp(line + is_off, key->name, len) != 0 ||
		    strncmp(line + is_off + len, " = ", 3) != 0)
			continue;
		if (is_off && !is_section_off)
			assert_string_equal(line, off);
		count++;
	}
	return count;
}

static void every_key_is_in_the_sample(void **state)
{
	const struct sample *in = *state;

	for (size_t i = 0; i < conf_key_count; i++) {
		/* Not for operators. */
		bool wanted = strcmp(conf_keys[i].name, "loopback_test") != 0;

		if ((count_key(in->text, &conf_keys[i]) > 0) != wanted)
			fail_msg("%s in [%s]", conf_keys[i].name,
				 conf_sections[conf_keys[i].section].word);
	}
}

#define ALL_FLOWS                                                                                  \
	(CONF_IN(CONF_FLOW_WEB) | CONF_IN(CONF_FLOW_JWT) | CONF_IN(CONF_FLOW_CLIENT_CREDENTIALS))

struct listing {
	char *text;
	size_t used;
};

static void append(const char *text, void *arg)
{
	struct listing *out = arg;
	size_t len = strlen(text);

	assert_true(len <= 100);
	out->text = mem_resize(out->text, out->used + len + 2, 1);
	memcpy(out->text + out->used, text, len);
	memcpy(out->text + out->used + len, "\n", 2);
	out->used += len + 1;
}

static void the_listing_is_a_conf(void **state)
{
	const struct sample *in = *state;
	struct listing out = { 0 };
	char *all;

	conf_print_keys(append, &out);
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		size_t wanted = 1; /* of an account: one for each flow it is a matter of */

		if (key->section == CONF_ACCOUNT && (key->flows || key->required))
			wanted = (size_t)__builtin_popcount(key->flows ? key->flows : ALL_FLOWS);
		if (count_key(out.text, key) != wanted)
			fail_msg("%s: %zu times", key->name, count_key(out.text, key));
	}
	read_without_mistake(in, out.text);
	all = uncomment(out.text);
	read_without_mistake(in, all);
	free(all);
	free(out.text);
}

/* Does the entry name each flow of the key, and say that some require it? */
static bool tells_flows(const char *entry, const struct conf_key *key)
{
	const struct conf_word *flow = conf_key_find(CONF_ACCOUNT, "flow")->words;

	for (; key->flows && flow->name; flow++) {
		CLEANUP_FREE char *name = mem_format("flow = %s", flow->name);

		if ((strstr(entry, name) != NULL) != ((key->flows & CONF_IN(flow->value)) != 0))
			return false;
	}
	return (strstr(entry, "\nRequired with\n") ||
		strstr(entry, "\nRequired with that flow.")) == (key->needed_in != 0);
}

/* What the page says of the key, from its name to the next one's; NULL: nothing. free() it. */
static char *find_entry(const char *page, const struct conf_key *key)
{
	CLEANUP_FREE char *header = mem_format("\n.Ss [%s", conf_sections[key->section].word);
	CLEANUP_FREE char *name = mem_format("\n.It Cm %s = ", key->name);
	const char *section = strstr(page, header), *section_end, *entry, *end;

	if (!section)
		return NULL;
	section_end = strstr(section + 1, "\n.Ss ");
	entry = strstr(section, name);
	if (!entry || !section_end || entry > section_end)
		return NULL;
	end = strstr(entry + 1, "\n.It Cm ");
	return mem_strndup(entry, (size_t)((end && end < section_end ? end : section_end) - entry));
}

static void every_key_is_in_the_man_page(void **state)
{
	size_t len, entries = 0;
	CLEANUP_FREE char *page = scratch_load(CONF_SOURCE "/leadsyncd.conf.5", &len);

	(void)state;
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		CLEANUP_FREE char *entry = find_entry(page, key);

		if (!entry || (key->preset && !strstr(entry, key->preset)) ||
		    !tells_flows(entry, key) ||
		    (strstr(entry, "\nRequired.") != NULL) != key->required)
			fail_msg("%s in [%s]: %s", key->name, conf_sections[key->section].word,
				 entry ? entry : "nothing");
	}
	for (const char *at = page; (at = strstr(at, "\n.It Cm ")); at++)
		entries += strstr(at, " = ") && strstr(at, " = ") < strchr(at + 1, '\n');
	assert_int_equal(entries, conf_key_count);
}

static void the_example_of_the_man_page_is_read(void **state)
{
	const struct sample *in = *state;
	size_t len;
	CLEANUP_FREE char *page = scratch_load(CONF_SOURCE "/leadsyncd.conf.5", &len);
	char *from = strstr(page, "\n.Sh EXAMPLES\n.Bd "), *end;

	assert_non_null(from);
	from = strstr(from, "\n[");
	end = strstr(from, "\n.Ed");
	assert_non_null(end);
	*end = '\0';
	read_without_mistake(in, from);
}

/* Reads what may be anything, and checks that what is told can be shown. */
static bool read_any(const struct sample *in, const char *bytes, size_t len)
{
	struct conf_mistakes mistakes;
	struct conf *conf;
	bool is_good;
	int before = 0, lines = 1;

	for (size_t i = 0; i < len; i++)
		lines += bytes[i] == '\n';
	scratch_write(in->folder, "any.conf", bytes, len);
	conf = scratch_read(in->folder, "any.conf", &mistakes);
	is_good = conf != NULL;
	assert_true(is_good == (mistakes.count == 0));
	for (size_t i = 0; i < mistakes.count; i++) {
		const struct conf_mistake *mistake = &mistakes.items[i];

		assert_true(mistake->line >= before && mistake->line <= lines);
		before = mistake->line;
		assert_true(strlen(mistake->text) > 10);
		for (const char *c = mistake->text; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	}
	conf_mistakes_done(&mistakes);
	conf_free(conf);
	return is_good;
}

static void every_prefix_of_the_sample(void **state)
{
	const struct sample *in = *state;
	size_t good = 0;

	for (size_t len = 0; len <= in->len; len++)
		good += read_any(in, in->text, len);
	assert_in_range(good, 2, in->len / 4);
}

/* xorshift64, so that every machine damages alike. */
static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32);
}

/* One small damage; `text` has room for twice its length. */
static size_t damage(char *text, size_t len, uint64_t *seed)
{
	static const char bytes[] = "\n\n[]=#;\\ \t\r*.->'()\"0a\x01\x80\xc3\xef\xff";
	size_t at = next_random(seed) % len;
	size_t run = 1 + next_random(seed) % 40;
	char byte = bytes[next_random(seed) % sizeof(bytes)]; /* its NUL too */

	if (run > len - at)
		run = len - at;
	switch (next_random(seed) % 5) {
	case 0: text[at] = byte; return len;
	case 1: text[at] ^= (char)(1 << next_random(seed) % 8); return len;
	case 2: memmove(text + at, text + at + run, len - at - run); return len - run;
	case 3: memmove(text + at + run, text + at, len - at); return len + run;
	default:
		memmove(text + at + 1, text + at, len - at);
		text[at] = byte;
		return len + 1;
	}
}

static void damaged_samples(void **state)
{
	const struct sample *in = *state;
	CLEANUP_FREE char *text = mem_zeroed(2 * in->len, 1);
	uint64_t seed = 20260102;
	size_t good = 0;

	for (int i = 0; i < 20000; i++) {
		size_t len = in->len;

		memcpy(text, in->text, len);
		for (uint32_t times = 1 + next_random(&seed) % 4; times; times--)
			len = damage(text, len, &seed);
		good += read_any(in, text, len);
	}
	/* Else the damage is too small, or too big, to say anything. */
	assert_in_range(good, 200, 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)
		TEST(the_sample_is_read),           TEST(what_is_commented_out_is_good_too),
		TEST(every_key_is_in_the_sample),   TEST(the_listing_is_a_conf),
		TEST(every_key_is_in_the_man_page), TEST(the_example_of_the_man_page_is_read),
		TEST(every_prefix_of_the_sample),   TEST(damaged_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
